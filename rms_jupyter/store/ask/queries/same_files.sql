-- Every record of files by path and content: ids of those that a list of ids stands for, made earlier or later.
SELECT DISTINCT r.id FROM raw.resources r JOIN raw.resources o ON o.path = r.path AND o.digest = r.digest
WHERE o.kind = 'file' AND r.kind = 'file' AND list_contains(?::BIGINT[], o.id)
