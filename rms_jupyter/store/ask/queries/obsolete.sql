-- What was made from a file whose path now stands for other content; computed again when files or statuses change.
CREATE OR REPLACE TABLE raw.obsolete AS
WITH newest AS (
    SELECT r.path, arg_max(r.digest, r.k) AS digest
    FROM raw.resources r WHERE r.kind = 'file'
      AND r.id NOT IN (SELECT id FROM raw.status_log GROUP BY id HAVING arg_max(status, k) FILTER (status <> '') IN ('overwritten', 'deprecated', 'deleted'))
    GROUP BY r.path
),
stale AS (
    SELECT r.id FROM raw.resources r JOIN newest n ON n.path = r.path AND n.digest <> r.digest
    WHERE r.id IN (SELECT id FROM raw.status_log GROUP BY id HAVING arg_max(status, k) FILTER (status <> '') = 'overwritten')
)
SELECT id FROM derived_from((SELECT coalesce(list(id), []) FROM stale)) WHERE id NOT IN (FROM stale)
