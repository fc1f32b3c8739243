"""How is it shown why something ran, what would run, and what differs?"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from rms_jupyter import model
from rms_jupyter.harmless import fits_console
from rms_jupyter.tend.why import Account
from rms_jupyter.views.display import GREY
from rms_jupyter.views.results import html_table, text_table
from rms_jupyter.views.wording import duration

_ADDED, _REMOVED = "color:var(--jp-success-color0,#1b5e20)", "color:var(--jp-error-color0,#b71c1c)"


class Why:
    """Why a task ran, and whether the same call would run again.

    Attributes
    ----------
    account : Account
        Why it ran, or would run.
    again : Account or None
        The same call made now; None where that cannot be said.
    """

    def __init__(self, account: Account, again: Account | None = None, from_the_store: bool = False) -> None:
        self.account, self.again, self._from_the_store = account, again, from_the_store

    @property
    def reason(self) -> str:
        """The reason in one line: ``input_changed CUTOFF 30 → 40``; '' for a hit."""
        return self.account.reason

    @property
    def diff(self) -> str:
        """The changed code, as a unified diff."""
        return self.account.diff or (self.again.diff if self.again else "")

    def rows(self) -> list[dict[str, Any]]:
        """What differs from the earlier task, one row each: ``what, kind, before, after``."""
        return difference_rows(self.account)

    @fits_console
    def __str__(self) -> str:
        lines = [self._headline()]
        if self.account.earlier:
            lines += [f"compared with {self.account.earlier_call} (id {self.account.earlier})", text_table(self.rows())]
        lines += [self.account.diff] if self.account.diff else []
        if self.again is not None:
            lines.append(_again(self.again))
            lines += [self.again.diff] if self.again.diff else []
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = [f"<div>{escape(self._headline())}</div>"]
        if self.account.earlier:
            compared = f"compared with {self.account.earlier_call} (id {self.account.earlier})"
            parts += [f'<div style="{GREY}">{escape(compared)}</div>', html_table(self.rows())]
        parts.append(html_diff(self.account.diff))
        if self.again is not None:
            parts += [f"<div>{escape(_again(self.again))}</div>", html_diff(self.again.diff)]
        return "".join(parts)

    def _headline(self) -> str:
        account = self.account
        if not account.reason:
            return f"{account.call} is answered from the store, saves {duration(account.seconds)}"
        if not account.ident:
            return f"{account.call} would run, about {duration(account.seconds)}: {account.reason}"
        ran = f"{account.call} ran {duration(account.seconds)}: {account.reason}"
        return f"{ran}; this call was answered from the store" if self._from_the_store else ran


class Comparison:
    """What differs between two tasks and their results."""

    def __init__(self, account: Account, values: str) -> None:
        self._account, self._values = account, values

    @property
    def diff(self) -> str:
        """The changed code, as a unified diff."""
        return self._account.diff

    def rows(self) -> list[dict[str, Any]]:
        """One row a difference: ``what, kind, before, after``."""
        return difference_rows(self._account)

    @fits_console
    def __str__(self) -> str:
        return "\n".join(filter(None, [self._title(), text_table(self.rows()), self.diff, self._values]))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        title, values = f"<div>{escape(self._title())}</div>", f'<pre style="{GREY}">{escape(self._values)}</pre>'
        return title + html_table(self.rows()) + html_diff(self.diff) + values

    def _title(self) -> str:
        return f"{self._account.earlier_call} → {self._account.call}"


def difference_rows(account: Account) -> list[dict[str, Any]]:
    """Lay differences out as rows."""
    return [
        {"what": d.name, "kind": d.kind, "before": _brief(d.before), "after": _brief(d.after)}
        for d in account.differences
    ]


def html_diff(diff: str) -> str:
    """Colour a unified diff."""
    if not diff:
        return ""
    lines = []
    for line in diff.splitlines():
        style = _ADDED if line.startswith("+") else _REMOVED if line.startswith("-") else GREY
        lines.append(f'<span style="{style}">{escape(line)}</span>')
    return f'<pre style="line-height:1.35;white-space:pre;overflow-x:auto">{chr(10).join(lines)}</pre>'


def _again(again: Account) -> str:
    if not again.reason:
        return "called again now: a hit"
    return f"called again now: it would run, about {duration(again.seconds)}: {again.reason}"


def _brief(text: str) -> str:
    return f"#{text[:8]}" if len(text) == 32 and " " not in text else text


def value_lines(before: Sequence[model.Resource], after: Sequence[model.Resource]) -> str:
    """Word what became of the results, one line each."""
    lines = []
    for old, new in zip(before, after, strict=False):
        name = new.path or new.type or "value"
        same = "the same content" if old.digest == new.digest else f"{_shown(old)} → {_shown(new)}"
        lines.append(f"{name}: {same}")
    return "\n".join(lines)


def _shown(resource: model.Resource) -> str:
    text = repr(resource.value) if resource.format == "json" else resource.preview or f"{resource.size:,} bytes"
    return f"{text[:60]} (#{resource.digest[:8]})"
