-- Adds to `before` what is one step further up: (task of the table, node that it was made from).
INSERT INTO before
SELECT DISTINCT b.task, l.parent, $step::INTEGER FROM before b JOIN raw.links l ON l.child = b.id
WHERE b.step = $step::INTEGER - 1 AND NOT EXISTS (FROM before known WHERE known.task = b.task AND known.id = l.parent)
