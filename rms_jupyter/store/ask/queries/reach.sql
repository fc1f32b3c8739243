-- What one step leads to from places ({places}) along raw.links ({near}, {far}: its columns) and is not drawn yet.
-- Those alike get one number: made by one code version, used as one argument, of one status, beside the same places
-- (of several places and arguments the first and the last count).
-- {way}: ids on the way to what is to stand apart; of them more are shown one by one.
CREATE OR REPLACE TEMP TABLE reached AS
WITH found AS (
    SELECT l.{far} AS id, min(d.place) AS first, max(d.place) AS last,
           concat(split_part(min(l.role), '[', 1), ' ', split_part(max(l.role), '[', 1)) AS roles
    FROM raw.links l JOIN drawn d ON l.{near} = d.id
    WHERE d.place IN ({places}) AND l.{far} NOT IN (SELECT id FROM drawn)
    GROUP BY l.{far}
), told AS (
    SELECT f.*, 'task' AS kind, t.pipe AS made_by, 0 AS slot, '' AS type, coalesce(s.status, t.status) AS status
    FROM found f JOIN raw.tasks t USING (id) LEFT JOIN raw.latest_status s ON s.id = t.id
    UNION ALL
    SELECT f.*, r.kind, t.pipe, r.slot, r.type, coalesce(s.status, 'current')
    FROM found f JOIN raw.resources r USING (id)
    LEFT JOIN raw.tasks t ON t.id = r.task LEFT JOIN raw.latest_status s ON s.id = r.id
), marked AS (
    SELECT *, id IN (SELECT id FROM {way}) AS on_way, id IN (SELECT id FROM apart) AS alone FROM told
), alike AS (
    SELECT *, count(*) OVER (PARTITION BY first, last, roles, kind, made_by, slot, type, status, on_way, alone) AS times
    FROM marked
)
SELECT id, dense_rank() OVER (
    ORDER BY first, last, times DESC, roles, kind, made_by, slot, type, status, on_way, alone,
             CASE WHEN alone OR times < (CASE WHEN on_way THEN 64 ELSE 4 END) THEN id ELSE 0 END
) AS number
FROM alike;
