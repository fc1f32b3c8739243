-- What is on record of content on disk, by the digests of a list: one row an object. What is deleted does not count.
-- Worth are the seconds that it saves: none where it answers no call any more.
WITH marked AS (
    SELECT id FROM raw.status_log WHERE status = ''
    GROUP BY id HAVING bool_or(note IS NOT NULL) OR bool_or(tag NOT IN ('pinned', 'unpinned'))
        OR arg_max(tag, k) FILTER (tag IN ('pinned', 'unpinned')) = 'pinned'
), named AS (
    SELECT replace(r.digest::VARCHAR, '-', '') || '.' || r.format AS object, r.kind, r.task, p.name AS pipe, t.started,
           r.slot = 1 AND t.cached AND coalesce(p.contract ->> 'deterministic', 'true') = 'true' AS comes_back,
           CASE WHEN coalesce(s.status, d.status, 'current') IN ('current', 'missing', 'altered', 'unreadable') THEN t.seconds ELSE 0 END AS worth,
           t.seconds,
           r.id IN (FROM marked) OR r.task IN (FROM marked) AS is_marked,
           coalesce(t.started + to_seconds(t.seconds + nullif((p.contract ->> 'expires_after')::DOUBLE, 0)) < make_timestamp($now::BIGINT), false) AS is_expired
    FROM raw.resources r
    LEFT JOIN raw.tasks t ON t.id = r.task
    LEFT JOIN raw.pipes p ON p.id = t.pipe
    LEFT JOIN raw.latest_status s ON s.id = r.id
    LEFT JOIN raw.latest_status d ON d.id = r.task
    WHERE r.digest IN (SELECT unnest($digests::UUID[])) AND r.format IS NOT NULL AND r.kind <> 'file'
      AND coalesce(s.status, '') <> 'deleted'
)
SELECT object, bool_or(is_marked), bool_or(kind = 'given'), bool_and(coalesce(comes_back, false)), bool_and(is_expired),
       max(coalesce(worth, 0)), max(coalesce(seconds, 0)), epoch(max(started)), arg_max(task, started), arg_max(pipe, started)
FROM named GROUP BY object
UNION ALL
SELECT DISTINCT t.shown || '.json', true, false, false, false, 0, 0, NULL, t.id, NULL
FROM raw.tasks t LEFT JOIN raw.latest_status s ON s.id = t.id
WHERE t.shown IS NOT NULL AND coalesce(s.status, '') <> 'deleted' AND t.shown IN (SELECT replace(unnest($digests::UUID[])::VARCHAR, '-', ''))
