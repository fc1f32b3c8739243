-- Runs: plans, and the calls of a cell.
-- order
SELECT t.id FROM rms.runs t {join}
WHERE true {words}
ORDER BY {by}, t.started_at {way}, t.id {way}
-- words
contains(lower(concat_ws(' ', t.id, t.kind, t.notebook, t.started_at, t.code)), {word})
-- rows
SELECT u.id::VARCHAR, u.kind, coalesce(u.notebook, ''), u.count, epoch_ms(u.started_at), u.tasks, u.failed, u.seconds, left(coalesce(u.code, ''), 2000)
FROM (SELECT id, rowid AS place FROM {ids} WHERE rowid BETWEEN $first AND $last) w
JOIN rms.runs u ON u.id = w.id
ORDER BY w.place
