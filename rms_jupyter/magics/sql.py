"""``%rms sql [NAME <<] SELECT ...`` and ``%%rms sql [NAME <<] [--as KIND]``: ask the provenance in SQL."""

from __future__ import annotations

import re
import weakref
from collections.abc import Mapping
from typing import Any

from rms_jupyter import opening
from rms_jupyter.errors import RmsError
from rms_jupyter.handles.resource import Resource
from rms_jupyter.magics.commands import Parser
from rms_jupyter.magics.magic import RMSMagics

_TARGET = re.compile(r"\s*([A-Za-z_]\w*)\s*<<\s*")
_AS = re.compile(r"\s*--as(?:\s+|=)(\w+)\s*")
_KINDS = ("pandas", "polars", "arrow", "duckdb")
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_EXACT = 2**53  # Below this a float holds every integer.
FRAMES = {"DataFrame", "LazyFrame", "Series", "Table", "RecordBatch", "DuckDBPyRelation"}


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms sql")
    parser.add_argument("--as", choices=_KINDS)
    return parser


def line(magics: RMSMagics, rest: str) -> Any:
    """Ask; with a name before ``<<`` the answer goes there and nothing is shown."""
    return _ask(magics, rest)


def cell(magics: RMSMagics, rest: str, body: str) -> Any:
    """Ask what the cell says."""
    return _ask(magics, f"{rest} {body}")


def _ask(magics: RMSMagics, text: str) -> Any:
    kind, target = magics.sql_as, ""
    while True:
        if found := _TARGET.match(text):
            target = found[1]
        elif found := _AS.match(text):
            kind = found[1]
        else:
            break
        text = text[found.end() :]
    if kind not in _KINDS:
        raise RmsError(f"%rms sql: --as {kind}", hint=f"choose from {', '.join(_KINDS)}")
    if not text.strip():
        raise RmsError("%rms sql: the query is missing", hint="for example: %rms sql SELECT * FROM tasks LIMIT 5")
    namespace = magics.namespace
    relation = opening.current().sql(text, parameters_in(text, namespace), frames_in(text, namespace))
    answer = _as(relation, kind)
    if target:
        namespace[target] = answer
        return None
    return answer


def parameters_in(query: str, namespace: Mapping[str, Any]) -> dict[str, Any] | None:
    """Bind ``$name`` to the notebook's variables.

    Raises
    ------
    RmsError
        If there is no such variable.
    """
    names = set(re.findall(r"\$([A-Za-z_]\w*)", _QUOTED.sub("", query)))
    for name in names:
        if name not in namespace:
            raise RmsError(f"SQL: there is no variable {name} for ${name}", hint="define it first")
    return {name: _plain(namespace[name]) for name in names} or None


def frames_in(query: str, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Find the notebook's data frames that a query names."""
    words = set(re.findall(r"[A-Za-z_]\w*", _QUOTED.sub("", query)))
    found = {name: _plain(namespace[name]) for name in words if name in namespace}
    return {name: value for name, value in found.items() if type(value).__name__ in FRAMES}


def _plain(value: Any) -> Any:
    return value._rms_value() if isinstance(value, Resource) else value


def _as(relation: Any, kind: str) -> Any:
    if kind == "duckdb":
        return relation
    try:
        return {"pandas": lambda: _frame(relation), "polars": relation.pl, "arrow": relation.to_arrow_table}[kind]()
    except ImportError as missing:
        if kind == "pandas":
            return relation
        raise RmsError(f"%rms sql --as {kind}: {missing}", hint=f"pip install {missing.name}") from None


def _frame(relation: Any) -> Any:
    """Make a data frame: sums of integers are integers, and NULL is shown as nothing in a notebook."""
    frame = relation.df()
    for place, kind in enumerate(relation.types):
        column = frame.iloc[:, place]
        if str(kind) == "HUGEINT" and not (column.abs() >= _EXACT).any():
            frame.isetitem(place, column.astype("Int64" if column.hasnans else "int64"))
    itself = weakref.ref(frame)
    object.__setattr__(frame, "_repr_html_", lambda: _html(itself()))  # What is made from it is shown as any other.
    return frame


def _html(frame: Any) -> str | None:
    shown = frame.copy(deep=False)
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        missing = column.isna()
        if missing.any():
            shown.isetitem(place, column.astype(object).mask(missing, ""))
    html: str | None = shown._repr_html_()
    return html
