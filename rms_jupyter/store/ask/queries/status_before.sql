-- The status that each of a list of records had before it was deleted, where it had one.
SELECT id, arg_max(status, k) AS status FROM raw.status_log
WHERE status NOT IN ('', 'deleted', 'restored') AND id IN (SELECT unnest(?::BIGINT[]))
GROUP BY id HAVING arg_max(status, k) <> 'current'
