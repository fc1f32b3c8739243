-- A row a pipe, in the order of their first calls: its version, how many calls, how many of them failed, seconds, last cell.
SELECT name, any_value(version), count(*), count(*) FILTER (status IN ('failed', 'timed_out')), coalesce(sum(seconds), 0),
       arg_max(cell, k)
FROM calls GROUP BY name ORDER BY min(k)
