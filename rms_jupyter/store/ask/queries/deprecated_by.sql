-- What is deprecated because of $root, and not because of anything else that is deprecated still.
WITH marks AS (
    SELECT id, arg_max(status, k) AS status, arg_max(cause, k) AS cause FROM raw.status_log WHERE status <> '' GROUP BY id
),
others AS (SELECT list(id) AS ids FROM marks WHERE status = 'deprecated' AND id = cause AND id <> $root)
SELECT id FROM marks
WHERE status = 'deprecated' AND (id = $root OR id IN (SELECT DISTINCT id FROM raw.status_log WHERE cause = $root))
  AND (id = $root OR id NOT IN (FROM derived_from((SELECT coalesce(ids, []) FROM others))))
