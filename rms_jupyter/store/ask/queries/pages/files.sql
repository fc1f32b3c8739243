-- Files that were neither overwritten nor deleted.
-- order
SELECT t.id FROM rms.raw.resources t {join}
WHERE t.kind = 'file' AND t.id NOT IN (SELECT id FROM rms.raw.latest_status WHERE status IN ('overwritten', 'deleted')) {words}
ORDER BY {by}, t.k {way}, t.id {way}
-- words
contains(lower(t.path), {word}) OR contains(lower(t.type), {word}) OR contains(lower(t.preview), {word})
OR contains(t.digest::VARCHAR, {word})
OR t.id IN (
    SELECT l.child FROM rms.raw.pipes p JOIN rms.raw.tasks m ON m.pipe = p.id JOIN rms.raw.links l ON l.parent = m.id
    WHERE contains(lower(p.name), {word}) AND l.role IS NULL
)
OR t.id IN (SELECT id FROM rms.raw.notes WHERE contains(lower(notes), {word}))
OR (regexp_full_match({word}, '[0-9]+') AND contains(t.id::VARCHAR, {word}))
-- rows
SELECT r.id::VARCHAR, r.path, p.name, m.args::VARCHAR, coalesce(s.status, 'current'), r.size, epoch_ms(first.started),
       left(replace(r.digest::VARCHAR, '-', ''), 8), m.id::VARCHAR
FROM (SELECT id, rowid AS place FROM {ids} WHERE rowid BETWEEN $first AND $last) w
JOIN rms.raw.resources r ON r.id = w.id
LEFT JOIN rms.raw.tasks first ON first.id = r.task
LEFT JOIN rms.raw.links l ON l.child = r.id AND l.parent = r.task  -- What was given to a task was not made by it.
LEFT JOIN rms.raw.tasks m ON m.id = l.parent
LEFT JOIN rms.raw.pipes p ON p.id = m.pipe
LEFT JOIN rms.raw.latest_status s ON s.id = r.id
ORDER BY w.place
