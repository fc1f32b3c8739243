"""Why is a task not a hit?  Compares a call with what was recorded of it; pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

ReasonKind = Literal[
    "code_changed",
    "input_changed",
    "output_missing",
    "output_changed",
    "deprecated",
    "forced",
    "failed_before",
    "never_run",
    "not_cached",
    "expired",
]
DifferenceKind = Literal["code", "content", "global", "argument", "environment"]
_FOLD_FROM = 4
_WIDTH = 40
_MOST_PARTS = 8
_REORDERED = "has its items in another order"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a task runs: the kind, what exactly, and the id of the earlier task it was compared with.

    Examples
    --------
    >>> str(Reason("input_changed", "CUTOFF 30 → 40"))
    'input_changed CUTOFF 30 → 40'
    """

    kind: ReasonKind
    detail: str = ""
    earlier: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.detail}".strip()


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What a task was made from, for comparing.

    Attributes
    ----------
    parts : mapping of str to str
        Code parts and their digests.
    args, globals : mapping of str to object
        As shown in JSON.
    used : mapping of str to str
        Content digest of each resource used, by role.
    sources : mapping of str to str
        Text of the code parts that have one.
    """

    parts: Mapping[str, str] = field(default_factory=dict)
    args: Mapping[str, Any] = field(default_factory=dict)
    globals: Mapping[str, Any] = field(default_factory=dict)
    used: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs: the `kind` of thing, its name, what it was and what it is ('' where it is absent)."""

    kind: DifferenceKind
    name: str
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        if self.kind == "content" or (self.kind == "code" and _is_digest(self.before) and _is_digest(self.after)):
            return self.name
        if self.after == _REORDERED:
            return f"{self.name} {self.after}"
        if self.kind == "code" and not (self.before and self.after):
            return f"{self.name} {'removed' if self.before else 'added'}"
        return f"{self.name} {self.before or '(absent)'} → {self.after or '(absent)'}"


def compare(now: TaskFacts, before: TaskFacts, earlier: int, in_one_run: bool = False) -> Reason:
    """Name what differs between a call and an earlier task.

    Parameters
    ----------
    now, before : Facts
    earlier : int
        Id of the earlier task.
    in_one_run : bool
        Whether one run asks for both: given other values, they are two items of a loop.

    Examples
    --------
    >>> compare(TaskFacts(globals={"CUTOFF": 40}), TaskFacts(globals={"CUTOFF": 30}), earlier=7)
    Reason(kind='input_changed', detail='CUTOFF 30 → 40', earlier=7)
    >>> compare(TaskFacts(args={"days": [1, 2]}), TaskFacts(args={"days": [3, 4]}), earlier=7, in_one_run=True).kind
    'never_run'
    """
    found = differences(now, before)
    code = [difference for difference in found if difference.kind == "code"]
    if not found:
        return Reason("never_run", "", earlier)
    if in_one_run and not code and _are_two_items(found):
        return Reason("never_run")
    return Reason("code_changed" if code else "input_changed", in_words([d for d in code or found if d.name]), earlier)


def _are_two_items(found: Sequence[Difference]) -> bool:
    """Whether an argument differs by itself, and not by the contents that it holds or by their order."""
    hold_contents = {whole_name(difference.name) for difference in found if difference.kind == "content"}
    return any(
        difference.kind == "argument"
        and whole_name(difference.name) not in hold_contents
        and difference.after != _REORDERED
        for difference in found
    )


def whole_name(name: str) -> str:
    """Return the argument that holds a part.

    Examples
    --------
    >>> whole_name("samples[3].path"), whole_name("settings.fit.tmax"), whole_name("k")
    ('samples', 'settings', 'k')
    """
    return re.split(r"[.\[]", name, maxsplit=1)[0]


def differences(now: TaskFacts, before: TaskFacts) -> list[Difference]:
    """List what differs: code first, then globals, arguments, and contents.

    Examples
    --------
    >>> now = TaskFacts({"qc": "a1" * 16, "numpy": "2.4"}, args={"k": 15})
    >>> [str(d) for d in differences(now, TaskFacts({"qc": "b2" * 16, "numpy": "2.3"}, args={"k": 12}))]
    ['qc', 'numpy 2.3 → 2.4', 'k 12 → 15']

    Of dicts, the keys that differ are named:

    >>> differences(TaskFacts(args={"fit": {"tmax": 5, "n": 3}}), TaskFacts(args={"fit": {"tmax": 8, "n": 3}}))
    [Difference(kind='argument', name='fit.tmax', before='8', after='5')]
    """
    code = [Difference("code", name, old or "", new or "") for name, old, new in _changed(now.parts, before.parts)]
    contents = [
        Difference("content", role.removeprefix("global:").removeprefix("code:"), old or "", new or "")
        for role, old, new in _changed(now.used, before.used)
    ]
    same = {role.removeprefix("global:") for role, part in now.used.items() if before.used.get(role) == part}
    known = same | {content.name for content in contents}
    return [
        *code,
        *_values("global", now.globals, before.globals, known),
        *_values("argument", now.args, before.args, known),
        *contents,
    ]


def in_words(found: Sequence[Difference]) -> str:
    """Word differences in one line; many items of one list are folded.

    Examples
    --------
    >>> in_words([Difference("content", f"fits[{i}]") for i in range(16)])
    'fits (16 items)'
    """
    groups: dict[str, list[Difference]] = {}
    for difference in found:
        whole = difference.name.partition("[")[0] if difference.kind == "content" else difference.name
        groups.setdefault(whole, []).append(difference)
    words: list[str] = []
    for whole, members in groups.items():
        folded = len(members) >= _FOLD_FROM
        words += [f"{whole} ({len(members)} items)"] if folded else map(str, members)
    return ", ".join(words)


def code_diff(now: TaskFacts, before: TaskFacts) -> str:
    """Show the changed parts of the code as a unified diff; '' where no text is on record.

    Examples
    --------
    >>> before, now = (TaskFacts({"f": str(n)}, sources={"f": f"return {n}"}) for n in (1, 2))
    >>> print(code_diff(now, before))
    --- f before
    +++ f now
    @@ -1 +1 @@
    -return 1
    +return 2
    """
    lines: list[str] = []
    for name, _, _ in _changed(now.parts, before.parts):
        old, new = before.sources.get(name, ""), now.sources.get(name, "")
        names = (f"{name} before", f"{name} now")
        lines += difflib.unified_diff(old.splitlines(), new.splitlines(), *names, lineterm="")
    return "\n".join(lines)


def _values(
    kind: DifferenceKind, now: Mapping[str, Any], before: Mapping[str, Any], leave_out: set[str]
) -> list[Difference]:
    found = [
        part
        for name, old, new in _changed(now, before, _ABSENT)
        if name not in leave_out
        for part in _parts(name, old, new)
    ]
    return [Difference(kind, name, *_in_short(old, new)) for name, old, new in found if name not in leave_out]


def _parts(name: str, old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    """Take two dicts apart by key, and two long lists of one length by place, where little of them differs."""
    parts: list[tuple[str, Any, Any]]
    if isinstance(old, dict) and isinstance(new, dict):
        parts = [(f"{name}.{key}", *values) for key, *values in _changed(new, old, _ABSENT)]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and len(repr(old)) > _WIDTH:
        parts = [(f"{name}[{at}]", *values) for at, *values in _changed(dict(enumerate(new)), dict(enumerate(old)))]
    else:
        return [(name, old, new)]
    if not 0 < len(parts) <= _MOST_PARTS:
        return [(name, old, new)]
    return [inner for part in parts for inner in _parts(*part)]


def _in_short(old: Any, new: Any) -> tuple[str, str]:
    return ("", _REORDERED) if new == old and type(new) is type(old) else (_short(old), _short(new))


def _changed(now: Mapping[Any, Any], before: Mapping[Any, Any], absent: Any = None) -> list[tuple[Any, Any, Any]]:
    """List (name, before, now) of what differs."""
    changes = []
    for name in (*now, *(name for name in before if name not in now)):
        new, old = now.get(name, absent), before.get(name, absent)
        if new != old or type(new) is not type(old) or reordered(new, old):
            changes.append((name, old, new))
    return changes


def reordered(new: Any, old: Any) -> bool:
    """Whether two equal values differ all the same: dicts in them have their items in another order.

    Examples
    --------
    >>> reordered({"a": 1, "b": 2}, {"b": 2, "a": 1}), reordered([1], [1])
    (True, False)
    """
    if isinstance(new, dict) and isinstance(old, dict):
        return list(new) != list(old) or any(reordered(new[key], old[key]) for key in new)
    if isinstance(new, list) and isinstance(old, list):
        return any(map(reordered, new, old))
    return False


def _short(value: Any) -> str:
    text = "" if value is _ABSENT else repr(value)
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"


def _is_digest(text: str) -> bool:
    return len(text) == 32 and all(c in "0123456789abcdef" for c in text)


_ABSENT = object()
