"""Why is a task not a hit?  Compares a call with what was recorded of it; pure."""

from __future__ import annotations

from collections.abc import Mapping
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
]


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
class Facts:
    """What a task was made from, for comparing.

    Attributes
    ----------
    parts : mapping of str to str
        Code parts and their digests.
    args, globals : mapping of str to object
        As shown in JSON.
    used : mapping of str to str
        Content digest of each resource used, by role.
    """

    parts: Mapping[str, str] = field(default_factory=dict)
    args: Mapping[str, Any] = field(default_factory=dict)
    globals: Mapping[str, Any] = field(default_factory=dict)
    used: Mapping[str, str] = field(default_factory=dict)


def compare(now: Facts, before: Facts, earlier: int) -> Reason:
    """Name what differs between a call and an earlier task.

    Parameters
    ----------
    now, before : Facts
    earlier : int
        Id of the earlier task.

    Examples
    --------
    >>> compare(Facts(globals={"CUTOFF": 40}), Facts(globals={"CUTOFF": 30}), earlier=7)
    Reason(kind='input_changed', detail='CUTOFF 30 → 40', earlier=7)
    """
    code = changed_parts(now.parts, before.parts)
    if code:
        return Reason("code_changed", ", ".join(code), earlier)
    contents = [
        role.removeprefix("global:").removeprefix("code:")
        for role in (*now.used, *(role for role in before.used if role not in now.used))
        if now.used.get(role) != before.used.get(role)
    ]
    values = _changed(now.globals, before.globals, contents) + _changed(now.args, before.args, contents)
    inputs = values + contents
    return Reason("input_changed", ", ".join(inputs), earlier) if inputs else Reason("never_run", "", earlier)


def changed_parts(now: Mapping[str, str], before: Mapping[str, str]) -> list[str]:
    """Name the code parts that were changed, added or removed; versions with both values.

    Examples
    --------
    >>> changed_parts({"qc": "a1" * 16, "numpy": "2.4"}, {"qc": "b2" * 16, "numpy": "2.3"})
    ['qc', 'numpy 2.3 → 2.4']
    """
    names = []
    for name in (*now, *(name for name in before if name not in now)):
        new, old = now.get(name), before.get(name)
        if new == old:
            continue
        if new is not None and old is not None:
            names.append(f"{name} {old} → {new}" if not _is_digest(new) or not _is_digest(old) else name)
        else:
            names.append(f"{name} added" if old is None else f"{name} removed")
    return names


def _changed(now: Mapping[str, Any], before: Mapping[str, Any], leave_out: list[str]) -> list[str]:
    changes = []
    for name in (*now, *(name for name in before if name not in now)):
        if name in leave_out:
            continue
        new, old = now.get(name, _ABSENT), before.get(name, _ABSENT)
        if new != old or type(new) is not type(old):
            changes.append(f"{name} {_short(old)} → {_short(new)}")
    return changes


def _short(value: Any, width: int = 40) -> str:
    text = repr(value)
    return text if len(text) <= width else text[: width - 1] + "…"


def _is_digest(text: str) -> bool:
    return len(text) == 32 and all(c in "0123456789abcdef" for c in text)


class _Absent:
    def __repr__(self) -> str:
        return "(absent)"


_ABSENT = _Absent()
