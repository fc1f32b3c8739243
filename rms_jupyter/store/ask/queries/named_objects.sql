-- Of a list of digests, those that name content of what is not deleted (a list of ids aside).
SELECT DISTINCT replace(r.digest::VARCHAR, '-', '') || '.' || r.format
FROM raw.resources r LEFT JOIN raw.latest_status s ON s.id = r.id
WHERE r.digest IN (SELECT unnest($digests::UUID[])) AND r.format IS NOT NULL
  AND coalesce(s.status, '') <> 'deleted' AND NOT list_contains($ids::BIGINT[], r.id)
UNION
SELECT DISTINCT t.shown || '.json'
FROM raw.tasks t LEFT JOIN raw.latest_status s ON s.id = t.id
WHERE t.shown IS NOT NULL AND coalesce(s.status, '') <> 'deleted' AND NOT list_contains($ids::BIGINT[], t.id)
  AND t.shown IN (SELECT replace(unnest($digests::UUID[])::VARCHAR, '-', ''))
