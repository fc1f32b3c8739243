"""For whom is noted what code touches in this thread?

For the tasks that run in it. In a thread that a task has started, for that task while it runs; in one of which nobody
knows whom it works for, such as one of a pool that was there before, for all tasks that run.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol


class Notes(Protocol):
    """What is noted for one task."""

    def note(self, what: str, *about: Any) -> None:
        """Note something."""


running: set[Notes] = set()
_here: ContextVar[tuple[Notes, ...] | None] = ContextVar("rms_noting", default=None)
_everywhere: tuple[Notes, ...] = ()
_starters: weakref.WeakKeyDictionary[threading.Thread, tuple[Notes, ...]] = weakref.WeakKeyDictionary()


def begin(notes: Notes) -> None:
    """Note for one more task in this thread, and in what it starts."""
    running.add(notes)
    _here.set((*(_here.get() or ()), notes))


def begin_everywhere(notes: Notes) -> None:
    """Note what is done anywhere in this process, from now on: it is that of a script."""
    global _everywhere
    running.add(notes)
    _everywhere = (notes,)


def end(notes: Notes) -> None:
    """Note no more for a task."""
    running.discard(notes)
    _here.set(tuple(other for other in _here.get() or () if other is not notes) or None)


@contextmanager
def untouched() -> Iterator[None]:
    """Let what is touched in a block count for nobody."""
    before = _here.get()
    _here.set(())
    try:
        yield
    finally:
        _here.set(before)


def noted_here() -> tuple[Notes, ...]:
    """Return for whom this thread works."""
    known = _here.get()
    if known is not None or not running:
        return known or ()
    if _everywhere:
        return _everywhere
    thread = threading.current_thread()
    if thread is threading.main_thread() or thread.name.startswith(("rms-", "rms_")):
        return ()  # What the notebook does beside a run, and threads of ours.
    return tuple(notes for notes in _starters.get(thread, ()) if notes in running) or tuple(running)


def thread_starts(bootstrap: Any) -> None:
    """Remember for whom a thread is started; `bootstrap` is what it runs."""
    thread = getattr(bootstrap, "__self__", None)
    if isinstance(thread, threading.Thread) and (notes := noted_here()):
        _starters[thread] = notes
