"""How is an answer written in a terminal: as a table that fits its width, as JSON, as CSV, or as text?"""

from __future__ import annotations

import csv
import dataclasses
import datetime
import decimal
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from rms_jupyter.commands.parser import in_terminal
from rms_jupyter.errors import UsageError
from rms_jupyter.fingerprint.remembered import library_of
from rms_jupyter.harmless import for_console, harmless, one_line, readable
from rms_jupyter.session.front_end import ScriptFrontEnd
from rms_jupyter.views.lineage import Lineage
from rms_jupyter.views.logs import Logs
from rms_jupyter.views.results import Facts, Report, Results
from rms_jupyter.views.show import Shown
from rms_jupyter.views.why import Comparison, Why
from rms_jupyter.working_folder import working_folder

_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # What a terminal might obey.
_UNLIMITED = 100_000
_NARROW, _GAP = 12, 2


class Terminal(ScriptFrontEnd):
    """Lets sessions talk in a terminal.

    Parameters
    ----------
    tell : callable
        Shows a line.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def say(self, message: str) -> None:
        """Show a line."""
        self._tell(message)

    announce = say


class Rows(NamedTuple):
    """A table."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


def write(answer: Any) -> None:
    """Write an answer for a person to read."""
    if answer is None:
        return
    if isinstance(answer, str):  # An export, too, which goes into a file as it is.
        print(readable(answer) if sys.stdout.isatty() else answer)
    elif isinstance(answer, Results) or _is_relation(answer):
        for line in (answer.headline, *answer.notes) if isinstance(answer, Report) else ():
            _say(in_terminal(line))
        if not isinstance(answer, Report) or answer:
            _write_table(rows_of(answer), is_exact=isinstance(answer, Facts) or not isinstance(answer, Results))
    else:
        _say(str(answer))


def write_json(answer: Any) -> None:
    """Write an answer as JSON: a table as a list of objects."""
    text = json.dumps(_plain(_data_of(answer)), ensure_ascii=False, indent=2, allow_nan=False)
    print(_UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def write_csv(answer: Any) -> None:
    """Write a table as CSV.

    Raises
    ------
    UsageError
        If the answer is no table.
    """
    if not _is_table(answer):
        raise UsageError("this is not a table", hint="leave out --csv, or write --json")
    table = rows_of(answer)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(["" if cell is None else _in_csv(cell) for cell in row] for row in table.rows)


def rows_of(answer: Any) -> Rows:
    """Return the rows of a search, a report or an answer in SQL."""
    if _is_relation(answer):
        return Rows(list(answer.columns), answer.fetchall())
    if _is_frame(answer):
        return Rows([str(name) for name in answer], list(answer.itertuples(index=False, name=None)))
    rows = answer.rows()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return Rows(columns, [tuple(row.get(name) for name in columns) for row in rows])


def _say(text: str) -> None:
    """Write text, which may have colours, where there is a terminal."""
    print(readable(text) if sys.stdout.isatty() else harmless(text))


def _is_relation(answer: Any) -> bool:
    return hasattr(answer, "fetchall") and hasattr(answer, "columns")


def _is_frame(answer: Any) -> bool:
    return library_of(answer) == "pandas" and hasattr(answer, "itertuples")


def _is_table(answer: Any) -> bool:
    return isinstance(answer, Results) or _is_relation(answer) or _is_frame(answer)


def _data_of(answer: Any) -> Any:
    if isinstance(answer, Facts):
        return answer.facts
    if isinstance(answer, Report):
        told = {"headline": answer.headline, "notes": answer.notes, "is_sound": answer.is_sound}
        return told | {"rows": answer.rows()}
    if _is_table(answer):
        table = rows_of(answer)
        return [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    if isinstance(answer, Lineage):
        edges = [{"src": start, "dst": end, "role": role} for start, end, role in answer.edges]
        return {"nodes": [dataclasses.asdict(node) for node in answer.nodes], "edges": edges}
    if isinstance(answer, Why):
        account, again = answer.account, answer.again
        return {
            "call": account.call,
            "id": account.ident,
            "reason": account.reason,
            "causes": answer.causes,
            "seconds": account.seconds,
            "earlier": account.earlier or None,
            "differences": answer.rows(),
            "diff": answer.diff,
            "again": again and (again.reason or "hit"),
        }
    if isinstance(answer, Comparison):
        return {"causes": answer.causes, "differences": answer.rows(), "diff": answer.diff}
    if isinstance(answer, Shown):
        return {name: getattr(answer, name) for name in ("title", "facts", "inputs", "outputs", "texts", "packages")}
    if isinstance(answer, Logs):
        return [log._asdict() for log in answer.entries]
    return answer


def _plain(value: Any) -> Any:
    """Return what JSON can say of a value; numbers stay exact, and what is no number is null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray)):
        return [_plain(item) for item in value]
    return str(value)


def _in_csv(value: Any) -> Any:
    text = json.dumps(_plain(value), ensure_ascii=False) if isinstance(value, (Mapping, list)) else value
    return readable(text) if isinstance(text, str) and sys.stdout.isatty() else text


def _write_table(table: Rows, is_exact: bool) -> None:
    """Write a table in the width that there is; in a pipe, each row is a line."""
    from rich.console import Console

    if not table.rows:
        print("(none)")
        return
    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit() else _UNLIMITED
    console = Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)
    with console.capture() as written:
        console.print(_laid_out(table, is_exact, console.width))
    print("\n".join(line.rstrip() for line in written.get().splitlines()))


def _laid_out(table: Rows, is_exact: bool, width: int) -> Any:
    """Lay a table out; where its columns have no room side by side, each row is a block of lines."""
    from rich.table import Table
    from rich.text import Text

    cells = [[_cell(value, is_exact) for value in row] for row in table.rows]
    names = [one_line(name) for name in table.columns]
    longest = [max(len(line[place]) for line in [names, *cells]) for place in range(len(names))]
    numbers = [all(_is_number(row[place]) for row in table.rows) for place in range(len(names))]
    least = [n if is_number else min(n, _NARROW) for n, is_number in zip(longest, numbers, strict=True)]
    if sum(least) + _GAP * len(least) > width:
        shown = Table(box=None, pad_edge=False, show_header=False)
        for row in cells:
            for name, cell in zip(names, row, strict=True):
                shown.add_row(Text(name, style="bold"), Text(cell, overflow="fold"))
            shown.add_row("", "")
        return shown
    shown = Table(box=None, pad_edge=False, show_header=any(name.strip() for name in names))
    for place, name in enumerate(names):
        side: Any = "right" if numbers[place] else "left"
        shown.add_column(Text(name, style="bold"), justify=side, overflow="fold", min_width=least[place])
    for row in cells:
        shown.add_row(*map(Text, row))
    return shown


def _cell(value: Any, is_exact: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and not is_exact:
        value = f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    elif isinstance(value, datetime.datetime) and not is_exact:
        value = f"{value:%Y-%m-%d %H:%M:%S}"
    return for_console(one_line(str(value).removeprefix(f"{working_folder()}{os.sep}")))


def _is_number(value: Any) -> bool:
    return value is None or isinstance(value, (int, float, decimal.Decimal))
