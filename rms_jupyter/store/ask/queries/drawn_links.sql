-- The links between places: from, to, a role, how many.
SELECT p.place, c.place, min(l.role), count(*)
FROM raw.links l JOIN drawn c ON c.id = l.child JOIN drawn p ON p.id = l.parent
WHERE p.place <> c.place
GROUP BY p.place, c.place ORDER BY p.place, c.place;
