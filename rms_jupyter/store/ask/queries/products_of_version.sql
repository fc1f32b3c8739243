-- The files that tasks of a code version have written, as the one above; with how many there are.
SELECT r.id, r.path, r.size, r.task, count(*) OVER () FROM raw.resources r JOIN raw.tasks t ON t.id = r.task
LEFT JOIN raw.latest_status s ON s.id = r.id
WHERE r.kind = 'file' AND coalesce(s.status, '') NOT IN ('deleted', 'overwritten')
  AND t.pipe IN (SELECT p.id FROM raw.pipes p JOIN raw.pipes o ON o.id = $1 AND p.name = o.name AND p.version = o.version)
ORDER BY t.k DESC, r.id LIMIT $2 OFFSET $3
