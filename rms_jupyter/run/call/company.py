"""Did other calls run at the same time, in other threads, so that what has changed may be theirs?"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Company:
    """The calls that run here.

    Attributes
    ----------
    latest : int
        The number of the call that was the last to begin, or to change something; each gets another one.
    """

    def __init__(self) -> None:
        self.latest = 0
        self._numbers = itertools.count(1)
        self._under_way: set[int] = set()

    def is_there(self, as_of: int) -> bool:
        """Whether a call runs, or one has begun since `latest` was what it was then."""
        return bool(self._under_way) or self.latest != as_of

    def step(self) -> int:
        """Note that a call begins, or changes something."""
        self.latest = next(self._numbers)
        return self.latest

    @contextmanager
    def joined(self, as_of: int) -> Iterator[Callable[[], bool]]:
        """Run a call that was identified when `latest` was that; gives what says whether it had company."""
        was_there, mine = self.is_there(as_of), self.step()
        self._under_way.add(mine)
        try:
            yield lambda: was_there or self.latest != mine
        finally:
            self._under_way.discard(mine)
