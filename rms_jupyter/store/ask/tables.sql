-- What the journals say, as tables. Facts are written once; a change of status is a row of status_log.
-- An id is the place of its record (writer << 32 | offset); no keys or indexes: ids grow with time, so that zone maps serve.
CREATE SCHEMA IF NOT EXISTS raw;

CREATE TABLE raw.tasks (
    id BIGINT, key UUID, k BIGINT, site BIGINT, pipe BIGINT, run BIGINT,
    args JSON, globals JSON, seconds FLOAT, started TIMESTAMP, status VARCHAR,
    error_type VARCHAR, error VARCHAR, traceback VARCHAR, reason VARCHAR, earlier BIGINT, printed VARCHAR, shown VARCHAR, cached BOOLEAN,
    cpu FLOAT, memory BIGINT
);
CREATE TABLE raw.placed_resources (
    id BIGINT, task BIGINT, slot INTEGER, kind VARCHAR, type VARCHAR, path VARCHAR,
    digest UUID, size BIGINT, format VARCHAR, preview VARCHAR, k BIGINT, items JSON
);
CREATE TABLE raw.links (child BIGINT, parent BIGINT, role VARCHAR);
CREATE TABLE raw.pipes (
    id BIGINT, name VARCHAR, version VARCHAR, module VARCHAR, parts JSON, sources JSON, contract JSON, k BIGINT
);
CREATE TABLE raw.runs (
    id BIGINT, kind VARCHAR, notebook VARCHAR, cell VARCHAR, count INTEGER, code VARCHAR, started TIMESTAMP, environment UUID, k BIGINT, rule VARCHAR
);
CREATE TABLE raw.environments (
    digest UUID, python VARCHAR, platform VARCHAR, packages JSON, conda VARCHAR, conda_packages JSON
);
CREATE TABLE raw.checkouts (run BIGINT, "commit" VARCHAR, dirty BOOLEAN);
CREATE TABLE raw.writers (
    id BIGINT, host VARCHAR, pid INTEGER, python VARCHAR, version VARCHAR, notebook VARCHAR, started TIMESTAMP
);
CREATE TABLE raw.status_log (id BIGINT, k BIGINT, status VARCHAR, note VARCHAR, tag VARCHAR, cause BIGINT, changed TIMESTAMP);
CREATE TABLE raw.evictions (object VARCHAR, why VARCHAR, changed TIMESTAMP, k BIGINT);
CREATE TABLE raw.templates (id BIGINT, name VARCHAR, text VARCHAR, changed TIMESTAMP, k BIGINT);
CREATE TABLE raw.flows (id BIGINT, name VARCHAR, text VARCHAR, pipes JSON, changed TIMESTAMP, k BIGINT);
CREATE TABLE raw.tracked (id BIGINT, path VARCHAR, pipe VARCHAR, configs VARCHAR[], changed TIMESTAMP, k BIGINT);
CREATE TABLE raw.accepts (id BIGINT, pipe VARCHAR, version VARCHAR, older VARCHAR[], undone BOOLEAN, changed TIMESTAMP, k BIGINT);
CREATE TABLE raw.obsolete (id BIGINT);
CREATE TABLE raw.ingested (journal INTEGER, "offset" BIGINT, finished BOOLEAN, identity VARCHAR);
CREATE TABLE raw.rejected (journal INTEGER, "offset" BIGINT, size BIGINT, reason VARCHAR);
