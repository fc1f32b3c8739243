-- Of each path the file on record that came last; at most so many.
SELECT arg_max(id, (k, id)) FROM raw.resources WHERE kind = 'file' GROUP BY path LIMIT $most
