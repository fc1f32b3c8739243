"""Which of the calls that wait may begin now?

All of them; or so many at a time; or those of a range that the data has reached, as whoever follows an acquisition
says: ``release=lambda rule: (first, behind the last)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rms_jupyter.errors import RmsError
from rms_jupyter.flows.rules.ledger import CompleteCall

Range = tuple[int, int]
Release = int | Callable[[Any], Range | None] | None


def in_order(calls: Iterable[CompleteCall]) -> list[CompleteCall]:
    """Sort calls by what their files are called, numbers as numbers."""

    def place(call: CompleteCall) -> list[tuple[bool, Any]]:
        return [(isinstance(v, str), v) for v in call.match.values.values() if isinstance(v, (str, int, float))]

    return sorted(calls, key=place)


def in_groups(calls: Sequence[CompleteCall], size: int, is_complete: bool) -> Sequence[CompleteCall]:
    """Return the calls that make whole groups; what is left over waits for more, unless there will be none.

    Examples
    --------
    >>> in_groups("abcde", 2, False), in_groups("abcde", 2, True)
    ('abcd', 'abcde')
    """
    return calls if is_complete else calls[: len(calls) - len(calls) % size]


class Released:
    """The numbers that were released so far.

    Parameters
    ----------
    index : str
        The wildcard that is the number of a call.
    """

    def __init__(self, index: str) -> None:
        self._index, self._ranges = index, list[Range]()

    def extend(self, answer: Any) -> Range | None:
        """Note what a user's function has released; None and an empty range release nothing.

        Raises
        ------
        RmsError
            If that is not a range.
        """
        if answer is None:
            return None
        if isinstance(answer, range) and answer.step == 1:
            answer = answer.start, answer.stop
        if not (isinstance(answer, tuple) and len(answer) == 2 and all(type(end) is int for end in answer)):
            raise RmsError(f"release has returned {answer!r}", hint="return (first, behind the last), or None")
        start, stop = answer
        if start >= stop:
            return None
        self._ranges.append((start, stop))
        return start, stop

    def covers(self, call: CompleteCall) -> bool:
        """Whether a call is in a range that was released.

        Examples
        --------
        >>> from rms_jupyter.flows.rules.joining import Match
        >>> released = Released("n")
        >>> released.extend((0, 2)), released.covers(CompleteCall(Match({}, {"n": 1})))
        ((0, 2), True)
        """
        number = call.match.values[self._index]
        return any(start <= number < stop for start, stop in self._ranges)
