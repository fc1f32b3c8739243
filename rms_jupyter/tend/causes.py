"""Why do two results differ?  What differs furthest up the chain, in words, and how many calls it reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from rms_jupyter import model
from rms_jupyter.staleness import Difference, TaskFacts, differences
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.store import Store

_MOST_VALUES = 3


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that differs in itself, and not because of what it was made from.

    Attributes
    ----------
    difference : Difference
    pipe : str
        Whose calls differ by it.
    calls : int
        How many.

    Examples
    --------
    >>> str(Cause(Difference("global", "TMAX", "8", "5"), "clean", 30))
    'TMAX 8 → 5, read by clean (30 calls)'
    """

    difference: Difference
    pipe: str
    calls: int

    def __str__(self) -> str:
        calls = f"({self.calls:,} call{'s' * (self.calls > 1)})"
        found = self.difference
        if found.kind == "code":
            own = f"the code of {self.pipe} changed" if found.name == self.pipe else f"{found}, used by {self.pipe}"
            return f"{own} {calls}"
        if found.kind == "content":
            return f"{found.name} has other content, read by {self.pipe} {calls}"
        return f"{found}, {'read by' if found.kind == 'global' else 'given to'} {self.pipe} {calls}"


def causes(store: Store, differing: Sequence[tuple[int, int]]) -> list[Cause]:
    """Find what differs up the chain, the furthest first.

    Parameters
    ----------
    store : Store
    differing : sequence of (int, int)
        Two resources each: as it is now, as it was before.
    """
    found: dict[tuple[Difference, str], int] = {}
    now, before = ([pair[side] for pair in differing] for side in (0, 1))
    for row in store.fetch(sql_text("queries/causes.sql"), {"now": now, "before": before}):
        for difference in _own(store, row):
            key = difference, store.pipe_name(row[2])
            found[key] = found.get(key, 0) + row[9]
    return list(_folded([Cause(difference, pipe, calls) for (difference, pipe), calls in found.items()]))


def differing_inputs(
    now: Mapping[str, tuple[int, str]], before: Mapping[str, tuple[int, str]]
) -> list[tuple[int, int]]:
    """Pair the resources that two calls used in the same roles and that differ; given are (id, digest) by role."""
    return [
        (ident, before[role][0])
        for role, (ident, digest) in now.items()
        if role in before and before[role][1] != digest
    ]


def _own(store: Store, row: tuple[Any, ...]) -> Iterator[Difference]:
    kind, name, pipe, pipe_before, args, args_before, globals_, globals_before, roles, *_ = row
    if kind == "content":
        yield Difference("content", name, "was", "is")
        return
    used = dict.fromkeys(roles or (), "")
    now = TaskFacts(_parts(store, pipe), _decoded(args), _decoded(globals_), used)
    was = TaskFacts(_parts(store, pipe_before), _decoded(args_before), _decoded(globals_before), used)
    nested = {role.partition("[")[0] for role in roles or () if "[" in role}
    for found in differences(now, was):
        if not (found.name in nested and "<" in found.before + found.after):  # How inputs look is no parameter.
            yield found


def _parts(store: Store, pipe: int) -> Mapping[str, str]:
    record = store.record(pipe)[1]
    return record.parts if isinstance(record, model.PipeRecord) else {}


def _decoded(text: str | None) -> dict[str, Any]:
    return msgspec.json.decode(text) if text else {}


def _folded(found: list[Cause]) -> Iterator[Cause]:
    """Make one of what differs in many values of one parameter, or in many files."""
    groups: dict[tuple[str, str, str], list[Cause]] = {}
    for cause in found:
        name = "" if cause.difference.kind == "content" else cause.difference.name
        groups.setdefault((cause.difference.kind, name, cause.pipe), []).append(cause)
    for (kind, name, pipe), members in groups.items():
        if len(members) <= _MOST_VALUES:
            yield from members
            continue
        first, calls = members[0].difference, sum(one.calls for one in members)
        what = f"{first.name} and {len(members) - 1:,} more" if kind == "content" else name
        yield Cause(Difference(first.kind, what, f"{len(members):,} values", "others"), pipe, calls)
