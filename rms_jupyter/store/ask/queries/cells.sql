-- What cells ran, one row a cell and code: the latest last, those of the notebook after those of others with such a cell.
WITH ran AS (
    SELECT cell, code, arg_max(id, k) AS run, arg_max(count, k) AS count, epoch(max(started)) AS started,
           max(k) AS k, notebook = ? AS here
    FROM raw.runs WHERE list_contains(?::VARCHAR[], cell) GROUP BY ALL
), latest AS (
    SELECT run, arg_max(id, k) AS id, max(k) AS k, arg_max(status, k) AS status, arg_max(concat_ws(': ', error_type, error), k) AS error
    FROM raw.tasks WHERE run IN (SELECT run FROM ran) GROUP BY run, key
), did AS (
    SELECT run, list(id ORDER BY k) AS tasks, min(status) FILTER (status IN ('failed', 'timed_out')) AS failed,
           min(status) FILTER (status <> 'done') AS stopped, any_value(error) FILTER (error <> '') AS error
    FROM latest GROUP BY run
)
SELECT cell, code, count, started, coalesce(tasks, []), coalesce(failed, stopped, ''), coalesce(error, '')
FROM ran LEFT JOIN did USING (run) ORDER BY here, ran.k
