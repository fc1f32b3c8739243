-- Tasks made from any node of a list, those in the list itself left out, and whether anything they made is current.
SELECT t.id, t.status = 'done' AND s.status IS NULL AND EXISTS (
    SELECT 1 FROM raw.links l LEFT JOIN raw.latest_status o ON o.id = l.child
    WHERE l.parent = t.id AND coalesce(o.status, '') NOT IN ('overwritten', 'deleted')
) AS is_current
FROM raw.tasks t LEFT JOIN raw.latest_status s ON s.id = t.id
WHERE t.id IN (FROM derived_from($nodes::BIGINT[])) AND NOT list_contains($nodes::BIGINT[], t.id)
  AND coalesce(s.status, '') <> 'deleted'
ORDER BY t.k, t.id
