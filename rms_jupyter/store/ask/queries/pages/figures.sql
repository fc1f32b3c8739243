-- Figures that calls gave or wrote, but for those overwritten or deleted.
-- order
SELECT t.id FROM rms.figures t JOIN rms.raw.tasks m ON m.id = t.task_id {join}
WHERE t.id NOT IN (SELECT id FROM rms.raw.latest_status WHERE status IN ('overwritten', 'deleted')) {words}
ORDER BY {by}, m.k {way}, t.id {way}
-- words
contains(lower(concat_ws(' ', t.id, t.path, t.type, t.pipe, m.args, t.digest)), {word})
-- rows
SELECT f.id::VARCHAR, coalesce(f.path, ''), f.type, f.pipe, m.args::VARCHAR, coalesce(s.status, 'current'), epoch_ms(f.started_at), f.task_id::VARCHAR
FROM (SELECT id, rowid AS place FROM {ids} WHERE rowid BETWEEN $first AND $last) w
JOIN rms.figures f ON f.id = w.id
JOIN rms.raw.tasks m ON m.id = f.task_id
LEFT JOIN rms.raw.latest_status s ON s.id = f.id
ORDER BY w.place
