-- The calls of a notebook (of all where it is ''), with the code that each of its pipes ran last.
CREATE OR REPLACE TEMP TABLE calls AS
SELECT t.id, p.name, p.version, t.k, t.seconds, r.count AS cell, coalesce(s.status, t.status) AS status
FROM raw.tasks t JOIN raw.pipes p ON p.id = t.pipe
LEFT JOIN raw.runs r ON r.id = t.run LEFT JOIN raw.latest_status s ON s.id = t.id
WHERE ? IN ('', r.notebook)
QUALIFY p.version = arg_max(p.version, t.k) OVER (PARTITION BY p.name)
    AND t.k = max(t.k) OVER (PARTITION BY t.key)
