"""``%rms sql [NAME <<] SELECT ...`` and ``%%rms sql [NAME <<] [--as KIND]``: ask the provenance in SQL."""

from __future__ import annotations

import re
import weakref
from collections.abc import Mapping
from typing import Any

from rms_jupyter import opening
from rms_jupyter.errors import RmsError
from rms_jupyter.magics.commands import Parser
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.session.asking import plain
from rms_jupyter.store.ask.answers import to_arrow, to_pandas, to_polars
from rms_jupyter.store.ask.frames import is_frame

_TARGET = re.compile(r"\s*([A-Za-z_]\w*)\s*<<\s*")
_AS = re.compile(r"\s*--as(?:\s+|=)(\w+)\s*")
_KINDS = ("pandas", "polars", "arrow", "duckdb")


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
    relation = opening.current().sql(text, namespace, frames_in(text, namespace))
    answer = _as(relation, kind)
    if target:
        namespace[target] = answer
        return None
    return answer


def frames_in(query: str, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Find the notebook's data frames that a query may name: by their spelling, or else as SQL reads it."""
    words = set(re.findall(r"\w+", query))
    lowered = {word.lower() for word in words}
    named = {name: plain(value) for name, value in namespace.items() if name.lower() in lowered}
    frames = {name: value for name, value in named.items() if is_frame(value)}
    spelled = {name.lower() for name in frames if name in words}
    return {name: value for name, value in frames.items() if name in words or name.lower() not in spelled}


def _as(relation: Any, kind: str) -> Any:
    if kind == "duckdb":
        return relation
    try:
        return {"pandas": _frame, "polars": to_polars, "arrow": to_arrow}[kind](relation)
    except RmsError:
        raise
    except ImportError as missing:
        if kind == "pandas":
            return relation
        raise RmsError(f"%rms sql --as {kind}: {missing}", hint=f"pip install {missing.name}") from None
    except Exception as error:  # Of the other library, which has no such type.
        raise RmsError(f"%rms sql --as {kind}: {error}", hint="--as duckdb, or cast the column in SQL") from None


def _frame(relation: Any) -> Any:
    """Make a data frame that shows NULL as nothing in a notebook."""
    frame = to_pandas(relation)
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
