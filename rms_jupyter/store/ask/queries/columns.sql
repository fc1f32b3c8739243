-- The public views and their columns.
SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns()
WHERE database_name = 'rms' AND schema_name = 'main' GROUP BY table_name ORDER BY table_name
