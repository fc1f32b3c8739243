-- Which settings all tasks of a place have in common: of lists of places, names and JSON pointers, those that do.
WITH asked AS (SELECT unnest(?::INTEGER[]) AS place, unnest(?::VARCHAR[]) AS name, unnest(?::VARCHAR[]) AS pointer),
told AS (
    SELECT a.place, a.name, coalesce(json_extract(t.args, a.pointer), json_extract(t.globals, a.pointer)) AS value
    FROM asked a JOIN drawn d USING (place) JOIN raw.tasks t ON t.id = d.id
)
SELECT place, name FROM told GROUP BY place, name HAVING min(value) = max(value) AND count(value) = count(*)
