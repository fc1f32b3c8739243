-- The tasks of keys and starting times; the latest one of a key where none started then.
SELECT m.place, first(t.id ORDER BY epoch_us(t.started) = m.started DESC, t.k DESC)
FROM (SELECT unnest(range(len($keys))) AS place, unnest($keys::UUID[]) AS key, unnest($starts::BIGINT[]) AS started) m
JOIN raw.tasks t ON t.key = m.key
GROUP BY m.place
