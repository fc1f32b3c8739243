-- The public views and macros, described column by column in notebooks/sql.ipynb. Made anew when this file changes.

-- Paths as they are now; in the journals, and in the table, what lies in the project is named from its folder.
CREATE OR REPLACE VIEW raw.resources AS
    SELECT * REPLACE (CASE WHEN path IS NULL OR starts_with(path, '/') THEN path WHEN path = '.' THEN $project ELSE rtrim($project, '/') || '/' || path END AS path)
    FROM raw.placed_resources;

-- What an argument is, as JSON, if it is one scalar: a number of NumPy's counts as the number, a date as its text.
CREATE OR REPLACE MACRO raw.scalar(shown) AS
    CASE WHEN json_type(shown) IN ('OBJECT', 'ARRAY') THEN NULL
         WHEN json_type(shown) <> 'VARCHAR' OR (shown ->> '$') NOT LIKE '<%>' THEN shown
         WHEN regexp_matches(shown ->> '$', '^<np\.u?(int|float)\d+\(-?[0-9.]+(e[-+]?\d+)?\)>$')
         THEN regexp_replace(regexp_extract(shown ->> '$', '\((.*)\)', 1), '\.$', '.0')::JSON
         WHEN regexp_matches(shown ->> '$', '^<(datetime\.\w+|Timestamp|Timedelta|np\.datetime64|np\.timedelta64|Decimal|Fraction)\(.*\)>$')
         THEN to_json(trim(shown ->> '$', '<>')) END;

-- Ids of everything made from any node of a list, the list itself included; visits each node once.
CREATE OR REPLACE MACRO derived_from(nodes_list) AS TABLE
    WITH RECURSIVE down(id) AS (
        SELECT unnest(nodes_list)
        UNION
        SELECT l.child FROM raw.links l JOIN down ON l.parent = down.id
    )
    SELECT id FROM down;

CREATE OR REPLACE VIEW raw.latest_status AS
    WITH given AS (
        SELECT id, CASE WHEN max(k) FILTER (status = 'deleted') > coalesce(max(k) FILTER (status = 'restored'), 0) THEN 'deleted'
                        ELSE coalesce(arg_max(status, k) FILTER (status NOT IN ('deleted', 'restored')), 'current') END AS status
        FROM raw.status_log WHERE status <> '' GROUP BY id
    )
    SELECT id, status FROM given WHERE status <> 'current'
    UNION ALL
    SELECT id, 'obsolete' FROM raw.obsolete WHERE id NOT IN (SELECT id FROM given WHERE status <> 'current');

CREATE OR REPLACE VIEW raw.notes AS
    SELECT id, string_agg(concat_ws(' ', tag, note), ' ') AS notes FROM raw.status_log
    WHERE note IS NOT NULL OR tag IS NOT NULL GROUP BY id;

CREATE OR REPLACE VIEW pipes AS
    SELECT arg_max(id, k) AS id, name, version, arg_max(module, k) AS module,
           arg_max(parts, k) AS parts, arg_max(sources, k) AS sources, arg_max(contract, k) AS contract, min(k) AS k
    FROM raw.pipes GROUP BY name, version;

CREATE OR REPLACE VIEW runs AS
    SELECT r.id, r.kind, r.notebook, r.cell, r.count, r.started AS started_at, r.code,
           coalesce(t.tasks, 0) AS tasks, coalesce(t.failed, 0) AS failed, coalesce(t.seconds, 0) AS seconds,
           w.host, replace(r.environment::VARCHAR, '-', '') AS environment, c."commit", c.dirty, r.rule
    FROM raw.runs r
    LEFT JOIN raw.writers w ON w.id = r.id - r.id % 4294967296
    LEFT JOIN raw.checkouts c ON c.run = r.id
    LEFT JOIN (
        SELECT run, count(*) AS tasks, count(*) FILTER (status <> 'done') AS failed, sum(seconds) AS seconds
        FROM raw.tasks GROUP BY run
    ) t ON t.run = r.id;

CREATE OR REPLACE VIEW environments AS
    SELECT replace(e.digest::VARCHAR, '-', '') AS environment, e.python, e.platform, e.packages, e.conda, e.conda_packages,
           coalesce(r.runs, 0) AS runs, r.first_at, r.last_at
    FROM raw.environments e LEFT JOIN (
        SELECT environment, count(*) AS runs, min(started) AS first_at, max(started) AS last_at FROM raw.runs GROUP BY environment
    ) r ON r.environment = e.digest;

CREATE OR REPLACE VIEW tasks AS
    SELECT t.id, p.name AS pipe, coalesce(s.status, t.status) AS status, t.args, t.seconds, t.started AS started_at,
           t.run AS run_id, t.error, t.error_type, t.globals, t.reason, r.notebook, r.count AS cell,
           p.version, replace(t.key::VARCHAR, '-', '') AS key, t.site, t.k,
           t.cpu AS cpu_seconds, t.memory AS peak_memory
    FROM raw.tasks t
    LEFT JOIN raw.pipes p ON p.id = t.pipe
    LEFT JOIN raw.runs r ON r.id = t.run
    LEFT JOIN raw.latest_status s ON s.id = t.id;

CREATE OR REPLACE VIEW resources AS
    SELECT r.id, r.kind, r.type, r.size, replace(r.digest::VARCHAR, '-', '') AS digest, coalesce(s.status, 'current') AS status, t.id AS task_id,
           p.name AS pipe, coalesce(r.preview, r.path) AS preview, r.path, r.format, r.slot, r.k, r.items
    FROM raw.resources r
    LEFT JOIN raw.links m ON m.child = r.id AND m.parent = r.task  -- What was given to a task stands beside what it made.
    LEFT JOIN raw.tasks t ON t.id = m.parent
    LEFT JOIN raw.pipes p ON p.id = t.pipe
    LEFT JOIN raw.latest_status s ON s.id = r.id;

CREATE OR REPLACE VIEW files AS
    SELECT r.id, r.path, r.size, replace(r.digest::VARCHAR, '-', '') AS digest, coalesce(s.status, 'current') AS status, t.id AS task_id, p.name AS pipe, r.k
    FROM raw.resources r
    LEFT JOIN raw.links m ON m.child = r.id AND m.parent = r.task
    LEFT JOIN raw.tasks t ON t.id = m.parent
    LEFT JOIN raw.pipes p ON p.id = t.pipe
    LEFT JOIN raw.latest_status s ON s.id = r.id
    WHERE r.kind = 'file';

CREATE OR REPLACE VIEW figures AS
    SELECT r.id, r.path, r.type, replace(r.digest::VARCHAR, '-', '') AS digest, r.task AS task_id, p.name AS pipe, t.started AS started_at
    FROM raw.resources r
    JOIN raw.links m ON m.child = r.id AND m.parent = r.task
    JOIN raw.tasks t ON t.id = r.task
    LEFT JOIN raw.pipes p ON p.id = t.pipe
    WHERE regexp_matches(r.type, '^(matplotlib\.Figure|plotly\.Figure(Widget)?|altair\.\w*Chart|seaborn\.\w+Grid)$')
       OR regexp_matches(lower(r.path), '\.(png|svg|pdf|jpe?g|eps|tiff?)$');

CREATE OR REPLACE VIEW params AS
    SELECT task_id, pipe, name, value, try_cast(value AS DOUBLE) AS number FROM (
        SELECT t.id AS task_id, p.name AS pipe, j.key AS name, j.value ->> '$' AS value
        FROM raw.tasks t LEFT JOIN raw.pipes p ON p.id = t.pipe, json_each(t.args) j
        UNION ALL
        SELECT t.id, p.name, j.key, j.value ->> '$'
        FROM raw.tasks t LEFT JOIN raw.pipes p ON p.id = t.pipe, json_each(t.globals) j WHERE t.globals IS NOT NULL
    );

CREATE OR REPLACE VIEW reasons AS
    SELECT t.id AS task_id, p.name AS pipe, split_part(t.reason, ' ', 1) AS kind, substr(t.reason, strpos(t.reason || ' ', ' ') + 1) AS detail,
           t.earlier AS earlier_id, t.seconds, e.seconds AS earlier_seconds, t.k
    FROM raw.tasks t LEFT JOIN raw.pipes p ON p.id = t.pipe LEFT JOIN raw.tasks e ON e.id = t.earlier;

-- What a task was made from, one fact a row.
CREATE OR REPLACE VIEW raw.facts AS
    SELECT t.id, 'code' AS kind, j.key AS name, j.value ->> '$' AS value
    FROM raw.tasks t JOIN raw.pipes p ON p.id = t.pipe, json_each(p.parts) j
    UNION ALL SELECT t.id, 'argument', j.key, j.value ->> '$' FROM raw.tasks t, json_each(t.args) j
    UNION ALL SELECT t.id, 'global', j.key, j.value ->> '$' FROM raw.tasks t, json_each(t.globals) j WHERE t.globals IS NOT NULL
    UNION ALL SELECT l.child, 'content', l.role, replace(r.digest::VARCHAR, '-', '')
    FROM raw.links l JOIN raw.resources r ON r.id = l.parent WHERE l.role IS NOT NULL;

-- What differed between a task that ran and the earlier one that it was compared with.
CREATE OR REPLACE VIEW differences AS
    SELECT id AS task_id, earlier AS earlier_id, kind, name,
           max(value) FILTER (NOT is_now) AS before, max(value) FILTER (is_now) AS after
    FROM (
        SELECT p.id, p.earlier, f.kind, f.name, f.value, true AS is_now
        FROM (SELECT id, earlier FROM raw.tasks WHERE earlier IS NOT NULL) p JOIN raw.facts f ON f.id = p.id
        UNION ALL
        SELECT p.id, p.earlier, f.kind, f.name, f.value, false
        FROM (SELECT id, earlier FROM raw.tasks WHERE earlier IS NOT NULL) p JOIN raw.facts f ON f.id = p.earlier
    ) GROUP BY id, earlier, kind, name HAVING before IS DISTINCT FROM after;

CREATE OR REPLACE VIEW accepts AS
    SELECT id, pipe, version, older, undone, changed AS accepted_at, k FROM raw.accepts;

-- The last one of each name.
CREATE OR REPLACE VIEW templates AS
    SELECT id, name, text, changed AS written_at, k FROM raw.templates
    QUALIFY row_number() OVER (PARTITION BY name ORDER BY k DESC) = 1;

CREATE OR REPLACE VIEW flows AS
    SELECT id, name, text, pipes, changed AS written_at, k FROM raw.flows
    QUALIFY row_number() OVER (PARTITION BY name ORDER BY k DESC) = 1;

-- Tracked scripts and notebooks, a row for each way to run one, with its last run.
CREATE OR REPLACE VIEW tracked AS
    WITH files AS (
        SELECT path, pipe, unnest(configs) AS config FROM (
            SELECT * FROM raw.tracked QUALIFY row_number() OVER (PARTITION BY path ORDER BY k DESC) = 1
        )
    ), runs_of AS (
        SELECT id, pipe, args ->> 'config' AS config, status, started_at, seconds, error_type, error FROM tasks
        WHERE pipe IN (SELECT pipe FROM files)
        QUALIFY row_number() OVER (PARTITION BY pipe, args ->> 'config' ORDER BY k DESC) = 1
    )
    SELECT CASE WHEN starts_with(f.path, '/') THEN f.path ELSE rtrim($project, '/') || '/' || f.path END AS path,
           f.config, f.pipe, r.id AS task_id, coalesce(r.status, 'never run') AS status, r.started_at, r.seconds,
           r.error_type, r.error
    FROM files f LEFT JOIN runs_of r ON r.pipe = f.pipe AND r.config = f.config;

CREATE OR REPLACE VIEW evictions AS
    SELECT split_part(object, '.', 1) AS digest, substr(object, strpos(object, '.') + 1) AS format, why, changed AS evicted_at, k
    FROM raw.evictions;

CREATE OR REPLACE VIEW edges AS SELECT parent AS src, child AS dst, role FROM raw.links;

CREATE OR REPLACE VIEW marks AS SELECT id, nullif(status, '') AS mark, tag, note, cause, changed AS changed_at, k FROM raw.status_log;

-- Of tasks that have ended: what runs just now prints is in files beside the journals, see store/live.py.
CREATE OR REPLACE VIEW logs AS
    SELECT t.id AS task_id, p.name AS pipe, t.printed AS text, t.traceback, t.started AS started_at
    FROM raw.tasks t LEFT JOIN raw.pipes p ON p.id = t.pipe
    WHERE t.printed IS NOT NULL OR t.traceback IS NOT NULL;

CREATE OR REPLACE VIEW nodes AS
    SELECT t.id, 'task' AS kind, p.name AS pipe, t.args, NULL::VARCHAR AS path, coalesce(s.status, t.status) AS status
    FROM raw.tasks t
    LEFT JOIN raw.pipes p ON p.id = t.pipe
    LEFT JOIN raw.latest_status s ON s.id = t.id
    UNION ALL
    SELECT r.id, r.kind, NULL, NULL, r.path, coalesce(s.status, 'current')
    FROM raw.resources r LEFT JOIN raw.latest_status s ON s.id = r.id;

-- Calls that fail: their last attempt did not succeed, and nobody has stopped it. Broken files of one content fail alike,
-- each for itself.
CREATE OR REPLACE VIEW raw.failing AS
    SELECT t.id FROM raw.tasks t WHERE t.status IN ('failed', 'timed_out', 'cut_off')
      AND NOT EXISTS (SELECT 1 FROM raw.tasks l WHERE l.site = t.site AND l.k > t.k)
      AND NOT EXISTS (SELECT 1 FROM raw.tasks l WHERE l.key = t.key AND l.k > t.k AND l.status = 'done');

-- What a search looks at: every task and resource with one text of all that can be searched.
CREATE OR REPLACE VIEW searchable AS
    SELECT t.id, 'task' AS kind, p.name AS pipe, NULL::VARCHAR AS path, t.args, t.globals,
           coalesce(s.status, t.status) AS status, t.k,
           lower(concat_ws(' ', t.id, p.name, t.args, t.globals, t.error_type, t.error, t.reason, m.notes, r.notebook)) AS text
    FROM raw.tasks t
    LEFT JOIN raw.pipes p ON p.id = t.pipe
    LEFT JOIN raw.runs r ON r.id = t.run
    LEFT JOIN raw.latest_status s ON s.id = t.id
    LEFT JOIN raw.notes m ON m.id = t.id
    UNION ALL
    SELECT r.id, r.kind, p.name, r.path, NULL, NULL, coalesce(s.status, 'current'), r.k,
           lower(concat_ws(' ', r.id, p.name, r.path, r.type, r.preview, r.digest, m.notes))
    FROM raw.resources r
    LEFT JOIN raw.tasks t ON t.id = r.task
    LEFT JOIN raw.pipes p ON p.id = t.pipe
    LEFT JOIN raw.latest_status s ON s.id = r.id
    LEFT JOIN raw.notes m ON m.id = r.id;

-- Tasks and resources in which a word, in small letters, occurs: as in the texts above, which take longer to put together.
CREATE OR REPLACE MACRO raw.tasks_with(word) AS TABLE
    SELECT id FROM raw.tasks
    WHERE contains(lower(args::VARCHAR), word) OR contains(lower(globals::VARCHAR), word) OR contains(lower(reason), word)
       OR contains(lower(error_type), word) OR contains(lower(error), word)
       OR pipe IN (SELECT p.id FROM raw.pipes p WHERE contains(lower(p.name), word))
       OR run IN (SELECT r.id FROM raw.runs r WHERE contains(lower(r.notebook), word))
       OR id IN (SELECT m.id FROM raw.notes m WHERE contains(lower(m.notes), word))
       OR (regexp_full_match(word, '[0-9]+') AND contains(id::VARCHAR, word));

CREATE OR REPLACE MACRO raw.resources_with(word) AS TABLE
    SELECT id FROM raw.resources
    WHERE contains(lower(path), word) OR contains(lower(type), word) OR contains(lower(preview), word)
       OR (regexp_full_match(word, '[0-9a-f-]+') AND contains(digest::VARCHAR, word))
       OR id IN (SELECT l.child FROM raw.pipes p JOIN raw.tasks t ON t.pipe = p.id JOIN raw.links l ON l.parent = t.id
                 WHERE contains(lower(p.name), word) AND l.role IS NULL)
       OR id IN (SELECT m.id FROM raw.notes m WHERE contains(lower(m.notes), word))
       OR (regexp_full_match(word, '[0-9]+') AND contains(id::VARCHAR, word));
