-- Where a run took place: host, digest of its environment, git commit of the project, and whether it was changed since.
SELECT w.host, replace(r.environment::VARCHAR, '-', ''), c."commit", c.dirty
FROM raw.runs r LEFT JOIN raw.writers w ON w.id = r.id - r.id % 4294967296 LEFT JOIN raw.checkouts c ON c.run = r.id
WHERE r.id = ?
