-- Files that came from elsewhere, or that no pipe read, a row for those of the same pipes: whether they were made here,
-- by which or for which pipes, how many, bytes, the first and last path, and those of the reverses.
WITH read AS (
    SELECT l.parent AS id, list(DISTINCT c.name ORDER BY c.name) AS pipes
    FROM calls c JOIN raw.links l ON l.child = c.id GROUP BY l.parent
), files AS (
    SELECT false AS made, read.pipes, r.path, r.size FROM read JOIN raw.resources r USING (id)
    WHERE r.path <> '' AND r.id NOT IN (SELECT l.child FROM raw.links l JOIN raw.tasks t ON t.id = l.parent)
    UNION ALL
    SELECT true, [c.name], r.path, r.size
    FROM calls c JOIN raw.links l ON l.parent = c.id JOIN raw.resources r ON r.id = l.child
    WHERE r.path <> '' AND r.id NOT IN (SELECT id FROM read)
), each AS (
    SELECT made, path, list_sort(list_distinct(flatten(list(pipes)))) AS pipes, max(size) AS size
    FROM files GROUP BY made, path
)
SELECT made, pipes, count(*), coalesce(sum(size), 0), min(path), max(path), min(reverse(path)), max(reverse(path))
FROM each GROUP BY made, pipes ORDER BY made, min(path)
