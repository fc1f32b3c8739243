-- Runs, the latest first; each word of the list must occur in what is known of a run.
SELECT id, kind, notebook, count, started_at, tasks, failed, seconds, code FROM runs
WHERE len(list_filter(?::VARCHAR[], lambda w: NOT contains(lower(concat_ws(' ', id, kind, notebook, started_at, code)), lower(w)))) = 0
ORDER BY started_at DESC, id DESC LIMIT ?
