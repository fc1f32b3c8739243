-- Rules, by what their calls have come to: how many are done and have failed, and when the last one began.
SELECT r.rule, count(*) FILTER (t.status = 'done'), count(*) FILTER (t.status NOT IN ('done', 'cancelled', 'cut_off')), max(t.started)
FROM raw.tasks t JOIN raw.runs r ON r.id = t.run WHERE r.rule <> '' GROUP BY r.rule ORDER BY max(t.started) DESC;
