-- Tasks that were not deleted, of one run ($run) or of all (0); see `store/pages.py` for what stands in braces.
-- order
SELECT t.id FROM rms.raw.tasks t {join}
WHERE $run IN (0, t.run)
  AND t.id NOT IN (SELECT id FROM rms.raw.latest_status WHERE status IN ('overwritten', 'deleted')) {words}
ORDER BY {by}, t.k {way}, t.id {way}
-- words
contains(lower(t.args::VARCHAR), {word}) OR contains(lower(t.globals::VARCHAR), {word}) OR contains(lower(t.reason), {word})
OR contains(lower(t.error_type), {word}) OR contains(lower(t.error), {word})
OR t.pipe IN (SELECT id FROM rms.raw.pipes WHERE contains(lower(name), {word}))
OR t.run IN (SELECT id FROM rms.raw.runs WHERE contains(lower(notebook), {word}))
OR t.id IN (SELECT id FROM rms.raw.notes WHERE contains(lower(notes), {word}))
OR (regexp_full_match({word}, '[0-9]+') AND contains(t.id::VARCHAR, {word}))
-- rows
SELECT t.id::VARCHAR, p.name, t.args::VARCHAR, coalesce(s.status, t.status), t.seconds, epoch_ms(t.started),
       coalesce(r.path, left(r.preview, 300), ''), coalesce(concat_ws(': ', t.error_type, left(t.error, 300)), ''), coalesce(left(t.reason, 300), ''),
       coalesce(u.notebook, ''), u.count, r.id::VARCHAR
FROM (SELECT id, rowid AS place FROM {ids} WHERE rowid BETWEEN $first AND $last) w
JOIN rms.raw.tasks t ON t.id = w.id
LEFT JOIN rms.raw.pipes p ON p.id = t.pipe
LEFT JOIN rms.raw.runs u ON u.id = t.run
LEFT JOIN rms.raw.latest_status s ON s.id = t.id
LEFT JOIN (
    SELECT * FROM rms.raw.resources
    WHERE kind <> 'given' AND id IN (SELECT id + 1 FROM {ids} WHERE rowid BETWEEN $first AND $last)
) r ON r.task = t.id
ORDER BY w.place
