"""What does a user's SQL read from?  The provenance and data frames only; files are refused before one is opened."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from rms_jupyter.errors import RmsError

if TYPE_CHECKING:
    import duckdb

# Of DuckDB's own functions that give tables those that open nothing and are given no SQL to run.
_HARMLESS = {
    *("generate_series", "histogram", "histogram_values", "json_each", "json_tree", "range", "repeat", "repeat_row"),
    *("summary", "test_all_types", "unnest", "icu_calendar_names", "pg_timezone_names", "pragma_table_info"),
    *("duckdb_columns", "duckdb_functions", "duckdb_keywords", "duckdb_settings", "duckdb_tables", "duckdb_types"),
    *("duckdb_constraints", "duckdb_databases", "duckdb_indexes", "duckdb_schemas", "duckdb_views"),
}
_FILE = re.compile(r"(?i)/|\.(csv|tsv|txt|json|jsonl|ndjson|geojson|parquet|xlsx|db|ddb|duckdb)(\.gz|\.zst)?$")
_NAMED = re.compile(r"""(?is)\b(?:from|join|pivot|unpivot|,)\s*(?:'((?:[^']|'')*)'|"((?:[^"]|"")*)")""")
HINT = (
    "SQL sees the provenance and the notebook's data frames only, no files: read one into a data frame, and name that"
)


def refuse_files(engine: duckdb.DuckDBPyConnection, query: str, frames: Collection[str]) -> None:
    """Refuse a query that reads files.

    Parameters
    ----------
    engine : duckdb.DuckDBPyConnection
        With the database as catalog ``rms``.
    query : str
    frames : collection of str
        Names of data frames that it may name.

    Raises
    ------
    RmsError
    """
    [(text,)] = engine.execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchall()
    tree = json.loads(text)
    sources = set(_as_written(query) if tree["error"] else _in_tree(tree))
    if files := [name for kind, name in sources if kind == "table" and name not in frames and _FILE.search(name)]:
        raise RmsError(f"SQL: {files[0]} is a file", hint=HINT)
    called = {name.lower() for kind, name in sources if kind == "function"} - _HARMLESS
    if odd := called and sorted(called & _of_duckdb(engine)):
        raise RmsError(f"SQL: {odd[0]} is not for queries: it reads files, or runs other SQL", hint=HINT)


def _of_duckdb(engine: duckdb.DuckDBPyConnection) -> set[str]:
    """Name what DuckDB has for tables, without macros: ours, and some that are made of these."""
    query = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'table'"
    return {name for (name,) in engine.execute(query).fetchall()}


def _in_tree(tree: Any) -> Iterator[tuple[str, str]]:
    """List the tables and the functions in the place of tables, as ``("table", name)`` and ``("function", name)``."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if node.get("type") == "TABLE_FUNCTION":
                yield "function", node["function"]["function_name"]
            elif node.get("type") == "BASE_TABLE":
                yield "table", ".".join(filter(None, (node.get("schema_name"), node["table_name"])))
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _as_written(query: str) -> Iterator[tuple[str, str]]:
    """List what a query may read from that DuckDB gives no tree of (PIVOT, EXPLAIN): rather too much."""
    for found in _NAMED.finditer(query):
        yield "table", (found[1] or found[2] or "").replace("''", "'").replace('""', '"')
    for name in re.findall(r'"?(\w+)"?\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*\(', query, re.DOTALL):
        yield "function", name
