"""Which task goes first, when more are ready than can run?  The one with the longest way to the end of the plan."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from graphlib import TopologicalSorter

_UNKNOWN_SECONDS = 0.001


def by_critical_path(
    needs: Sequence[Collection[int]], groups: Sequence[str], seconds: Mapping[str, float], lazy: Collection[int]
) -> tuple[Sequence[int], Sequence[int]]:
    """Order tasks by the time from their start to the end of the plan, the longest first; lazy ones before their users.

    Parameters
    ----------
    needs : sequence of collections of int
        For each task, the numbers of those it waits for.
    groups : sequence of str
        For each task, its pipe.
    seconds : mapping of str to float
        How long tasks of a pipe take, where that is known.
    lazy : collection of int
        These go right before the first task that needs them.

    Returns
    -------
    (sequence of int, sequence of int)
        Place of each task in that order, and the task at each place.

    Examples
    --------
    >>> by_critical_path([(), (), (1,)], ["short", "long", "end"], {"short": 1.0, "long": 5.0, "end": 1.0}, ())
    ([1, 0, 2], [1, 0, 2])
    """
    count = len(needs)
    if not any(needs):
        return range(count), range(count)
    left = [seconds.get(group, _UNKNOWN_SECONDS) for group in groups]
    for number in reversed(_in_order(needs)):
        for need in needs[number]:
            left[need] = max(left[need], seconds.get(groups[need], _UNKNOWN_SECONDS) + left[number])
    rank = [(-left[number], number, 0) for number in range(count)]
    if lazy:
        _put_before_their_users(lazy, rank, needs)
    order = sorted(range(count), key=rank.__getitem__)
    place = [0] * count
    for at, number in enumerate(order):
        place[number] = at
    return place, order


def _put_before_their_users(
    lazy: Collection[int], rank: list[tuple[float, int, int]], needs: Sequence[Collection[int]]
) -> None:
    first: dict[int, tuple[float, int, int]] = {}
    for number in reversed(_in_order(needs)):
        left, place, before = rank[number] = first.get(number, rank[number])
        for need in needs[number]:
            if need in lazy:
                first[need] = min((left, place, before - 1), first.get(need, rank[number]))


def _in_order(needs: Sequence[Collection[int]]) -> Sequence[int]:
    """List tasks after those that they need."""
    if all(need < number for number, own in enumerate(needs) for need in own):
        return range(len(needs))
    graph: dict[int, Iterable[int]] = dict(enumerate(needs))
    return list(TopologicalSorter(graph).static_order())
