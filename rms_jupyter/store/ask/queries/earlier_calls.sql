-- Calls of a pipe that ended well before a moment, those of other runs and the latest first.
SELECT t.id, t.run = $run AS is_sibling FROM raw.tasks t JOIN raw.pipes p ON p.id = t.pipe
WHERE p.name = $pipe AND t.status = 'done' AND t.k < $k
ORDER BY is_sibling NULLS FIRST, t.k DESC LIMIT $most
