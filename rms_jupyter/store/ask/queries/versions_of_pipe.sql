-- Tasks of a pipe by its code versions, each in the order of the record.
SELECT p.id, t.id, coalesce(s.status, t.status), t.started, t.seconds
FROM raw.tasks t JOIN raw.pipes p ON p.id = t.pipe LEFT JOIN raw.latest_status s ON s.id = t.id
WHERE p.name = ? AND coalesce(s.status, '') <> 'deleted' ORDER BY t.k, t.id
