-- Runs, the latest first; each word of the list must occur in what is known of a run.
WITH named AS (
    SELECT *, CASE WHEN rule <> '' THEN rule WHEN kind = 'plan' AND count > 0 THEN 'run ' || count ELSE '' END AS run FROM runs
)
SELECT id, run, kind, notebook, count, started_at, tasks, failed, seconds, code FROM named
WHERE len(list_filter(?::VARCHAR[], lambda w: NOT contains(lower(concat_ws(' ', id, run, kind, notebook, started_at, code)), lower(w)))) = 0
ORDER BY started_at DESC, id DESC LIMIT ?
