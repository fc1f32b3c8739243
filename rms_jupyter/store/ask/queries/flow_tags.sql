-- The tags that tasks of pipes ($1) have, by code version.
SELECT DISTINCT p.name, p.version, l.tag FROM raw.status_log l JOIN raw.tasks t ON t.id = l.id JOIN raw.pipes p ON p.id = t.pipe
WHERE l.tag IS NOT NULL AND p.name IN (SELECT unnest($1::VARCHAR[])) ORDER BY l.tag
