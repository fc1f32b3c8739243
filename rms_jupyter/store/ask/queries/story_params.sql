-- The scalars that went into the calls around a node ($root): one row a distinct value, what varies first. Arguments
-- that are inputs (they have an edge) or name outputs are no parameters. A global is one parameter, whoever reads it.
WITH RECURSIVE up(id, steps) AS (
    SELECT $root::BIGINT, 0
    UNION
    SELECT l.parent, CASE WHEN $most::INTEGER IS NULL THEN 0 ELSE steps + 1 END
    FROM raw.links l JOIN up ON l.child = up.id WHERE $most::INTEGER IS NULL OR steps < $most::INTEGER
), down(id, steps) AS (
    SELECT $root::BIGINT, 0 WHERE $down
    UNION
    SELECT l.child, CASE WHEN $most::INTEGER IS NULL THEN 0 ELSE steps + 1 END
    FROM raw.links l JOIN down ON l.parent = down.id WHERE $most::INTEGER IS NULL OR steps < $most::INTEGER
), story AS (
    SELECT t.id, p.name AS pipe, t.args, t.globals
    FROM raw.tasks t LEFT JOIN raw.pipes p ON p.id = t.pipe
    WHERE t.id IN (SELECT id FROM up UNION SELECT id FROM down)
), given AS (
    SELECT story.id, pipe, '' AS prefix, j.key AS name, raw.scalar(j.value) AS value FROM story, json_each(args) j
    UNION ALL
    SELECT story.id, pipe, 'global:', j.key, raw.scalar(j.value) FROM story, json_each(globals) j WHERE globals IS NOT NULL
), settings AS (
    SELECT g.* FROM given g
    ANTI JOIN raw.links l ON l.child = g.id AND l.role = g.prefix || g.name
    ANTI JOIN raw.placed_resources r ON r.task = g.id AND r.path IS NOT NULL AND ends_with(r.path, ltrim(g.value ->> '$', './'))
    WHERE g.value IS NOT NULL
), counted AS (
    SELECT name, value, string_agg(DISTINCT pipe, ', ' ORDER BY pipe) AS pipe, count(*) AS calls, prefix
    FROM settings GROUP BY name, value, prefix, CASE WHEN prefix = '' THEN pipe END
)
SELECT name, value::VARCHAR, pipe, calls FROM counted
ORDER BY count(*) OVER (PARTITION BY name, prefix, CASE WHEN prefix = '' THEN pipe END) = 1, name, pipe,
         try_cast(value AS DOUBLE), value::VARCHAR
