"""What came of calls, as a table: parameters and results as columns, typed, sorted and filtered in the database.

The names of the columns are in the records, so it takes three looks: which names there are, which kinds of values they
have, and then the table. Of calls of one pipe, what varies among the parameters of the calls before them are columns,
too, where there are not too many of those.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from rms_jupyter.errors import RmsError
from rms_jupyter.naming import column_name
from rms_jupyter.odd_text import escaped
from rms_jupyter.search import Condition
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.ask.find import made_from_clause, own_clause

if TYPE_CHECKING:
    import duckdb

    from rms_jupyter.store.store import Store

_FIXED = ("pipe", "value", "status", "seconds", "id")
_WHOLE = {"UBIGINT", "BIGINT", "int"} | {f"numpy.{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
_REAL = {"DOUBLE", "float"} | {f"numpy.float{bits}" for bits in (16, 32, 64)}
_TRUTH = {"BOOLEAN", "bool", "numpy.bool", "numpy.bool_"}
_NESTED = {"OBJECT", "ARRAY"}
_KIND = """CASE WHEN part IN ('"inf"', '"-inf"') THEN 'DOUBLE' ELSE json_type(part) END"""
_MOST_DIGITS = 38  # Of 128 bits.
_MOST_TRACED, _MOST_BEFORE = 5_000, 200_000


@dataclass(frozen=True)
class Wanted:
    """Which results are looked for.

    Attributes
    ----------
    words : tuple of str
        Each must occur in an id, name, note, tag, argument, or in a path or preview of what was made.
    own : Condition or None
        About the call itself.
    made_from : Condition or None
        About what it was made from.
    status : {"", "current", "outdated"}
    sort : str
        A column; the latest first if there is none.
    descending : bool
    """

    words: tuple[str, ...] = ()
    own: Condition | None = None
    made_from: Condition | None = None
    status: Literal["", "current", "outdated"] = ""
    sort: str = ""
    descending: bool = False


def results(
    store: Store, wanted: Wanted, outdated: Collection[str], edited: Collection[int] = ()
) -> tuple[list[str], duckdb.DuckDBPyRelation]:
    """Find results.

    Parameters
    ----------
    store : Store
    wanted : Wanted
    outdated : collection of str
        Code versions whose results do not count for the code as it is now.
    edited : collection of int
        Files that have other content now: what was made from them is outdated.

    Returns
    -------
    (list of str, DuckDBPyRelation)
        The names of the columns, and the rows.

    Raises
    ------
    RmsError
        If there is no such column to sort by.
    """
    return store.use(lambda engine: _tabulated(engine.cursor(), wanted, outdated, edited))


def _tabulated(
    asker: duckdb.DuckDBPyConnection, wanted: Wanted, outdated: Collection[str], edited: Collection[int]
) -> tuple[list[str], duckdb.DuckDBPyRelation]:
    asker.execute("USE rms")
    try:
        asker.execute(*_found(wanted, outdated, edited))
        args, globals_, items = (_scalars(asker, place) for place in ("args", "globals", "items"))
        traced = _traced(asker)
        columns = {"pipe": "pipe"}
        for scalars, of in ((args, "args"), (globals_, "args")):
            columns |= _columns(scalars, of, columns)
        columns |= {column_name(name, "args", {*columns, *_FIXED}): _cast(f"t{n}", kinds) for n, name, kinds in traced}
        columns |= _columns(items, "value", columns)
        if not items.found or _is_any_without_items(asker):
            columns |= {"value": _cast("value", _kinds_of_values(asker))}
        columns |= {name: name for name in ("status", "seconds", "id")}
        selected = ", ".join(f"{sql} AS c{place}" for place, sql in enumerate(columns.values()))
        spread = ", ".join(f"any_value(text) FILTER (place = {place}) AS t{place}" for place, *_ in traced)
        query = f"""SELECT {selected} FROM (
            SELECT * REPLACE ({args.texts} AS args, {globals_.texts} AS globals, {items.texts} AS items) FROM found
        ) {f"LEFT JOIN (SELECT task, {spread} FROM traced GROUP BY task) ON task = id" * bool(traced)}
        {_order(wanted, list(columns))}"""
        rows = asker.sql(query, params=[*args.paths, *globals_.paths, *items.paths]).materialize()
        return _without_placeholders(list(columns), rows)
    finally:
        for table in ("found", "before", "traced"):
            asker.execute(f"DROP TABLE IF EXISTS temp.{table}")
        asker.execute("USE memory")


class _Scalars(NamedTuple):
    """Arguments, globals or items of results: how their texts are read, and which are scalars, of which kinds."""

    place: str
    texts: str
    paths: list[list[str]]
    found: list[tuple[int, str, set[str]]]


def _found(wanted: Wanted, outdated: Collection[str], edited: Collection[int]) -> tuple[str, list[Any]]:
    """Return the statement that makes a table of the calls that fit, and its parameters."""
    parameters: list[Any] = [list(edited), list(outdated)]
    clauses = ["true"]
    for word in wanted.words:
        clauses.append(
            "(contains(text, lower(?)) OR id IN (SELECT task FROM described WHERE contains(text, lower(?))))"
        )
        parameters += [word, word]
    if wanted.status:
        clauses.append("status = ?")
        parameters.append(wanted.status)
    if wanted.own is not None:
        clauses.append(own_clause(wanted.own, parameters, ("args", "globals", "items")))
    if wanted.made_from is not None:
        clauses.append(made_from_clause(wanted.made_from, parameters))
    return sql_text("queries/results.sql").replace("{conditions}", " AND ".join(clauses)), escaped(parameters)


def _scalars(asker: duckdb.DuckDBPyConnection, place: Literal["args", "globals", "items"]) -> _Scalars:
    """Look which arguments, globals or items there are, and which of them are scalars somewhere."""
    keys = f"SELECT DISTINCT unnest(keys) FROM (SELECT DISTINCT json_keys({place}) AS keys FROM found) ORDER BY 1"
    names = [name for (name,) in asker.execute(keys).fetchall() if name]  # No path leads to what has no name.
    if not names:
        return _Scalars(place, "NULL", [], [])
    paths = ["$." + json.dumps(name, ensure_ascii=False) for name in names]
    query = f"SELECT DISTINCT list_transform(json_extract({place}, ?), lambda part: {_KIND}) FROM found"
    found = asker.execute(query, [paths]).fetchall()
    kinds = [{row[n] for (row,) in found if row} - {None, "NULL"} for n in range(len(names))]
    columns = zip(range(1, len(names) + 1), names, kinds, strict=True)
    scalars = [column for column in columns if column[2] - _NESTED]
    return _Scalars(place, f"json_extract_string({place}, ?)", [paths], scalars)


def _columns(scalars: _Scalars, of: str, taken: Collection[str]) -> dict[str, str]:
    """Give the columns of scalars: by their names, those that are free, how each is computed."""
    return {
        column_name(name, of, {*taken, *_FIXED}): _cast(f"{scalars.place}[{n}]", kinds)
        for n, name, kinds in scalars.found
    }


def _is_any_without_items(asker: duckdb.DuckDBPyConnection) -> bool:
    """Tell whether something was found whose value is not all in columns."""
    [(is_any,)] = asker.execute("SELECT bool_or(items IS NULL AND value IS NOT NULL) FROM found").fetchall()
    return bool(is_any)


def _traced(asker: duckdb.DuckDBPyConnection) -> list[tuple[int, str, set[str]]]:
    """Give the place, name and kinds of the parameters that vary among the calls that those found were made from."""
    [(count, pipes)] = asker.execute("SELECT count(*), count(DISTINCT pipe) FROM found").fetchall()
    if pipes != 1 or count > _MOST_TRACED:
        return []
    asker.execute("CREATE OR REPLACE TEMP TABLE before AS SELECT id AS task, id, 0 AS step FROM found")
    step, added, total = 0, count, count
    while added and total <= _MOST_BEFORE:
        step += 1
        [(added,)] = asker.execute(sql_text("queries/traced_step.sql"), {"step": step}).fetchall()
        total += added
    if added:
        return []
    asker.execute(sql_text("queries/traced_params.sql"))
    query = "SELECT place, name, list(DISTINCT kind) FROM traced GROUP BY ALL ORDER BY place"
    return [(place, name, set(kinds)) for place, name, kinds in asker.execute(query).fetchall()]


def _kinds_of_values(asker: duckdb.DuckDBPyConnection) -> set[str]:
    query = "SELECT type, max(length(value)) FROM found WHERE value IS NOT NULL GROUP BY type"
    return {
        "str" if kind == "int" and digits > _MOST_DIGITS else kind for kind, digits in asker.execute(query).fetchall()
    }


def _cast(text: str, kinds: set[str]) -> str:
    """Return an expression that makes text what it stands for, where all kinds of it fit into one column; no lists."""
    for fitting, kind in ((_WHOLE, "HUGEINT"), (_WHOLE | _REAL, "DOUBLE"), (_TRUTH, "BOOLEAN")):
        if kinds and kinds <= fitting:
            return f"try_cast({text} AS {kind})"
    return f"CASE WHEN left({text}, 1) NOT IN ('[', '{{') THEN {text} END" if kinds & _NESTED else text


def _order(wanted: Wanted, names: list[str]) -> str:
    if not wanted.sort:
        return "ORDER BY k DESC"
    if wanted.sort not in names:
        near = difflib.get_close_matches(wanted.sort, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"
        raise RmsError(f"results have no column {wanted.sort!r}", hint=hint)
    return f"ORDER BY c{names.index(wanted.sort)} {'DESC' if wanted.descending else 'ASC'} NULLS LAST, k DESC"


def _without_placeholders(names: list[str], rows: duckdb.DuckDBPyRelation) -> tuple[list[str], duckdb.DuckDBPyRelation]:
    """Leave out columns that only say what kind of value was given."""
    texts = [n for n, kind in enumerate(rows.types) if str(kind.id) == "varchar" and names[n] not in _FIXED]
    counts = ", ".join(f"count(*) FILTER (#{n + 1} NOT LIKE '<%>')" for n in texts)
    said = dict(zip(texts, rows.aggregate(counts).fetchall()[0], strict=True)) if texts else {}
    kept = [n for n in range(len(names)) if said.get(n, 1)]
    return [names[n] for n in kept], rows.project(", ".join(f"#{n + 1}" for n in kept))
