"""How is the provenance asked in SQL, and in which form does the answer come?"""

from __future__ import annotations

import argparse
import re
import weakref
from collections.abc import Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.errors import RmsError

if TYPE_CHECKING:
    from rms_jupyter.session import Session

_TARGET = re.compile(r"\s*([A-Za-z_]\w*)\s*<<\s*")
_AS = re.compile(r"\s*--as(?:\s+|=)(\w+)\s*")
_MOST_ROWS = 500
_BOX = 'class="rms-answer" style="max-height:26em;overflow:auto" data-lm-suppress-shortcuts="true"'
_HEAD = '<th tabindex="0">'
_KINDS = ("pandas", "polars", "arrow", "duckdb")


class SqlParser(Parser):
    """Reads options, and takes what follows them as it is typed."""

    def asks_for_help(self, line: str | Sequence[str]) -> bool:
        """Whether help is asked for: SQL may hold any word."""
        return super().asks_for_help(line.split()[:1] if isinstance(line, str) else line)

    def read_line(self, line: str, namespace: Mapping[str, Any]) -> argparse.Namespace:
        """Read what follows the verb: no word of a query is an option."""
        options = argparse.Namespace(sql_as=self.get_default("sql_as"), target=None)
        while True:
            if found := _TARGET.match(line):
                options.target = found[1]
            elif found := _AS.match(line):
                options.sql_as = found[1]
            else:
                break
            line = line[found.end() :]
        if options.sql_as not in _KINDS:
            self.error(f"--as {options.sql_as}: choose from {', '.join(_KINDS)}")
        options.query = line
        if not line.strip():
            self.error("the query is missing")
        return options


def parser() -> Parser:
    """Return how it is typed."""
    parser = SqlParser(
        "sql",
        "Ask the provenance in SQL. In a notebook $name is a variable, and data frames are tables.",
        example='"SELECT pipe, count(*) FROM tasks GROUP BY pipe"',
        signs=("%rms", "%%rms", "rms"),
    )
    parser.takes(
        "--as",
        dest="sql_as",
        choices=_KINDS,
        default="pandas",
        only_in_notebooks=True,
        help="what the answer is; pandas, or what %%config RMSMagics.sql_as says",
    )
    parser.takes("target", nargs="?", metavar="NAME <<", only_in_notebooks=True, help="a variable for the answer")
    parser.takes(
        "query", metavar="SELECT...", help="one SELECT over tasks, files, resources, params, edges, pipes, ..."
    )
    return parser


def command(session: Session, options: argparse.Namespace, namespace: MutableMapping[str, Any]) -> Any:
    """Ask; with a name before ``<<`` the answer goes there, and nothing is shown."""
    relation = session.sql(options.query, namespace, frames_in(options.query, namespace))
    answer = _as(relation, options.sql_as)
    if options.target:
        namespace[options.target] = answer
        return None
    return answer


def frames_in(query: str, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Find the notebook's data frames that a query may name: by their spelling, or else as SQL reads it."""
    from rms_jupyter.session.asking import plain
    from rms_jupyter.store.ask.frames import is_frame

    words = set(re.findall(r"\w+", query))
    lowered = {word.lower() for word in words}
    named = {name: plain(value) for name, value in namespace.items() if name.lower() in lowered}
    frames = {name: value for name, value in named.items() if is_frame(value)}
    spelled = {name.lower() for name in frames if name in words}
    return {name: value for name, value in frames.items() if name in words or name.lower() not in spelled}


def _as(relation: Any, kind: str) -> Any:
    from rms_jupyter.store.ask.answers import to_arrow, to_polars

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
    from rms_jupyter.store.ask.answers import to_pandas

    frame = to_pandas(relation)
    itself = weakref.ref(frame)
    object.__setattr__(frame, "_repr_html_", lambda: _html(itself()))  # What is made from it is shown as any other.
    return frame


def _html(frame: Any) -> str | None:
    """Show more rows than frames do, in a box that scrolls; JupyterLab's extension sorts them by a column."""
    import pandas as pd

    shown = frame.copy(deep=False)
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        missing = column.isna()
        if missing.any():
            shown.isetitem(place, column.astype(object).mask(missing, ""))
    limit = max(pd.get_option("display.max_rows") or 0, _MOST_ROWS)
    with pd.option_context("display.max_rows", limit, "display.min_rows", limit):
        html: str | None = shown._repr_html_()
    if html is None:
        return None
    head, end, body = html.partition("</thead>")
    return f"<div {_BOX}>{head.replace('<th></th>', '<td></td>').replace('<th>', _HEAD)}{end}{body}</div>"
