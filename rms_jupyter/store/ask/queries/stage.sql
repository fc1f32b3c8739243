-- One batch of checked journal lines, each with its id in front, as a table.
CREATE OR REPLACE TEMP TABLE staged AS
SELECT *, list_concat(coalesce(out, []), coalesce(given, [])) AS inner_resources
FROM read_json(?, format = 'newline_delimited', columns = {
    id: 'BIGINT', record: 'VARCHAR', k: 'BIGINT',
    key: 'UUID', site: 'BIGINT', pipe: 'BIGINT', run: 'BIGINT', args: 'JSON', globals: 'JSON', used: 'JSON[][]', derived: 'BIGINT[][]',
    out: 'STRUCT(kind VARCHAR, type VARCHAR, path VARCHAR, digest UUID, size BIGINT, format VARCHAR, preview VARCHAR, value JSON, items JSON)[]',
    given: 'STRUCT(kind VARCHAR, type VARCHAR, path VARCHAR, digest UUID, size BIGINT, format VARCHAR, preview VARCHAR, value JSON, items JSON)[]',
    seconds: 'FLOAT', cpu: 'FLOAT', memory: 'BIGINT', started: 'BIGINT', status: 'VARCHAR', reason: 'VARCHAR', earlier: 'BIGINT', printed: 'VARCHAR', shown: 'VARCHAR',
    error: 'STRUCT(type VARCHAR, message VARCHAR, traceback VARCHAR)', cached: 'BOOLEAN',
    kind: 'VARCHAR', type: 'VARCHAR', path: 'VARCHAR', digest: 'UUID', size: 'BIGINT', format: 'VARCHAR', preview: 'VARCHAR',
    name: 'VARCHAR', version: 'VARCHAR', module: 'VARCHAR', parts: 'JSON', sources: 'JSON', contract: 'JSON',
    rule: 'VARCHAR', notebook: 'VARCHAR', cell: 'VARCHAR', count: 'INTEGER', code: 'VARCHAR',
    older: 'VARCHAR[]', undone: 'BOOLEAN', text: 'VARCHAR', pipes: 'JSON', configs: 'VARCHAR[]',
    ids: 'BIGINT[]', note: 'VARCHAR', tag: 'VARCHAR', cause: 'BIGINT', changed: 'BIGINT',
    host: 'VARCHAR', pid: 'INTEGER', python: 'VARCHAR',
    environment: 'UUID', platform: 'VARCHAR', packages: 'JSON', conda: 'VARCHAR', conda_packages: 'JSON', objects: 'VARCHAR[]', why: 'VARCHAR', "commit": 'VARCHAR', dirty: 'BOOLEAN'
});
