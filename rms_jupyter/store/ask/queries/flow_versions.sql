-- Of pipes ($1), their code versions by the status of their tasks: how many, how long, and the latest one.
SELECT p.name, p.version, p.id, g.status, g.tasks, g.seconds, epoch_ms(g.latest), g.last
FROM (
    SELECT t.pipe, coalesce(s.status, t.status) AS status, count(*) AS tasks, sum(t.seconds) AS seconds, max(t.started) AS latest, max_by(t.id, t.started) AS last
    FROM raw.tasks t LEFT JOIN raw.latest_status s ON s.id = t.id
    WHERE t.pipe IN (SELECT id FROM raw.pipes WHERE name IN (SELECT unnest($1::VARCHAR[]))) GROUP BY ALL
) g
JOIN raw.pipes p ON p.id = g.pipe WHERE g.status <> 'deleted' ORDER BY g.latest DESC
