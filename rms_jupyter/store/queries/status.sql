SELECT count(*) FILTER (status = 'done'), count(*) FILTER (status NOT IN ('done', 'deprecated', 'deleted')), (SELECT count(DISTINCT name) FROM raw.pipes),
       (SELECT count(*) FROM files WHERE status NOT IN ('overwritten', 'deleted')), coalesce(sum(seconds), 0)
FROM tasks
