SELECT count(*) FILTER (status = 'done'), count(*) FILTER (status <> 'done'), (SELECT count(DISTINCT name) FROM raw.pipes),
       (SELECT count(*) FROM files WHERE status <> 'overwritten'), coalesce(sum(seconds), 0)
FROM raw.tasks
