-- How many nodes are one step from a place ({places}), along raw.links ({near}, {far}: its columns), and not drawn.
SELECT d.place, count(DISTINCT l.{far})
FROM raw.links l JOIN drawn d ON l.{near} = d.id
WHERE d.place IN ({places}) AND l.{far} NOT IN (SELECT id FROM drawn)
GROUP BY d.place;
