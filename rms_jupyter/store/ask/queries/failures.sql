-- The tasks of the latest run that did not finish.
SELECT id FROM raw.tasks
WHERE run = (SELECT arg_max(id, k) FROM raw.runs) AND status <> 'done' ORDER BY k
