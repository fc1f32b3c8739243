-- The calls of a notebook (of all where it is ''), and of others those whose results it has used, with the code that each
-- of the pipes ran last.
CREATE OR REPLACE TEMP TABLE calls AS
WITH RECURSIVE own AS (
    SELECT t.id FROM raw.tasks t LEFT JOIN raw.runs r ON r.id = t.run WHERE $notebook IN ('', r.notebook)
), behind AS (
    SELECT id FROM own
    UNION
    SELECT l.parent FROM behind b JOIN raw.links l ON l.child = b.id
)
SELECT t.id, p.name, p.version, t.k, t.seconds, coalesce(s.status, t.status) AS status,
       CASE WHEN $notebook IN ('', r.notebook) THEN r.count END AS cell
FROM raw.tasks t JOIN behind USING (id) JOIN raw.pipes p ON p.id = t.pipe
LEFT JOIN raw.runs r ON r.id = t.run LEFT JOIN raw.latest_status s ON s.id = t.id
QUALIFY p.version = arg_max(p.version, t.k) OVER (PARTITION BY p.name)
    AND t.k = max(t.k) OVER (PARTITION BY t.key)
