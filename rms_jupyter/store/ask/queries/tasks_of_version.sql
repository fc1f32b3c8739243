-- The tasks of a code version, the one of a pipe's record ($1), the latest first; at most so many ($2).
SELECT t.id, coalesce(s.status, t.status), coalesce(t.printed, '') <> '' FROM raw.tasks t LEFT JOIN raw.latest_status s ON s.id = t.id
WHERE t.pipe IN (SELECT p.id FROM raw.pipes p JOIN raw.pipes o ON o.id = $1 AND p.name = o.name AND p.version = o.version)
  AND coalesce(s.status, '') <> 'deleted' ORDER BY t.k DESC, t.id DESC LIMIT $2
