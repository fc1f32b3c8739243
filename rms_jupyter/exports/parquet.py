"""How is the graph given to other tools?  Each view that SQL may ask, as a Parquet file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rms_jupyter.exports.scope import Scope

if TYPE_CHECKING:
    import duckdb

# Which column of a view must name something that is exported; all rows of others belong to it.
_OF_NODES = {
    "tasks": "id",
    "resources": "id",
    "files": "id",
    "figures": "id",
    "params": "task_id",
    "reasons": "task_id",
    "logs": "task_id",
    "differences": "task_id",
    "marks": "id",
}
_RUNS = "SELECT run_id FROM tasks WHERE id IN (FROM exported)"
_OTHERS = {
    "edges": "src IN (FROM exported) AND dst IN (FROM exported)",
    "pipes": "version IN (SELECT version FROM tasks WHERE id IN (FROM exported))",
    "runs": f"id IN ({_RUNS})",
    "environments": f"environment IN (SELECT environment FROM runs WHERE id IN ({_RUNS}))",
}


def write_tables(scope: Scope, folder: Path) -> None:
    """Write the tables into a folder."""
    conditions = {view: f"{column} IN (FROM exported)" for view, column in _OF_NODES.items()} | _OTHERS
    ids = None if scope.ident is None else list(scope.graph.nodes)

    def copy(engine: duckdb.DuckDBPyConnection, staging: str) -> None:
        engine.execute("CREATE OR REPLACE TEMP TABLE exported AS SELECT unnest(?::BIGINT[]) AS id", [ids or []])
        for view, condition in conditions.items():
            where = "" if ids is None else f"WHERE {condition}"
            target = f"{staging}/{view}.parquet".replace("'", "''")
            engine.execute(f"COPY (SELECT * FROM rms.{view} {where}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
        engine.execute("DROP TABLE exported")

    with tempfile.TemporaryDirectory(prefix="export-", dir=scope.store.layout.staging) as staging:
        scope.store.use(lambda engine: copy(engine, staging))
        for file in Path(staging).iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
