"""Why do two results differ?  What differs furthest up the chain, in words, and how many calls it reached.

Two calls are walked up side by side, from what they used in the same roles to the calls that made that, as long as the
contents differ. What differs in a call itself (code, arguments, globals, files that no call has made) is a cause.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from rms_jupyter import model
from rms_jupyter.errors import StoreError
from rms_jupyter.staleness import Difference, TaskFacts, differences, whole_name
from rms_jupyter.store.store import Store
from rms_jupyter.working_folder import in_short

_MOST_VALUES = 3

Pair = tuple[int, int]
Used = Mapping[str, tuple[int, str]]


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
    contents : (int, int)
        Of contents that differ: two of the resources, as it is now and as it was before.

    Examples
    --------
    >>> str(Cause(Difference("global", "TMAX", "8", "5"), "clean", 30))
    'TMAX 8 → 5, read by clean (30 calls)'
    """

    difference: Difference
    pipe: str
    calls: int
    contents: Pair = (0, 0)

    def __str__(self) -> str:
        calls = f"({self.calls:,} call{'s' * (self.calls > 1)})"
        found = self.difference
        if found.kind == "code":
            own = f"the code of {self.pipe} changed" if found.name == self.pipe else f"{found}, used by {self.pipe}"
            return f"{own} {calls}"
        if found.kind == "content":
            return f"{found.name} has other content, read by {self.pipe} {calls}"
        return f"{found}, {'read by' if found.kind == 'global' else 'given to'} {self.pipe} {calls}"


def causes(walk: SideBySide, differing: Sequence[Pair]) -> list[Cause]:
    """Find what differs up the chain, the furthest first.

    Parameters
    ----------
    walk : SideBySide
    differing : sequence of (int, int)
        Two resources each: as it is now, as it was before.
    """
    found: dict[tuple[Difference, str], list[tuple[int, Pair]]] = {}
    for difference, pipe, k, pair in walk.up(differing):
        found.setdefault((difference, pipe), []).append((k, pair))
    ordered = sorted(found.items(), key=lambda item: min(item[1]))
    return list(
        _folded([Cause(difference, pipe, len(reached), reached[0][1]) for (difference, pipe), reached in ordered])
    )


def differing_inputs(now: Used, before: Used) -> dict[str, Pair]:
    """Pair the resources that two calls used in the same roles and that differ; given are (id, digest) by role."""
    return {
        role: (ident, before[role][0])
        for role, (ident, digest) in now.items()
        if role in before and before[role][1] != digest
    }


class SideBySide:
    """Goes up from resources that differ; reads each record once, and counts the pairs of calls that it compared."""

    def __init__(self, store: Store) -> None:
        self.pairs = 0
        self.store = store
        self._records: dict[int, tuple[int, model.Record] | None] = {}
        self._compared: dict[tuple[Any, ...], list[Difference]] = {}

    def up(self, differing: Sequence[Pair]) -> Iterator[tuple[Difference, str, int, Pair]]:
        """Yield what differs, whose calls differ by it, when one was made, and of contents the two resources."""
        waiting, seen = deque(differing), set[Pair]()
        while waiting:
            now, before = waiting.popleft()  # Level by level: records of one step lie close together.
            made, was = self._made_by(now), self._made_by(before)
            if made is None or was is None or made[0] == was[0] or (made[0], was[0]) in seen:
                continue
            seen.add((made[0], was[0]))
            self.pairs += 1
            (place, task), (earlier_place, earlier) = made, was
            pipe = self.store.pipe_name(task.pipe)
            for difference in self._own(task, earlier):
                yield difference, pipe, task.k, (0, 0)
            for role, pair in _same_roles(place, task, earlier_place, earlier):
                if not self._differ(*pair):
                    continue
                if all(map(self._made_by, pair)):
                    waiting.append(pair)
                elif (path := self.path(pair[0])) != (other := self.path(pair[1])):
                    yield Difference("argument", role, other, path), pipe, task.k, pair
                else:
                    yield Difference("content", path or role, "was", "is"), pipe, task.k, pair

    def path(self, ident: int) -> str:
        """Return the path of a resource as it is from here, '' of a value."""
        found = self._resource(ident)
        return in_short(found.path) if found else ""

    def _made_by(self, ident: int) -> tuple[int, model.TaskRecord] | None:
        found = self._record(ident)
        if found is None or not isinstance(found[1], model.TaskRecord):
            return None
        return (found[0], found[1]) if 0 < ident - found[0] <= len(found[1].out) else None

    def _differ(self, now: int, before: int) -> bool:
        a, b = self._resource(now), self._resource(before)
        return a is not None and b is not None and a.digest != b.digest

    def _resource(self, ident: int) -> model.ResourceRecord | None:
        found = self._record(ident)
        if found is None:
            return None
        place, record = found
        if isinstance(record, model.TaskRecord):
            slots = (*record.out, *record.given)
            return slots[ident - place - 1] if 0 < ident - place <= len(slots) else None
        return record if isinstance(record, model.ResourceRecord) else None

    def _record(self, ident: int) -> tuple[int, model.Record] | None:
        if ident not in self._records:
            try:
                self._records[ident] = self.store.record(ident)
            except (LookupError, StoreError):
                self._records[ident] = None
        return self._records[ident]

    def _own(self, task: model.TaskRecord, earlier: model.TaskRecord) -> list[Difference]:
        if (task.pipe, task.args, task.globals) == (earlier.pipe, earlier.args, earlier.globals):
            return []
        roles = tuple(role for _, role in task.used)
        key = roles, *((one.pipe, bytes(one.args), bytes(one.globals)) for one in (task, earlier))
        if key not in self._compared:
            used = dict.fromkeys(roles, "")
            found = differences(self._facts(task, used), self._facts(earlier, used))
            nested = {whole_name(role) for role in roles if whole_name(role) != role}
            # How inputs look is no parameter.
            self._compared[key] = [
                one for one in found if whole_name(one.name) not in nested or "<" not in one.before + one.after
            ]
        return self._compared[key]

    def _facts(self, task: model.TaskRecord, used: Mapping[str, str]) -> TaskFacts:
        pipe = self._record(task.pipe)
        parts = pipe[1].parts if pipe and isinstance(pipe[1], model.PipeRecord) else {}
        return TaskFacts(parts, msgspec.json.decode(task.args), msgspec.json.decode(task.globals), used)


def _same_roles(
    place: int, task: model.TaskRecord, earlier_place: int, earlier: model.TaskRecord
) -> Iterator[tuple[str, Pair]]:
    before = {role: model.resource_id(target, earlier_place) for target, role in earlier.used}
    for target, role in task.used:
        now = model.resource_id(target, place)
        if before.get(role, now) != now:
            yield role, (now, before[role])


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
