"""What does a search give?  A list that shows itself as a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rms_jupyter.harmless import fits_console, harmless
from rms_jupyter.naming import literal, short_id
from rms_jupyter.store.ask.answers import to_pandas
from rms_jupyter.views.wording import duration

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")
_MOST_SHOWN = 20
_SHORT = 20
_IDS = {"id", "task", "earlier"}
_CAME_OF_IT = {"value", "status", "seconds", "id"}
_FIGURE = re.compile(r"<Figure size (\d+)x(\d+) with .*>")


class Results(list[T], Generic[T]):
    """A list of handles or rows; in a notebook it shows as a table.

    Parameters
    ----------
    items : iterable
    row : callable
        Gives the table row of an item: a dict of column to cell.
    """

    def __init__(self, items: Iterable[T], row: Callable[[T], dict[str, Any]]) -> None:
        super().__init__(items)
        self._row = row

    def rows(self) -> list[dict[str, Any]]:
        """All rows."""
        return [self._row(item) for item in self]

    def df(self) -> Any:
        """All rows as a pandas data frame."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    @fits_console
    def __repr__(self) -> str:
        return text_table(self._shown(), len(self))

    def _repr_html_(self) -> str:
        return html_table(self._shown(), len(self))

    def _shown(self) -> list[dict[str, Any]]:
        return _as_shown(map(self._row, self[:_MOST_SHOWN]), _IDS)


class Report(Results[dict[str, Any]]):
    """Rows under a headline.

    Attributes
    ----------
    headline : str
    notes : list of str
        What else there is to say, a line each.
    is_sound : bool
        Whether all that was looked at is as it should be.
    """

    def __init__(
        self, headline: str, rows: Iterable[dict[str, Any]], notes: Iterable[str] = (), is_sound: bool = True
    ) -> None:
        super().__init__(rows, lambda row: row)
        self.headline, self.notes, self.is_sound = headline, list(notes), is_sound

    @fits_console
    def __repr__(self) -> str:
        return "\n".join([*map(harmless, (self.headline, *self.notes)), *([super().__repr__()] if self else [])])

    def _repr_html_(self) -> str:
        lines = "".join(f"<div>{escape(line)}</div>" for line in (self.headline, *self.notes))
        return lines + (super()._repr_html_() if self else "")


class Facts(Results[dict[str, Any]]):
    """A few facts, a row each.

    Parameters
    ----------
    shown : dict of str to str
        In words, by their names.
    facts : dict of str to object
        As values.
    """

    def __init__(self, shown: dict[str, str], facts: dict[str, Any]) -> None:
        super().__init__([{"": name, " ": text} for name, text in shown.items()], dict)
        self.facts = facts


class Table:
    """The rows of a relation, read when they are needed; in a notebook it shows as a table.

    Parameters
    ----------
    columns : list of str
    relation : duckdb.DuckDBPyRelation
        Already computed.
    call_name : callable, optional
        Names the call of an id: rows that look alike, or are of several pipes, are shown by it.
    """

    def __init__(
        self,
        columns: list[str],
        relation: duckdb.DuckDBPyRelation,
        call_name: Callable[[int], str] | None = None,
    ) -> None:
        self.columns, self._relation, self._call_name = columns, relation, call_name

    def __len__(self) -> int:
        return int(self._relation.shape[0])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """All rows."""
        return self._rows(self._relation)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows, as a relation gives them."""
        return list(self._relation.fetchall())

    def df(self) -> Any:
        """All rows as a pandas data frame."""
        frame = to_pandas(self._relation)
        frame.columns = self.columns
        return frame

    @fits_console
    def __repr__(self) -> str:
        return text_table(self._shown(), len(self))

    def _repr_html_(self) -> str:
        return html_table(self._shown(), len(self))

    def _shown(self) -> list[dict[str, Any]]:
        rows = self._rows(self._relation.limit(_MOST_SHOWN))
        return _as_shown(_by_call(rows, self._call_name) if self._call_name else rows, {"id"})

    def _rows(self, relation: duckdb.DuckDBPyRelation) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in relation.fetchall()]


def text_table(rows: Sequence[dict[str, Any]], total: int | None = None) -> str:
    """Lay rows out as text.

    Examples
    --------
    >>> print(text_table([{"pipe": "qc", "tasks": 12}]))
    pipe  tasks
    qc       12
    """
    if not rows:
        return "(none)"
    names = list(rows[0])
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    widths = [max(len(name), *(len(line[i]) for line in cells)) for i, name in enumerate(names)]
    right = [all(isinstance(row.get(name), (int, float, type(None))) for row in rows) for name in names]
    lines = [[*names], *cells] if any(name.strip() for name in names) else cells
    text = [
        "  ".join(
            cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    ]
    return "\n".join(text + _more(rows, total))


def html_table(rows: Sequence[dict[str, Any]], total: int | None = None) -> str:
    """Lay rows out as an HTML table; everything is escaped."""
    if not rows:
        return "<i>(none)</i>"
    head = "".join(f'<th style="text-align:left">{escape(name)}</th>' for name in rows[0])
    body = "".join(f"<tr>{''.join(_td(_cell(row.get(name))) for name in rows[0])}</tr>" for row in rows)
    more = "".join(f"<div>{escape(line)}</div>" for line in _more(rows, total))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _td(text: str) -> str:
    """Return a cell; a short one, as a time or an id, stays in one line."""
    short = ";white-space:nowrap" if len(text) <= _SHORT else ""
    return f'<td style="text-align:left{short}">{escape(text)}</td>'


def _as_shown(rows: Iterable[dict[str, Any]], ids: Collection[str]) -> list[dict[str, Any]]:
    """Return rows with short ids (in the columns `ids`), and times in words."""
    return [dict(_worded(name, cell, name in ids) for name, cell in row.items()) for row in rows]


def _by_call(rows: list[dict[str, Any]], call_name: Callable[[int], str]) -> list[dict[str, Any]]:
    """Name rows by their calls where pipe and parameters do not tell them apart; what the names say is no column."""
    told = {tuple(str(cell) for name, cell in row.items() if name not in _CAME_OF_IT) for row in rows}
    if len({row["pipe"] for row in rows}) < 2 and len(told) == len(rows):
        return rows
    calls = [call_name(row["id"]) for row in rows]
    said = {
        name
        for name in set().union(*rows) - _CAME_OF_IT
        if all(_says(call, row[name]) for row, call in zip(rows, calls, strict=True))
    }
    return [
        {"call": call, **{name: cell for name, cell in row.items() if name not in {*said, "pipe"}}}
        for row, call in zip(rows, calls, strict=True)
    ]


def _says(call: str, cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and literal(cell) in call)


def _worded(name: str, cell: Any, is_id: bool) -> tuple[str, Any]:
    if is_id and type(cell) is int and cell >> 32:
        return name, short_id(cell)
    if name == "seconds" and (cell is None or isinstance(cell, (int, float))):
        return "took", duration(cell) if cell is not None and cell >= 0 else None
    if name == "value" and isinstance(cell, str) and (figure := _FIGURE.fullmatch(cell)):
        return name, f"figure {figure[1]} × {figure[2]}"
    return name, cell


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = (f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}") if isinstance(value, float) else str(value)
    text = " ".join(text.split())
    text = text if text.isprintable() else harmless(text)
    return text if len(text) <= 80 else text[:79] + "…"


def _more(rows: Sequence[dict[str, Any]], total: int | None) -> list[str]:
    return [f"… {total - len(rows):,} more"] if total is not None and total > len(rows) else []
