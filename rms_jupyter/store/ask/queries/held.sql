-- Resources that may have something on disk, in the order in which they came.
SELECT id FROM raw.resources WHERE kind = 'file' OR format <> 'json' ORDER BY k, id
