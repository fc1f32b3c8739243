-- Makes a table of the calls that fit {conditions}, with what they gave as text and its type. The first parameter is a
-- list of files that have other content now, the second one of code versions that do not count any more.
CREATE OR REPLACE TEMP TABLE found AS
WITH outdated AS MATERIALIZED (FROM derived_from(?::BIGINT[])), statuses AS MATERIALIZED (FROM raw.latest_status),
described AS (
    SELECT r.task, lower(concat_ws(' ', r.id, r.path, r.type, r.preview, m.notes)) AS text
    FROM raw.resources r LEFT JOIN raw.notes m ON m.id = r.id WHERE r.task IS NOT NULL AND r.kind <> 'given'
), outputs AS (
    SELECT r.task, r.slot, r.type, r.items, s.status,
           CASE WHEN r.path IS NOT NULL THEN r.path
                WHEN r.format = 'json' THEN CASE WHEN json_valid(r.preview) THEN r.preview::JSON ->> '$' ELSE r.preview END
                WHEN starts_with(r.type, 'numpy.') AND starts_with(r.preview, 'np.') THEN regexp_replace(r.preview, '^np\.(\w+\(|)(.*?)[_)]*$', '\2')
                ELSE r.preview END AS text
    FROM raw.placed_resources r SEMI JOIN raw.links l ON l.child = r.id AND l.parent = r.task AND l.role IS NULL
    LEFT JOIN statuses s ON s.id = r.id
), made AS (
    SELECT task, arg_min(text, slot) AS value, arg_min(type, slot) FILTER (text IS NOT NULL) AS type, arg_min(items, slot) AS items,
           bool_and(coalesce(status, 'current') = 'current') AS is_current
    FROM outputs GROUP BY task
), calls AS (
    SELECT t.id, 'task' AS kind, t.k, p.name AS pipe, NULL::VARCHAR AS path, t.seconds, made.value, made.type, made.items,
           CASE WHEN contains(t.args, '<np.')
                THEN regexp_replace(t.args, '"<np\.u?(?:int|float)\d+\((-?\d[-+.\de]*)\)>"', '\1', 'g')::JSON ELSE t.args END AS args,
           t.globals,
           CASE WHEN s.status = 'deprecated' THEN 'deprecated'
                WHEN s.status IS NULL AND coalesce(made.is_current, true) AND NOT coalesce(list_contains(?::VARCHAR[], p.version), false)
                     AND t.id NOT IN (FROM outdated) THEN 'current'
                ELSE 'outdated' END AS status,
           lower(concat_ws(' ', t.id, p.name, t.args, t.globals, t.reason, m.notes, r.notebook)) AS text
    FROM raw.tasks t
    LEFT JOIN raw.pipes p ON p.id = t.pipe
    LEFT JOIN raw.runs r ON r.id = t.run
    LEFT JOIN raw.notes m ON m.id = t.id
    LEFT JOIN statuses s ON s.id = t.id
    LEFT JOIN made ON made.task = t.id
    WHERE t.status = 'done' AND coalesce(s.status, '') <> 'deleted'
)
SELECT id, k, pipe, args, globals, value, type, items, status, seconds FROM calls WHERE {conditions}
