"""How is a search asked in SQL?  Every value travels as a parameter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from rms_jupyter.naming import SCRAMBLED_BY, span_of_short_id
from rms_jupyter.search import And, Condition, Not, Or, Search, Where
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.store import Store

_PARAMETERS = ("args", "globals")
_MADE_BY = (  # Not what it was given, or has read.
    "SELECT l.child FROM raw.pipes p JOIN raw.tasks m ON m.pipe = p.id JOIN raw.links l ON l.parent = m.id "
    "WHERE p.name = ? AND l.role IS NULL"
)
_TASKS, _RESOURCES = "FROM raw.tasks_with(?)", "FROM raw.resources_with(?)"
_WITH_WORD = {"task": _TASKS, "file": _RESOURCES, "any": f"{_TASKS} UNION ALL {_RESOURCES}"}


def compile_search(search: Search) -> tuple[str, list[Any]]:
    """Turn a search into a query and its parameters.

    Returns
    -------
    (str, list)
        The query gives rows of ``(id, kind, k)``, the latest first.
    """
    parameters: list[Any] = []
    clauses = ["(? = 'any' OR kind = ?)"]
    parameters += [search.kind, search.kind]
    for word in search.words:
        clauses.append(f"id IN ({_WITH_WORD[search.kind]})")
        parameters += [word.lower()] * _WITH_WORD[search.kind].count("?")
    if search.status == "failing":
        clauses.append("status IN ('failed', 'timed_out', 'cut_off') AND id IN (FROM raw.failing)")
    elif search.status:
        clauses.append("(? = 'any' OR status = ?)")
        parameters += [search.status, search.status]
    else:
        clauses.append("status NOT IN ('overwritten', 'deleted')")
    if search.own is not None:
        clauses.append(own_clause(search.own, parameters))
    if search.made_from is not None:
        clauses.append(made_from_clause(search.made_from, parameters))
    order = f"ORDER BY k DESC, id DESC LIMIT {int(search.limit)}"
    return f"{sql_text('queries/searchable.sql')} WHERE {' AND '.join(clauses)} {order}", parameters


def compile_condition(condition: str, limit: int, view: str = "nodes") -> str:
    """Turn a condition on the columns of a view into a query that gives rows of ``(id,)``."""
    return f"SELECT id FROM {view} WHERE (\n{condition}\n) ORDER BY id DESC LIMIT {int(limit)}"


def ids_called(store: Store, short: str) -> list[int]:
    """Find the tasks and resources on record that a short id, or the beginning of one, may stand for."""
    first, last = span_of_short_id(short)
    rows = store.fetch(sql_text("queries/short_id.sql"), {"by": SCRAMBLED_BY, "first": first, "last": last})
    return [row[0] for row in rows]


def files_holding(store: Store, digest: str) -> list[int]:
    """Find the files on record with some content: those that calls have made first, of these the latest."""
    query = "SELECT id FROM files WHERE digest = $1 ORDER BY task_id IS NULL, id DESC"
    return [row[0] for row in store.fetch(query, [digest])]


def own_clause(condition: Condition, parameters: list[Any], places: Sequence[str] = _PARAMETERS) -> str:
    """Turn a condition on a row itself into a clause; its values are added to the parameters.

    Parameters
    ----------
    condition : Condition
    parameters : list
    places : sequence of str
        The columns in which parameters are looked for, in this order.
    """
    if isinstance(condition, Where):
        return _where(condition, parameters, places)
    return _combined(condition, parameters, partial(own_clause, places=places))


def made_from_clause(condition: Condition, parameters: list[Any]) -> str:
    """Turn a condition on what a row was made from into a clause; its values are added to the parameters."""
    if isinstance(condition, Where):
        sources = f"SELECT list(id) FROM searchable WHERE {_where(condition, parameters)}"
        return f"id IN (FROM derived_from(({sources})))"
    return _combined(condition, parameters, made_from_clause)


def _combined(condition: Condition, parameters: list[Any], compile_part: Any) -> str:
    if isinstance(condition, Not):
        return f"NOT ({compile_part(condition.part, parameters)})"
    assert isinstance(condition, (And, Or))
    parts = [compile_part(part, parameters) for part in condition.parts]
    return f"({(' AND ' if isinstance(condition, And) else ' OR ').join(parts)})"


def _where(condition: Where, parameters: list[Any], places: Sequence[str] = _PARAMETERS) -> str:
    clauses = []
    if condition.pipe:
        clauses.append(f"pipe = ? AND (kind = 'task' OR id IN ({_MADE_BY}))")
        parameters += [condition.pipe, condition.pipe]
    if condition.id:
        clauses.append("id = ?")
        parameters.append(condition.id)
    if condition.path:
        clauses.append("(path GLOB ? OR path GLOB ?)")
        parameters += [condition.path, f"*/{condition.path}"]
    for name, value in condition.params.items():
        clauses.append(f"coalesce({', '.join(f'json_extract({place}, ?)' for place in places)}) = ?::JSON")
        parameters += [*["$." + json.dumps(name)] * len(places), json.dumps(value, default=str)]
    return f"({' AND '.join(clauses)})" if clauses else "true"
