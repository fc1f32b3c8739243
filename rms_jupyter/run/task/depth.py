"""How deep may the user's functions call one another, where frames of ours stand between theirs?

As deep as without us: while a pipe runs, the limit that Python sets to recursion is raised by what our frames take,
call by call, and put back at the end. Whoever goes deeper gets the error that Python gives.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from threading import get_ident
from typing import Any

_CALLS_IN_C_COUNT = sys.version_info < (3, 12)
_AROUND = 9 if _CALLS_IN_C_COUNT else 8  # What stands between whoever calls a pipe and its function; a test counts.
_BETWEEN = 2 if _CALLS_IN_C_COUNT else 1  # What a pipe takes that is called within a running one.
_AHEAD = 30  # What it may need for itself before the function is called.
_DEEP = 3100  # Deeper than the usual limits let one go, not as deep as the stack of a thread.


class _Limit:
    """The limit of this process, raised by what our frames take in all threads together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = self._added = 0
        self._levels: dict[int, int] = {}  # Of pipes within running ones, by thread.
        self._known: dict[int, int] = {}  # What is added in the limits that may be set; an interrupt may keep the old.

    def begin(self) -> None:
        """Raise it for a call that begins."""
        with self._lock:
            self._running += 1
            self._add(_AROUND + _AHEAD)

    def end(self) -> None:
        """Take that back; what an interrupt has left, too, when nothing runs any more."""
        with self._lock:
            self._running -= 1
            self._levels.pop(get_ident(), None)
            self._add(-_AROUND - _AHEAD if self._running else -self._added)

    def deeper(self) -> bool:
        """Raise it for a pipe that is called within a running one; return whether this thread is deep inside.

        Raises
        ------
        RecursionError
            If that could not be called without us either.
        """
        with self._lock:
            plain, before, after = self._plain(), self._added, self._added + _BETWEEN
            probe = after - _AHEAD + 1
            self._known = {plain + added: added for added in (before, probe, after)}
            try:
                sys.setrecursionlimit(plain + probe)  # Refused where that many frames are in use.
                is_refused = False
            except RecursionError:
                is_refused = True
            self._added = before if is_refused else after
            sys.setrecursionlimit(plain + self._added)
            levels = self._levels.get(get_ident(), 0) + (not is_refused)
            self._levels[get_ident()] = levels
        if is_refused:
            raise RecursionError("maximum recursion depth exceeded")
        return levels > _DEEP

    def back(self) -> None:
        """Take back what `deeper` has added."""
        with self._lock:
            self._levels[get_ident()] = self._levels.get(get_ident(), 1) - 1
            self._add(-_BETWEEN)

    def _add(self, frames: int) -> None:
        plain, after = self._plain(), self._added + frames
        self._known = {plain + self._added: self._added, plain + after: after}
        self._added = after
        sys.setrecursionlimit(plain + after)

    def _plain(self) -> int:
        """What the limit is without us: the user's functions may have set another one."""
        now = sys.getrecursionlimit()
        return now - self._known.get(now, 0)


_limit = _Limit()
deeper, back = _limit.deeper, _limit.back


class as_deep_as_plainly:
    """Let a function that is called in a ``with`` block go as deep as without the frames of ours around it."""

    __slots__ = ("_asks",)

    def __init__(self, function: Callable[..., Any]) -> None:
        code = getattr(function, "__code__", None)
        self._asks = code is not None and "getrecursionlimit" in code.co_names  # It must see the limit as it is.

    def __enter__(self) -> None:
        if not self._asks:
            _limit.begin()

    def __exit__(self, *error: object) -> None:
        if not self._asks:
            _limit.end()
