"""How does one see rules go on?  A row each, in a widget under the cell that began them; text and HTML stay."""

from __future__ import annotations

import sys
import threading
import time
from html import escape
from typing import Any

from rms_jupyter.harmless import one_line
from rms_jupyter.run.call.cell_runtime import Cell
from rms_jupyter.service.rule import Rule
from rms_jupyter.service.status import RuleStatus
from rms_jupyter.views.display import GREY, Bundle

_EVERY = 0.5
_KEPT_EVERY = 30  # seconds; what a saved notebook has of a rule that goes on.
_NEVER = float("-inf")
_VIEW = "application/vnd.jupyter.widget-view+json"
_OVER = ("done", "stopped", "failed", "held back", "not started")
_COLOURS = {"done": "#1a7f4b", "running": "#b26a00", "failed": "#c62f2f"}
_SIGNS = {"watching": "◌", "finishing": "◐", "done": "●", "stopped": "□", "failed": "■", "held back": "□"}
_LINE = "var(--jp-border-color2,#d9dce0)"


class RuleWatchers:
    """Shows rules: those that begin in one cell in one place."""

    def __init__(self) -> None:
        self._watchers: dict[int, RuleWatcher] = {}

    def show(self, rule: Rule, cell: Cell) -> None:
        """Show a rule under a cell."""
        watcher = self._watchers.get(id(cell))
        if watcher is None or watcher.cell is not cell:
            watcher = self._watchers[id(cell)] = RuleWatcher(cell)
        watcher.show(rule)


class RuleWatcher:
    """Shows the rules of one cell, at most twice a second, until all have ended.

    While they go on this is a widget, which front ends find again when a notebook is opened again.

    Parameters
    ----------
    cell : Cell
    """

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self._rules: dict[str, Rule] = {}
        self._lock = threading.Lock()
        self._handle: Any = None
        self._widget: Any = None
        self._kept: Bundle = {}
        self._kept_at = _NEVER
        self._goes_on = False
        self._thread: threading.Thread | None = None
        self._is_live = getattr(sys.modules["IPython"].get_ipython(), "kernel", None) is not None

    def show(self, rule: Rule) -> None:
        """Add a row, or show at once what has become of it."""
        with self._lock:
            self._rules[rule.name], self._kept_at = rule, _NEVER
            if not self._is_live:
                return
            self._draw()
            if self._goes_on and self._thread is None:
                self._thread = threading.Thread(target=self._follow, name="rms-rule-watcher", daemon=True)
                self._thread.start()

    def _draw(self) -> None:
        told, went_on = [rule.status() for rule in self._rules.values()], self._goes_on
        self._goes_on = any(status.phase not in _OVER for status in told)
        bundle = bundle_of(told)
        if self._goes_on or self._widget is not None:
            self._move(bundle["text/html"])
        if self._goes_on != went_on or not self._goes_on or time.monotonic() - self._kept_at > _KEPT_EVERY:
            self._keep({**self._view(), **bundle} if self._goes_on else bundle)

    def _move(self, html: str) -> None:
        if self._widget is None:
            from ipywidgets import HTML

            self._widget = HTML()
        self._widget.value = html

    def _view(self) -> Bundle:
        return {_VIEW: self._widget._repr_mimebundle_()[_VIEW]}

    def _keep(self, bundle: Bundle) -> None:
        """Put what is shown, and saved with the notebook, under the cell."""
        self._kept_at = time.monotonic()
        if self._handle is None:
            from IPython.display import DisplayHandle

            self._handle = DisplayHandle()  # type: ignore[no-untyped-call]
            self._handle.display(bundle, raw=True)
        elif bundle != self._kept:
            self._handle.update(bundle, raw=True)
        self._kept = bundle

    def _follow(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(_EVERY)
            with self._lock:
                self._draw()
                if not self._goes_on:
                    self._thread = None
                    return


def bundle_of(told: list[RuleStatus]) -> Bundle:
    """Draw how rules stand, as text and as HTML that runs nothing.

    Examples
    --------
    >>> bundle_of([RuleStatus("frames", "watching")])["text/plain"]
    'frames · watching · 0 arrived'
    """
    rows = "".join(map(_row, told))
    html = (
        f'<div style="border:1px solid {_LINE};border-radius:6px;padding:8px 10px">'
        f'<table style="width:100%">{rows}</table></div>'
    )
    return {"text/html": html, "text/plain": "\n".join(map(repr, told))}


def _row(status: RuleStatus) -> str:
    counts = status.counts
    total = max(1, counts.arrived - counts.gone, counts.waiting + counts.running + counts.done + counts.failed)
    widths = [(100 * getattr(counts, part) / total, colour) for part, colour in _COLOURS.items()]
    bar = "".join(
        f'<div style="float:left;height:6px;width:{width:.2f}%;background:{colour}"></div>' for width, colour in widths
    )
    sign = _SIGNS.get(status.phase, "○")
    name = f"{sign} <code>{escape(one_line(status.rule, 60))}</code>"
    return (
        f'<tr><td style="text-align:left;white-space:nowrap">{name} <span style="{GREY}">{status.phase}</span></td>'
        f'<td style="width:35%"><div style="height:6px;background:{_LINE}">{bar}</div></td>'
        f'<td style="text-align:right">{escape(" · ".join(status.parts()))}</td></tr>{_below(status)}'
    )


def _below(status: RuleStatus) -> str:
    lines = [one_line(status.why, 300)] if status.why else []
    lines += [f"■ {one_line(each.files, 120)}: {one_line(each.why, 200)}" for each in status.failures]
    lines += [f"! {one_line(problem, 300)}" for problem in status.problems]
    return "".join(f'<tr><td style="text-align:left;{GREY}" colspan="3">{escape(line)}</td></tr>' for line in lines)
