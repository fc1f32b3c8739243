-- Calls of a pipe that ended well before a moment: those of other runs first, of them those that stood about where the
-- asked one stands in its run, and the latest.
WITH calls AS (SELECT t.id, t.run, t.k, t.status FROM raw.tasks t JOIN raw.pipes p ON p.id = t.pipe WHERE p.name = $pipe),
begun AS (SELECT run, min(k) AS k FROM calls GROUP BY run)
SELECT t.id, t.run = $run AS is_sibling FROM calls t JOIN begun b ON b.run IS NOT DISTINCT FROM t.run
WHERE t.status = 'done' AND t.k < $k
ORDER BY is_sibling NULLS FIRST, abs(t.k - b.k - $k + (SELECT k FROM begun WHERE run = $run)), t.k DESC LIMIT $most
