"""How do the caller's objects become what a call has made of them?

What an argument holds after a call is read from the store, and each object in it is the twin of one that the argument
held before, or new. Which, is written down when the call is recorded: by the numbers of the objects (see `reach`), in
the order of a walk. So what was changed in place is changed in place, and what was replaced is replaced.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Any

from rms_jupyter.fingerprint.nesting import items_of
from rms_jupyter.run.task.array_memory import is_array
from rms_jupyter.run.task.changes import become, can_change, is_plain_object, set_attribute, state_of
from rms_jupyter.run.task.reach import Reach, holds_what, is_same_as_noted, kind_of_container

_NEW = -1

Runs = Sequence[tuple[int, int]]


def origins_of(value: Any, before: Reach) -> list[tuple[int, int]]:
    """Say of each object that a changed argument holds which one of those before it is.

    Returns
    -------
    list of (int, int)
        How many there were before, and 0; then the number of one, and how many follow that have the next numbers; -1
        for how many new ones.

    Examples
    --------
    >>> row = [1]
    >>> table = {"a": row}
    >>> before = Reach({"table": table})
    >>> table["b"], table["c"] = row, []
    >>> origins_of(table, before)
    [(2, 0), (0, 2), (-1, 1)]
    """
    numbers = [before.number(part) for part in Reach({"": value}).objects]
    places = [(_NEW if number is None else number - place) for place, number in enumerate(numbers)]
    runs, place = [(len(before.objects), 0)], 0
    for (is_new, _), group in groupby(zip((n is None for n in numbers), places, strict=True)):
        count = len(list(group))
        runs.append((_NEW if is_new else numbers[place] or 0, count))
        place += count
    return runs


class Twins:
    """The objects in what was read from the store, and those of the caller's that they are.

    Parameters
    ----------
    content : object
        What an argument is after the call; it is used up.
    origins : sequence of (int, int)
        See `origins_of`.
    before : Reach
        What the caller's objects hold.
    owned : collection of int
        The ids of those that this argument holds; others are changed with their own.

    Raises
    ------
    LookupError
        If it is not what was described.
    """

    def __init__(self, content: Any, origins: Runs, before: Reach, owned: Collection[int]) -> None:
        self._all = Reach({"": content}).objects
        (count, _), *runs = origins
        if sum(many for _, many in runs) != len(self._all) or count != len(before.objects):
            raise LookupError("it holds other objects than were described")
        numbers = _numbers(runs)
        known = [(before.objects[n], twin) for n, twin in zip(numbers, self._all, strict=True) if n != _NEW]
        self._pairs = [(own, twin) for own, twin in known if id(own) in owned]
        self._own = {id(twin): own for own, twin in known}

    def fit(self) -> bool:
        """Whether each can become its twin; nothing is changed yet."""
        return all(_fits(own, twin) for own, twin in self._pairs)

    def change(self) -> None:
        """Let each become its twin, in place."""
        for twin in self._all:
            self._put_parts(twin)
        for own, twin in self._pairs:
            if can_change(own) and not is_same_as_noted(holds_what(own), holds_what(twin)):
                become(own, twin)

    def _put_parts(self, twin: Any) -> None:
        """Put the caller's own objects into one that was read."""
        kind = kind_of_container(twin)
        if kind is dict:
            before = list(items_of(twin))
            items = [(self._own_of(key), self._own_of(value)) for key, value in before]
            _put_items(twin, before, items)
        elif kind is not None and kind is not tuple:
            for place, part in enumerate(list(kind.__iter__(twin))):
                kind.__setitem__(twin, place, self._own_of(part))
        if kind is not None or is_plain_object(twin):
            for name, part in (state_of(twin) or {}).items():
                if (own := self._own_of(part)) is not part:
                    set_attribute(twin, name, own)

    def _own_of(self, part: Any) -> Any:
        """The caller's own object that a part is; the part where it is new, with the caller's own in it."""
        if (own := self._own.get(id(part), self)) is not self:
            return own
        if not issubclass(type(part), tuple):
            return part
        items = [self._own_of(item) for item in tuple.__iter__(part)]
        if all(a is b for a, b in zip(items, tuple.__iter__(part), strict=True)):
            return part
        made = self._own[id(part)] = tuple.__new__(type(part), items)
        self._all.append(part)  # So that its id stays its own.
        return made


def _put_items(target: dict[Any, Any], before: Sequence[tuple[Any, Any]], items: Sequence[tuple[Any, Any]]) -> None:
    kind = OrderedDict if isinstance(target, OrderedDict) else dict
    if any(key is not old for (key, _), (old, _) in zip(items, before, strict=True)):
        kind.clear(target)
    for key, value in items:
        kind.__setitem__(target, key, value)


def _numbers(origins: Runs) -> Iterator[int]:
    for number, count in origins:
        yield from [_NEW] * count if number == _NEW else range(number, number + count)


def _fits(own: Any, twin: Any) -> bool:
    if type(own) is not type(twin):
        return False
    if is_array(own) and (own.shape, own.dtype) != (twin.shape, twin.dtype):
        return False
    is_looked_into = issubclass(type(own), tuple) or can_change(own)
    return is_looked_into or is_same_as_noted(holds_what(own), holds_what(twin))
