-- Of lists of places, names and JSON pointers: whether all tasks of a place have a setting in common, and if not,
-- which values it has, where they are few.
WITH asked AS (SELECT unnest(?::INTEGER[]) AS place, unnest(?::VARCHAR[]) AS name, unnest(?::VARCHAR[]) AS pointer),
told AS (
    SELECT a.place, a.name, coalesce(json_extract(t.args, a.pointer), json_extract(t.globals, a.pointer)) AS value
    FROM asked a JOIN drawn d USING (place) JOIN raw.tasks t ON t.id = d.id
)
SELECT place, name, coalesce(min(value) = max(value), false) AND count(value) = count(*),
       CASE WHEN count(DISTINCT value) BETWEEN 2 AND 12 THEN list(DISTINCT value::VARCHAR ORDER BY value::VARCHAR) ELSE [] END
FROM told GROUP BY place, name ORDER BY place, name
