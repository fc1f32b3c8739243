"""When does a task that has failed run again?  After a pause, twice as long each time."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator

_FIRST, _LONGEST = 0.5, 60.0


class Retries:
    """The failed tasks of a run that are to be tried again.

    Examples
    --------
    >>> retries = Retries()
    >>> retries.begin(7, attempts=1)
    >>> list(retries.over())
    []
    """

    def __init__(self) -> None:
        self._until: list[tuple[float, int]] = []

    def begin(self, number: int, attempts: int) -> None:
        """Let a task wait that has failed so often."""
        heapq.heappush(self._until, (time.monotonic() + min(_FIRST * 2 ** (attempts - 1), _LONGEST), number))

    def over(self) -> Iterator[int]:
        """Take the tasks whose pause is over."""
        while self._until and self._until[0][0] <= time.monotonic():
            yield heapq.heappop(self._until)[1]

    def give_up(self) -> None:
        """Let no task wait any more."""
        self._until.clear()
