"""How does one see what a task prints while it still runs?  Twice a second, a thread copies it to a file of the store.

It begins when a task has run for about a second, so that short ones cost nothing. What is copied ends with a whole
line, or with what has stood unfinished since the look before: a task that prints dots shows them.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from typing import Protocol

from rms_jupyter.store.live import LiveText

_EVERY = 0.5  # seconds


Place = tuple[str, str]  # Where a task's text goes: the store's ``running`` directory, and the key of the call.


class Printing(Protocol):
    """A task that prints; it is told from others by its identity."""

    place: Place | None
    takes_long: Callable[[], object]

    def so_far(self, start: int) -> bytes:
        """Give what it has printed, from a byte on."""


class _Copy:
    """The copy of what a task prints that was seen to run."""

    def __init__(self, task: Printing) -> None:
        self._task, self._began, self._stood = task, time.time(), 0
        self._file: LiveText | None = None

    def update(self) -> None:
        """Copy what is new."""
        assert self._task.place is not None
        with contextlib.suppress(OSError):  # A full disk, or (on another machine) no store.
            self._file = self._file or LiveText(*self._task.place, self._began)
            new = self._task.so_far(self._file.size)
            whole = max(new.rfind(b"\n") + 1, self._stood)
            self._stood = len(new) - whole
            if whole:
                self._file.add(new[:whole])

    def remove(self) -> None:
        if self._file is not None:
            self._file.remove()


_tasks: dict[Printing, _Copy | None] = {}
_lock = threading.Lock()
_thread: threading.Thread | None = None


def begin(task: Printing) -> None:
    """Copy what a task prints, until `end`, or until another begins in its place."""
    global _thread
    with _lock:
        copy = _tasks.get(task)
        _tasks[task] = None
        if _thread is None:
            _thread = threading.Thread(target=_look_on, name="rms-live", daemon=True)
            _thread.start()
    if copy is not None:
        copy.remove()


def end(task: Printing) -> None:
    """The task has ended: its record has its text."""
    with _lock:
        copy = _tasks.pop(task, None)
    if copy is not None:
        copy.remove()


def _look_on() -> None:
    """Look at all tasks, again and again while there are any."""
    global _thread
    while True:
        time.sleep(_EVERY)
        with _lock:
            if not _tasks:
                _thread = None
                return
            for task, copy in _tasks.items():
                if copy is None:
                    _tasks[task] = _Copy(task)
                    task.takes_long()
                else:
                    copy.update()


def _after_fork_in_child() -> None:
    global _thread, _lock
    _thread, _lock = None, threading.Lock()
    _tasks.clear()


os.register_at_fork(after_in_child=_after_fork_in_child)
