SELECT p.name, left(p.version, 8), p.module, count(t.id) FILTER (t.status <> 'deleted') AS tasks, coalesce(sum(t.seconds), 0)
FROM pipes p LEFT JOIN tasks t ON t.pipe = p.name AND t.version = p.version
WHERE len(list_filter(?::VARCHAR[], lambda w: NOT contains(lower(p.name || ' ' || coalesce(p.module, '')), lower(w)))) = 0
GROUP BY p.version, p.name, p.module, p.k HAVING tasks > 0 OR count(t.id) = 0 ORDER BY p.k DESC
