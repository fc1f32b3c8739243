-- Of each call that failed the last attempt, unless it has succeeded since; of one run ($run, 0 for all) whatever has failed.
-- order
WITH bad AS (
    SELECT id, site, key, k FROM rms.raw.tasks
    WHERE status IN ('failed', 'timed_out', 'cut_off') AND $run IN (0, run)
      AND id NOT IN (SELECT id FROM rms.raw.latest_status WHERE status = 'deleted')
),
last AS (SELECT * FROM bad QUALIFY $run <> 0 OR row_number() OVER (PARTITION BY coalesce(nullif(site, 0)::VARCHAR, key::VARCHAR) ORDER BY k DESC, id DESC) = 1),
mended AS (
    SELECT l.id FROM last l JOIN rms.raw.tasks d ON d.site = l.site WHERE d.status = 'done' AND d.k > l.k AND l.site <> 0
    UNION
    SELECT l.id FROM last l JOIN rms.raw.tasks d ON d.key = l.key WHERE d.status = 'done' AND d.k > l.k
)
SELECT t.id FROM rms.raw.tasks t {join}
WHERE t.id IN (SELECT id FROM last) AND ($run <> 0 OR t.id NOT IN (FROM mended)) {words}
ORDER BY {by}, t.k {way}, t.id {way}
