-- From which pipe to which results went, also those that the notebook changed in between.
WITH used AS (
    SELECT c.name, l.parent AS id FROM calls c JOIN raw.links l ON l.child = c.id
), origins AS (
    FROM used
    UNION
    SELECT u.name, l.parent FROM used u JOIN raw.links l ON l.child = u.id
), makers AS (
    SELECT p.name AS maker, o.name AS user
    FROM origins o JOIN raw.links l ON l.child = o.id JOIN raw.tasks t ON t.id = l.parent JOIN raw.pipes p ON p.id = t.pipe
)
SELECT DISTINCT maker, user FROM makers WHERE maker <> user AND maker IN (SELECT name FROM calls) ORDER BY ALL
