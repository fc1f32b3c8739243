-- Everything the lineage view says of a list of nodes ({ids}: integers, inlined).
SELECT t.id, 'task' AS kind, p.name AS pipe, t.args, NULL AS path, coalesce(s.status, t.status) AS status, t.seconds,
       NULL AS type, NULL AS size, NULL AS preview, NULL AS digest, t.globals, r.notebook, r.count AS cell, t.started, p.version
FROM raw.tasks t
LEFT JOIN raw.pipes p ON p.id = t.pipe
LEFT JOIN raw.runs r ON r.id = t.run
LEFT JOIN raw.latest_status s ON s.id = t.id
WHERE t.id IN ({ids})
UNION ALL
SELECT r.id, r.kind, p.name, NULL, r.path, coalesce(s.status, 'current'), NULL,
       r.type, r.size, r.preview, replace(r.digest::VARCHAR, '-', ''), NULL, u.notebook, u.count, NULL, p.version
FROM raw.resources r
LEFT JOIN raw.tasks t ON t.id = r.task
LEFT JOIN raw.pipes p ON p.id = t.pipe
LEFT JOIN raw.runs u ON u.id = t.run
LEFT JOIN raw.latest_status s ON s.id = r.id
WHERE r.id IN ({ids});
