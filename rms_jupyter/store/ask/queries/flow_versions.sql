-- Of pipes ($1), their code versions by the status of their tasks: how many, how long, and the latest one.
SELECT p.name, p.version, min(p.id), coalesce(s.status, t.status), count(*), sum(t.seconds), epoch_ms(max(t.started)), max_by(t.id, t.started)
FROM raw.tasks t JOIN raw.pipes p ON p.id = t.pipe LEFT JOIN raw.latest_status s ON s.id = t.id
WHERE p.name IN (SELECT unnest($1::VARCHAR[])) AND coalesce(s.status, '') <> 'deleted'
GROUP BY ALL ORDER BY max(t.started) DESC
