"""How do tracked scripts stand, as a person sees it?  A table in four colours, each with a shape of its own."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable
from html import escape
from typing import Any

from rms_jupyter.harmless import one_line
from rms_jupyter.naming import short_id
from rms_jupyter.views.results import Report

SIGNS = {"never run": "○", "up to date": "●", "changed": "◐", "failed": "■", "running": "▶", "queued": "…"}
_COLOURS = {"never run": "#b58900", "up to date": "#2e7d32", "changed": "#d2691e", "failed": "#c62828"}
_OTHER = "#607d8b"
_ORDER = list(SIGNS)
_MOST_SHOWN = 500
_COLUMNS = ("script", "config", "group", "detail", "last run", "seconds", "task")


class Overview(Report):
    """Tracked scripts and how they stand.

    Parameters
    ----------
    rows : iterable of dict
        With ``state``, ``script``, ``config``, ``group``, ``detail``, ``last run``, ``seconds`` and ``task``.
    """

    def __init__(self, rows: Iterable[dict[str, Any]]) -> None:
        rows = list(rows)
        counts = Counter(row["state"] for row in rows)
        headline = " · ".join(f"{SIGNS[state]} {counts[state]:,} {state}" for state in _ORDER if counts[state])
        super().__init__(headline or "nothing is tracked: %rms track PATH", rows)

    @property
    def counts(self) -> dict[str, int]:
        """How many are in each state."""
        return dict(Counter(row["state"] for row in self))

    def _repr_html_(self) -> str:
        columns = [name for name in _COLUMNS if any(row[name] not in (None, "") for row in self)]
        head = "".join(f'<th style="text-align:left">{name}</th>' for name in ("state", *columns))
        body = "".join(_html_row(row, columns) for row in self[:_MOST_SHOWN])
        more = f"<div>… {len(self) - _MOST_SHOWN:,} more</div>" if len(self) > _MOST_SHOWN else ""
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}" if self else ""
        return f"<div>{escape(self.headline)}</div>{table}"


def _html_row(row: dict[str, Any], columns: Iterable[str]) -> str:
    colour = _COLOURS.get(row["state"], _OTHER)
    state = (
        f'<td style="text-align:left;white-space:nowrap;border-left:4px solid {colour}">'
        f'<span style="color:{colour}">{SIGNS[row["state"]]}</span> {row["state"]}</td>'
    )
    cells = "".join(f'<td style="text-align:left">{escape(_shown(name, row[name]))}</td>' for name in columns)
    return f"<tr>{state}{cells}</tr>"


def _shown(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "task" and value:
        return short_id(value)
    return f"{value:,.3g}" if isinstance(value, float) else one_line(str(value), 200)


def clock_of(microseconds: int) -> str:
    """Word when something began.

    Examples
    --------
    >>> clock_of(0)
    ''
    """
    return f"{datetime.datetime.fromtimestamp(microseconds / 1e6):%Y-%m-%d %H:%M:%S}" if microseconds else ""
