-- Tasks of a pipe by its name, whatever its code was.
SELECT t.id FROM raw.tasks t JOIN raw.pipes p ON p.id = t.pipe LEFT JOIN raw.latest_status s ON s.id = t.id
WHERE p.name = ? AND coalesce(s.status, '') <> 'deleted' ORDER BY t.k, t.id
