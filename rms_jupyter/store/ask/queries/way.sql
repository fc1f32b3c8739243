-- Ids of what is to stand apart and of all behind it along raw.links ({near}, {far}: its columns).
CREATE OR REPLACE TEMP TABLE {name} AS
WITH RECURSIVE way(id) AS (
    SELECT id FROM apart
    UNION
    SELECT l.{far} FROM raw.links l JOIN way ON l.{near} = way.id
)
SELECT id FROM way;
