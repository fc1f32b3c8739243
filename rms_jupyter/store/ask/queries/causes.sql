-- From results that differ ($now and $before: lists of resources, pairwise) up the chain: every two calls that differ,
-- those with the same own code, arguments and globals as one row; and inputs that no call has made, as rows of their own.
WITH RECURSIVE inputs AS MATERIALIZED (
    SELECT l.child AS task, l.role, r.digest, r.path, m.parent AS maker
    FROM raw.links l JOIN raw.placed_resources r ON r.id = l.parent
    LEFT JOIN raw.links m ON m.child = r.id AND m.role IS NULL
    WHERE l.role IS NOT NULL
), started AS (
    SELECT DISTINCT n.parent AS now, b.parent AS before
    FROM (SELECT unnest($now::BIGINT[]) AS now, unnest($before::BIGINT[]) AS before) p
    JOIN raw.links n ON n.child = p.now AND n.role IS NULL JOIN raw.links b ON b.child = p.before AND b.role IS NULL
    WHERE n.parent <> b.parent
), pairs(now, before) AS (
    FROM started
    UNION
    SELECT n.maker, b.maker
    FROM pairs p JOIN inputs n ON n.task = p.now JOIN inputs b ON b.task = p.before AND b.role = n.role
    WHERE n.digest <> b.digest AND n.maker <> b.maker
), both_sides AS (
    SELECT p.now, p.before, n.k, n.pipe, b.pipe AS pipe_before,
           CASE WHEN n.args <> b.args THEN n.args END AS args, CASE WHEN n.args <> b.args THEN b.args END AS args_before,
           CASE WHEN n.globals IS DISTINCT FROM b.globals THEN coalesce(n.globals, '{}') END AS globals,
           CASE WHEN n.globals IS DISTINCT FROM b.globals THEN coalesce(b.globals, '{}') END AS globals_before
    FROM pairs p JOIN raw.tasks n ON n.id = p.now JOIN raw.tasks b ON b.id = p.before
), own AS (
    SELECT o.* EXCLUDE (now, before), i.roles
    FROM both_sides o
    LEFT JOIN (SELECT task, list(DISTINCT role ORDER BY role) AS roles FROM inputs SEMI JOIN (SELECT now FROM both_sides WHERE args IS NOT NULL) ON now = task GROUP BY task) i ON i.task = o.now AND o.args IS NOT NULL
    WHERE o.pipe <> o.pipe_before OR o.args IS NOT NULL OR o.globals IS NOT NULL
), leaves AS (
    SELECT coalesce(n.path, n.role) AS name, t.pipe, t.k
    FROM pairs p JOIN inputs n ON n.task = p.now JOIN inputs b ON b.task = p.before AND b.role = n.role
    JOIN raw.tasks t ON t.id = p.now
    WHERE n.digest <> b.digest AND (n.maker IS NULL OR b.maker IS NULL)
)
SELECT 'call' AS kind, '' AS name, pipe, pipe_before, args, args_before, globals, globals_before, roles, count(*) AS calls, min(k) AS first
FROM own GROUP BY ALL
UNION ALL
SELECT 'content', name, pipe, pipe, NULL, NULL, NULL, NULL, NULL, count(*), min(k) FROM leaves GROUP BY name, pipe
ORDER BY first
