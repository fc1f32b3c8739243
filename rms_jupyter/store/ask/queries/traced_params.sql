-- Makes a table of the scalars given to the calls that those of `found` were made from: (task, name,
-- place, text, kind), by the names PIPE.PARAMETER. One that had several values on the way to one task is none of its. What came from a call
-- is no parameter; a file is, by its path.
CREATE OR REPLACE TEMP TABLE traced AS
WITH given AS (
    SELECT b.task, b.id, p.name AS pipe, t.args, t.globals
    FROM before b JOIN raw.tasks t ON t.id = b.id JOIN raw.pipes p ON p.id = t.pipe WHERE b.step > 0
), named AS (
    SELECT task, given.id, pipe, j.key AS name, j.key AS role, raw.scalar(j.value) AS value FROM given, json_each(args) j
    UNION ALL
    SELECT task, given.id, pipe, j.key, 'global:' || j.key, raw.scalar(j.value) FROM given, json_each(globals) j WHERE globals IS NOT NULL
), computed AS (
    SELECT l.child, l.role FROM raw.links l JOIN raw.resources r ON r.id = l.parent
    WHERE l.role IS NOT NULL AND r.path IS NULL AND l.child IN (SELECT id FROM before)
), single AS (
    SELECT task, pipe || '.' || name AS name, any_value(value) AS value
    FROM named n ANTI JOIN computed c ON c.child = n.id AND c.role = n.role
    WHERE value IS NOT NULL GROUP BY task, pipe, name HAVING count(DISTINCT value) = 1
)
SELECT task, name, dense_rank() OVER (ORDER BY name) AS place, value ->> '$' AS text, json_type(value) AS kind FROM single
WHERE name IN (SELECT name FROM single GROUP BY name HAVING count(DISTINCT value) > 1)
