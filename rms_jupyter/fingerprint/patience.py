"""What is said of work of ours, beside the user's, that takes longer than a second?"""

from __future__ import annotations

import time
from collections.abc import Callable

from rms_jupyter.interrupts import hear

_TOO_LONG = 1.0


def _say_nothing(message: str) -> None:
    """Nobody listens."""


_listener: list[Callable[[str], None]] = [_say_nothing]


def listen(say: Callable[[str], None]) -> None:
    """Have it said from now on by `say`, at once."""
    _listener[0] = say


def say(message: str) -> None:
    """Say at once what is being done."""
    _listener[0](message)


class Patience:
    """Says what is being done, once it has taken too long.

    Parameters
    ----------
    doing : str
        What is being done: ``reading the code that qc rests on``.
    """

    __slots__ = ("_began", "_doing", "_said")

    def __init__(self, doing: str) -> None:
        self._doing, self._began, self._said = doing, time.monotonic(), False

    def tick(self) -> None:
        """To be called often while it is being done; it leaves nothing half done."""
        hear()
        if not self._said and time.monotonic() - self._began > _TOO_LONG:
            self._said = True
            say(f"{self._doing} …")
