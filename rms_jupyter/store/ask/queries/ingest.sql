-- Moves the staged records into the tables; the caller moves the offsets in the same transaction.
INSERT INTO rms.raw.tasks
SELECT id, key, k, site, pipe, nullif(run, 0), coalesce(args, '{}'), globals, coalesce(seconds, 0), make_timestamp(started),
       coalesce(status, 'done'), error.type, error.message, error.traceback, reason, earlier, printed, shown, coalesce(cached, true), cpu, memory
FROM staged WHERE record = 'task' ORDER BY id;

INSERT INTO rms.raw.placed_resources
SELECT id + u.slot, id, u.slot, coalesce(u.r.kind, 'value'), u.r.type, u.r.path, u.r.digest, coalesce(u.r.size, 0), u.r.format,
       coalesce(u.r.preview, CASE WHEN u.r.format = 'json' THEN coalesce(u.r.value::VARCHAR, 'null') END), k, u.r.items
FROM (SELECT id, k, unnest([{slot: i, r: r} FOR r, i IN inner_resources]) AS u FROM staged WHERE record = 'task')
ORDER BY id, u.slot;

INSERT INTO rms.raw.placed_resources
SELECT id, NULL, 0, coalesce(kind, 'value'), type, path, digest, coalesce(size, 0), format, preview, k, NULL
FROM staged WHERE record = 'resource' ORDER BY id;

INSERT INTO rms.raw.links
SELECT child, parent, role FROM (
    SELECT id AS child, CASE WHEN u[1]::BIGINT < 4294967296 THEN id + u[1]::BIGINT ELSE u[1]::BIGINT END AS parent, u[2] ->> '$' AS role
    FROM (SELECT id, unnest(used) AS u FROM staged WHERE record = 'task')
    UNION ALL
    SELECT id + d[1], d[2], 'changed in the notebook' FROM (SELECT id, unnest(derived) AS d FROM staged WHERE record = 'task')
    UNION ALL
    SELECT id + i, id, NULL FROM (SELECT id, unnest(range(1, len(coalesce(out, [])) + 1)) AS i FROM staged WHERE record = 'task')
) ORDER BY child;

INSERT INTO rms.raw.pipes
SELECT id, name, version, module, coalesce(parts, '{}'), coalesce(sources, '{}'), coalesce(contract, '{}'), k
FROM staged WHERE record = 'pipe';

INSERT INTO rms.raw.runs
SELECT id, coalesce(kind, 'calls'), notebook, cell, count, code, make_timestamp(started), environment, k, coalesce(rule, '')
FROM staged WHERE record = 'run';

INSERT INTO rms.raw.environments
SELECT any_value(digest), any_value(python), any_value(platform), coalesce(any_value(packages), '{}'), any_value(conda), coalesce(any_value(conda_packages), '{}')
FROM staged WHERE record = 'environment' AND digest NOT IN (SELECT digest FROM rms.raw.environments) GROUP BY digest;

INSERT INTO rms.raw.checkouts
SELECT run, "commit", coalesce(dirty, false) FROM staged WHERE record = 'checkout';

INSERT INTO rms.raw.accepts
SELECT id, name, version, older, coalesce(undone, false), make_timestamp(changed), k FROM staged WHERE record = 'accept';

INSERT INTO rms.raw.templates
SELECT id, name, text, make_timestamp(changed), k FROM staged WHERE record = 'template';

INSERT INTO rms.raw.flows
SELECT id, name, text, coalesce(pipes, '{}'), make_timestamp(changed), k FROM staged WHERE record = 'flow';

INSERT INTO rms.raw.tracked
SELECT id, path, name, coalesce(configs, []), make_timestamp(changed), k FROM staged WHERE record = 'tracked';

INSERT INTO rms.raw.writers
SELECT id, host, pid, python, version, notebook, make_timestamp(started) FROM staged WHERE record = 'writer';

INSERT INTO rms.raw.status_log
SELECT unnest(ids), k, coalesce(status, ''), note, tag, cause, make_timestamp(changed) FROM staged WHERE record = 'status';

INSERT INTO rms.raw.evictions
SELECT unnest(objects), why, make_timestamp(changed), k FROM staged WHERE record = 'eviction';
