-- Figures that have not been overwritten or deleted, the latest first; each word of the list must occur in what is known of one.
SELECT f.id FROM figures f
JOIN raw.tasks t ON t.id = f.task_id
LEFT JOIN raw.latest_status s ON s.id = f.id
WHERE coalesce(s.status, '') NOT IN ('overwritten', 'deleted')
  AND len(list_filter(?::VARCHAR[], lambda w: NOT contains(lower(concat_ws(' ', f.id, f.path, f.type, f.pipe, t.args, f.digest)), lower(w)))) = 0
ORDER BY t.k DESC, f.id DESC LIMIT ?
