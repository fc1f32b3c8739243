-- The public macros that give tables, with their columns.
SELECT 'ancestors', column_names FROM (SELECT list(column_name) AS column_names FROM (DESCRIBE FROM ancestors(0)))
UNION ALL SELECT 'descendants', column_names FROM (SELECT list(column_name) AS column_names FROM (DESCRIBE FROM descendants(0)))
UNION ALL SELECT 'derived_from', ['id']
