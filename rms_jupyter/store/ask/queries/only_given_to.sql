-- Given values that no task uses but those of a list.
SELECT l.parent FROM raw.links l
JOIN raw.resources r ON r.id = l.parent AND r.kind = 'given'
LEFT JOIN raw.latest_status s ON s.id = l.child
LEFT JOIN raw.latest_status g ON g.id = l.parent
WHERE coalesce(s.status, '') <> 'deleted' AND coalesce(g.status, '') <> 'deleted'
GROUP BY l.parent HAVING bool_and(list_contains(?::BIGINT[], l.child))
