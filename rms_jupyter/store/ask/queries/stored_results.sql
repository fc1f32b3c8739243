-- Tasks whose results may answer calls.
SELECT t.id FROM raw.tasks t LEFT JOIN raw.latest_status s ON s.id = t.id
WHERE t.status = 'done' AND t.cached AND s.status IS NULL ORDER BY t.k, t.id
