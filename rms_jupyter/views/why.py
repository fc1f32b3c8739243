"""How is it shown why something ran, what would run, and what differs?"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from rms_jupyter import model
from rms_jupyter.fingerprint.difference import difference, drawn_differences, first_place
from rms_jupyter.harmless import fits_console, one_line
from rms_jupyter.naming import short_id
from rms_jupyter.staleness import Difference, in_words
from rms_jupyter.tend.why import Account
from rms_jupyter.views.display import GREY
from rms_jupyter.views.results import html_table, text_table
from rms_jupyter.views.wording import duration, size
from rms_jupyter.working_folder import in_short

_ADDED, _REMOVED = "color:var(--jp-success-color0,#1b5e20)", "color:var(--jp-error-color0,#b71c1c)"
_MOST_LINES = 20
_WIDTH = 60

Read = Callable[[int], Sequence[Any] | None]


class Why:
    """Why a task ran, and whether the same call would run again.

    Attributes
    ----------
    account : Account
        Why it ran, or would run.
    again : Account or None
        The same call made now; None where that cannot be said.
    how_differs : mapping of str to str
        How the contents differ that the call, or one that it was made from, was given.
    """

    def __init__(
        self,
        account: Account,
        again: Account | None = None,
        from_the_store: bool = False,
        how_differs: Mapping[str, str] | None = None,
    ) -> None:
        self.account, self.again, self._from_the_store = account, again, from_the_store
        self.how_differs = how_differs or {}

    @property
    def reason(self) -> str:
        """The reason in one line: ``input_changed CUTOFF 30 → 40``; '' for a hit."""
        return self.account.reason

    @property
    def diff(self) -> str:
        """The changed code, as a unified diff."""
        return self.account.diff or (self.again.diff if self.again else "")

    @property
    def causes(self) -> list[str]:
        """Why the inputs differ, in words, what is furthest up the chain first."""
        return [str(cause) for cause in self.account.causes]

    def rows(self) -> list[dict[str, Any]]:
        """What differs from the earlier task, one row each: ``what, kind, before, after``."""
        rows = difference_rows(self.account)
        return [row | {"after": self.how_differs.get(row["what"]) or row["after"]} for row in rows]

    def _further_up(self) -> list[str]:
        """Word what differs further up the chain, but for the first, which is in the headline."""
        also = [f"also: {cause}" for cause in self.causes[1:]]
        names = [cause.difference.name for cause in self.account.causes if all(cause.contents)]
        return also + [f"{name}: {self.how_differs[name]}" for name in names if self.how_differs.get(name)]

    def _compared(self) -> str:
        account = self.account
        nearest = " the nearest earlier call," if account.reason.startswith("never_run") else ""
        return f"compared with{nearest} {account.earlier_call} ({short_id(account.earlier)})"

    @fits_console
    def __str__(self) -> str:
        lines = [self._headline()]
        if self.account.earlier:
            lines += [*self._further_up(), self._compared(), text_table(self.rows())]
        lines += [self.account.diff] if self.account.diff else []
        if self.again is not None:
            lines.append(_again(self.again))
            lines += [self.again.diff] if self.again.diff else []
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = [f"<div>{escape(self._headline())}</div>"]
        if self.account.earlier:
            parts += [f"<div>{escape(line)}</div>" for line in self._further_up()]
            parts += [f'<div style="{GREY}">{escape(self._compared())}</div>', html_table(self.rows())]
        parts.append(html_diff(self.account.diff))
        if self.again is not None:
            parts += [f"<div>{escape(_again(self.again))}</div>", html_diff(self.again.diff)]
        return "".join(parts)

    def _headline(self) -> str:
        account = self.account
        if not account.reason:
            return f"{account.call} is answered from the store, saves {duration(account.seconds)}"
        why = _in_words(account)
        if not account.ident:
            return f"{account.call} would run, about {duration(account.seconds)}: {why}"
        ran = f"{account.call} ran {duration(account.seconds)}: {why}"
        return f"{ran}; this call was answered from the store" if self._from_the_store else ran


class Comparison:
    """What differs between two tasks and their results.

    Parameters
    ----------
    account : Account
    values : str
        What became of the results, a line each.
    digests : str
        Those of the results, folded away where that can be.
    """

    def __init__(self, account: Account, values: str, digests: str = "") -> None:
        self._account, self._values, self._digests = account, values, digests

    @property
    def diff(self) -> str:
        """The changed code, as a unified diff."""
        return self._account.diff

    @property
    def causes(self) -> list[str]:
        """Why the inputs differ, in words, what is furthest up the chain first."""
        return [str(cause) for cause in self._account.causes]

    def rows(self) -> list[dict[str, Any]]:
        """One row a difference: ``what, kind, before, after``."""
        return difference_rows(self._account)

    @fits_console
    def __str__(self) -> str:
        lines = [self._title(), *self._told(), text_table(self.rows()) if self.rows() else "", self.diff, self._values]
        return "\n".join(filter(None, lines))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        title = "".join(f"<div>{escape(line)}</div>" for line in (self._title(), *self._told()))
        values = f"<pre>{escape(self._values)}</pre>"
        digests = f"<details><summary>digests</summary><pre>{escape(self._digests)}</pre></details>"
        shown = f'<div style="{GREY}">{values}{digests if self._digests else ""}</div>'
        return title + (html_table(self.rows()) if self.rows() else "") + html_diff(self.diff) + shown

    def _told(self) -> list[str]:
        return self.causes or ([] if self.rows() or self._values else ["nothing differs"])

    def _title(self) -> str:
        return f"{self._account.earlier_call} → {self._account.call}"


def difference_rows(account: Account) -> list[dict[str, Any]]:
    """Lay differences out as rows; items of one list whose contents differ are one row."""
    groups: dict[str, list[Difference]] = {}
    for found in account.differences:
        whole = found.name.partition("[")[0] if found.kind == "content" else f"{found.kind} {found.name}"
        groups.setdefault(whole, []).append(found)
    return [_row(members) for members in groups.values()]


def _row(members: Sequence[Difference]) -> dict[str, Any]:
    first = members[0]
    if len(members) > 1:
        what, after = first.name.partition("[")[0], f"{sum('[' in one.name for one in members):,} items differ"
        return {"what": what, "kind": first.kind, "before": "", "after": after}
    before, after = first.before, first.after
    if _is_digest(before) or _is_digest(after):
        other = "changed" if first.kind == "code" else "other content"
        before, after = ("", other) if before and after else ("", "new") if after else ("there", "gone")
    return {"what": first.name, "kind": first.kind, "before": before, "after": after}


def _in_words(account: Account) -> str:
    """Word why something ran: by what differs furthest up the chain, where that is known."""
    if not account.causes:
        return account.reason
    own = [found for found in account.differences if found.kind != "content"]
    return ", ".join(filter(None, [in_words(own), str(account.causes[0])]))


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


def _is_digest(text: str) -> bool:
    return len(text) == 32 and " " not in text


def value_lines(before: Sequence[model.ResourceRecord], after: Sequence[model.ResourceRecord], read: Read) -> str:
    """Word what became of the results: a line each, and a line for each way in which they differ.

    Parameters
    ----------
    before, after : sequence of Resource
    read : callable
        Returns the value of the nth result before and after; None where it is not at hand.
    """
    lines = []
    for place, (old, new) in enumerate(zip(before, after, strict=False)):
        name = one_line(in_short(new.path)) or new.type or "value"
        if old.digest == new.digest:
            lines.append(f"{name}: the same content")
            continue
        told = " → ".join(made_in_words([old], [new]))
        values = read(place)
        ways = [way for way in ways_to_differ(*values) if way != told] if values else []
        lines += [f"{name}: {told}", *(f"  {way}" for way in ways)]
    return "\n".join(lines)


def digest_lines(before: Sequence[model.ResourceRecord], after: Sequence[model.ResourceRecord]) -> str:
    """Name the digests of results, a line each."""
    pairs = zip(before, after, strict=False)
    return "\n".join(f"{one_line(in_short(new.path)) or new.type}: {old.digest} → {new.digest}" for old, new in pairs)


def made_in_words(
    before: Sequence[model.ResourceRecord] | None, after: Sequence[model.ResourceRecord] | None
) -> tuple[str, str]:
    """Word what a call made before and after; of what looks alike it is said that it has other content."""
    old, new = (list(map(_shown, made or ())) for made in (before, after))
    if len(old) == len(new):
        new = [f"{now} (other content)" if now == was else now for was, now in zip(old, new, strict=True)]
    return ", ".join(old), ", ".join(new)


def ways_to_differ(before: Any, now: Any) -> list[str]:
    """Word how two values differ: dicts by key, others by the first difference.

    Examples
    --------
    >>> ways_to_differ({"mean": 1.5, "n": 3}, {"mean": 2.5, "n": 3, "sd": 1})
    ["['mean']: 1.5 → 2.5", "new key 'sd'"]
    """
    if drawn := drawn_differences(before, now):
        return _first_lines(drawn)
    if not (isinstance(before, dict) and isinstance(now, dict)):
        found = difference(before, now)
        return [", ".join(filter(None, (found, first_place(before, now))))] if found else []
    both = [key for key in now if key in before]
    inner = {key: found for key in both if (found := difference(before[key], now[key]))}
    lines = [f"[{key!r}]{'' if found.startswith('[') else ': '}{found}" for key, found in inner.items()]
    lines += [f"new key {key!r}" for key in now if key not in before]
    lines += [f"key {key!r} is gone" for key in before if key not in now]
    return _first_lines(lines)


def _first_lines(lines: list[str]) -> list[str]:
    return lines[:_MOST_LINES] + [f"… {len(lines) - _MOST_LINES:,} more"] * (len(lines) > _MOST_LINES)


def _shown(resource: model.ResourceRecord) -> str:
    if resource.path:
        return f"{one_line(os.path.basename(resource.path))} {size(resource.size)}"
    kind = resource.type.rpartition(".")[2]
    text = repr(resource.value) if resource.format == "json" else resource.preview or f"{kind} {size(resource.size)}"
    return one_line(text, _WIDTH)
