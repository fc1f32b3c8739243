-- What is drawn, a row a place: how many nodes it stands for, some of them, and what they come to together.
SELECT d.place, count(*), min(d.id), min(d.id, 8), coalesce(sum(t.seconds), 0), coalesce(sum(r.size), 0),
       min(r.path), max(r.path), min(reverse(r.path)), max(reverse(r.path))
FROM drawn d LEFT JOIN raw.tasks t ON t.id = d.id LEFT JOIN raw.resources r ON r.id = d.id
GROUP BY d.place ORDER BY d.place;
