-- Of a list of paths, those that were registered or read as inputs before any task wrote them.
SELECT DISTINCT r.path FROM raw.resources r
WHERE r.kind = 'file' AND r.path IN (SELECT unnest(?::VARCHAR[]))
  AND NOT EXISTS (SELECT 1 FROM raw.links l WHERE l.child = r.id)
