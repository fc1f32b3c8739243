-- Templates by name.
SELECT name, text FROM templates ORDER BY name
