-- Where and when each task of a list was run: code, kernel (the id of its first record), host, Python, environment, commit.
SELECT t.id, t.pipe, coalesce(r.id - r.id % 4294967296, 0), coalesce(w.host, ''), coalesce(e.python, w.python, ''),
       coalesce(replace(r.environment::VARCHAR, '-', ''), ''), coalesce(c."commit", ''), coalesce(c.dirty, false),
       concat_ws(': ', t.error_type, t.error), epoch(t.started), epoch(t.started) + t.seconds
FROM raw.tasks t
LEFT JOIN raw.runs r ON r.id = t.run
LEFT JOIN raw.writers w ON w.id = r.id - r.id % 4294967296
LEFT JOIN raw.environments e ON e.digest = r.environment
LEFT JOIN raw.checkouts c ON c.run = r.id
WHERE t.id IN (SELECT unnest(?::BIGINT[]))
