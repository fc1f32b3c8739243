-- Of a list of keys, how many have results that count, and how long these took.
SELECT count(*), coalesce(sum(seconds), 0) FROM (
    SELECT arg_max(t.seconds, t.k) AS seconds
    FROM raw.tasks t LEFT JOIN raw.latest_status s ON s.id = t.id
    WHERE t.key IN (SELECT unnest(?::UUID[])) AND t.status = 'done' AND t.cached AND s.status IS NULL
    GROUP BY t.key
)
