-- How many tasks of each run of a list have come to an end.
SELECT run, count(*) FROM raw.tasks WHERE run IN (SELECT unnest(?::BIGINT[])) GROUP BY run
