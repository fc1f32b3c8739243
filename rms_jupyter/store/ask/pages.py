"""How does one look through a long table, a page at a time?

The ids of what fits are put in order once, as a table of DuckDB's memory; a page is a span of its rows. So the middle
of a million rows comes as fast as their beginning. An order is made anew once something was ingested since.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from rms_jupyter.store.ask.database import sql_text

if TYPE_CHECKING:
    import duckdb

_KEPT = 4
_STATUS = "LEFT JOIN rms.raw.latest_status s ON s.id = t.id"
_MAKER = "LEFT JOIN rms.raw.tasks m ON m.id = t.task LEFT JOIN rms.raw.pipes p ON p.id = m.pipe"
_TASKS = {
    "when": ("", "t.k"),
    "pipe": ("LEFT JOIN rms.raw.pipes p ON p.id = t.pipe", "p.name"),
    "status": (_STATUS, "coalesce(s.status, t.status)"),
    "seconds": ("", "t.seconds"),
}
SORTS: dict[str, dict[str, tuple[str, str]]] = {
    "tasks": _TASKS,
    "failures": _TASKS,
    "files": {
        "when": ("", "t.k"),
        "path": ("", "t.path"),
        "pipe": (_MAKER, "p.name"),
        "status": (_STATUS, "coalesce(s.status, 'current')"),
        "size": ("", "t.size"),
    },
    "runs": {name: ("", f"t.{name}") for name in ("notebook", "tasks", "failed", "seconds")}
    | {"when": ("", "t.started_at")},
    "figures": {"when": ("", "m.k")},
}
_TASK = ("id", "pipe", "args", "status", "seconds", "when", "result", "error", "reason", "notebook", "cell", "made")
COLUMNS = {
    "tasks": _TASK,
    "failures": _TASK,
    "files": ("id", "path", "pipe", "args", "status", "size", "when", "digest", "task"),
    "runs": ("id", "kind", "notebook", "cell", "when", "tasks", "failed", "seconds", "code"),
    "figures": ("id", "path", "type", "pipe", "args", "status", "when", "task"),
}


@dataclass(frozen=True)
class PageQuery:
    """What one looks at.

    Attributes
    ----------
    table : str
        One of `SORTS`.
    words : tuple of str
        Each must occur in an id, name, path, note, argument or error.
    sort : str
        A column that the table can be sorted by.
    descending : bool
    run : int
        Of tasks and failures: those of this run only; 0 for all.
    ids : tuple of int, optional
        Only those.
    """

    table: str
    words: tuple[str, ...] = ()
    sort: str = "when"
    descending: bool = True
    run: int = 0
    ids: tuple[int, ...] | None = None


@dataclass(frozen=True)
class PageRows:
    """Rows as dicts, how many there are that fit, and how many without the words."""

    rows: list[dict[str, Any]]
    count: int
    total: int


@dataclass(frozen=True)
class _Order:
    engine: duckdb.DuckDBPyConnection
    stamp: tuple[Any, ...]
    table: str
    count: int


class Pages:
    """The orders that were asked for last."""

    def __init__(self) -> None:
        self._orders: OrderedDict[PageQuery, _Order] = OrderedDict()
        self._made = 0

    def page(self, engine: duckdb.DuckDBPyConnection, look: PageQuery, offset: int, limit: int) -> PageRows:
        """Read a page.

        Parameters
        ----------
        engine : DuckDBPyConnection
            With the database attached.
        look : Look
        offset, limit : int
            The first row, and how many.
        """
        stamp = _one(engine, 'SELECT count(*), sum("offset") FROM rms.raw.ingested')
        order = self._order(engine, look, stamp)
        total = (
            self._order(engine, PageQuery(look.table, run=look.run), stamp).count
            if look.words or look.ids is not None
            else order.count
        )
        query = _part(look.table, "rows").format(ids=order.table)
        rows = engine.execute(query, {"first": offset, "last": offset + limit - 1}).fetchall()
        return PageRows([dict(zip(COLUMNS[look.table], row, strict=True)) for row in rows], order.count, total)

    def _order(self, engine: duckdb.DuckDBPyConnection, look: PageQuery, stamp: tuple[Any, ...]) -> _Order:
        order = self._orders.get(look)
        if order is None or order.engine is not engine or order.stamp != stamp:
            self._made += 1
            table = f"memory.main.rms_page_{self._made}"
            query, parameters = compile_look(look)
            (count,) = _one(engine, f"CREATE TABLE {table} AS {query}", parameters)
            self._drop(engine, look)
            order = self._orders[look] = _Order(engine, stamp, table, count)
            while len(self._orders) > _KEPT:
                self._drop(engine, next(iter(self._orders)))
        self._orders.move_to_end(look)
        return order

    def _drop(self, engine: duckdb.DuckDBPyConnection, look: PageQuery) -> None:
        order = self._orders.pop(look, None)
        if order is not None and order.engine is engine:
            engine.execute(f"DROP TABLE {order.table}")


def compile_look(look: PageQuery) -> tuple[str, dict[str, Any]]:
    """Turn what one looks at into the query of its ids, in order, and the query's parameters.

    Examples
    --------
    >>> compile_look(PageQuery("runs", ("x' OR",), "tasks"))[1]
    {'w0': "x' or"}
    """
    join, by = SORTS[look.table][look.sort]
    way = "DESC" if look.descending else "ASC"
    parameters: dict[str, Any] = {f"w{n}": word.lower() for n, word in enumerate(look.words)}
    words = " ".join(f"AND ({_part(look.table, 'words').format(word=f'${name}')})" for name in parameters)
    if look.ids is not None:
        words += " AND t.id IN (SELECT unnest($ids::BIGINT[]))"
        parameters["ids"] = list(look.ids)
    if look.table in ("tasks", "failures"):
        parameters["run"] = look.run
    query = _part(look.table, "order").format(join=join, words=words, by=f"{by} {way} NULLS LAST", way=way)
    return query, parameters


@cache
def _part(table: str, name: str) -> str:
    """Give a part of a table's SQL; words and rows of failures are those of tasks."""
    parts = dict(re.findall(r"(?ms)^-- (\w+)\n(.*?)(?=^-- \w+\n|\Z)", sql_text(f"queries/pages/{table}.sql")))
    return parts[name] if name in parts else _part("tasks", name)


def _one(engine: duckdb.DuckDBPyConnection, query: str, parameters: Any = None) -> tuple[Any, ...]:
    row = engine.execute(query, parameters).fetchone()
    assert row is not None
    return row
