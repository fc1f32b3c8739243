-- The code version of a pipe that finished a task last, other than the one it has now; with how much it has done.
SELECT p.version, count(*), sum(t.seconds), arg_max(p.parts, p.k), arg_max(p.sources, p.k)
FROM raw.tasks t JOIN raw.pipes p ON p.id = t.pipe
WHERE p.name = ? AND p.version <> ? AND t.status = 'done' AND t.cached
GROUP BY p.version ORDER BY max(t.k) DESC LIMIT 1
