SELECT count(*) FILTER (status = 'done'), count(*) FILTER (status <> 'done'), (SELECT count(DISTINCT name) FROM raw.pipes),
       (SELECT count(*) FROM files WHERE status NOT IN ('overwritten', 'deleted')), coalesce(sum(seconds), 0)
FROM raw.tasks WHERE id NOT IN (SELECT id FROM raw.latest_status WHERE status = 'deleted')
