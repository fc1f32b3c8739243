"""How are tracked scripts run?  As a draft that grows: each is described when its turn comes, as it is then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from rms_jupyter.errors import RmsError
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.plan.draft import Draft
from rms_jupyter.tracked.entry import Entry
from rms_jupyter.tracked.queue import Queue

OnEnd = Callable[[Entry, Any], None]
_LOOK_EVERY = 0.3  # Seconds until a queue is looked at again in which nothing was found.


class Source(Protocol):
    """Where entries come from."""

    def take(self) -> Entry | None:
        """Return the next; None if there is none now."""

    def done(self, entry: Entry, has_run: bool = True) -> None:
        """Hear that one has ended, or (if it has not run) that it is to wait again."""

    @property
    def may_come(self) -> bool:
        """Whether more may come."""


class Listed:
    """Entries that are known.

    Parameters
    ----------
    entries : iterable of Entry
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._left = list(entries)[::-1]

    def take(self) -> Entry | None:
        """Return the next."""
        return self._left.pop() if self._left else None

    def done(self, entry: Entry, has_run: bool = True) -> None:
        """Hear nothing."""

    @property
    def may_come(self) -> bool:
        """Whether any is left."""
        return bool(self._left)


class FromQueue:
    """Entries that anybody puts into the queue.

    Parameters
    ----------
    queue : Queue
    for_ever : bool
        Whether to wait for more where there are none.
    """

    def __init__(self, queue: Queue, for_ever: bool) -> None:
        self._queue, self._for_ever = queue, for_ever
        self._look_again = 0.0

    def take(self) -> Entry | None:
        """Return the one that has waited longest."""
        if time.monotonic() < self._look_again:
            return None
        entry = self._queue.take()
        if entry is None:
            self._look_again = time.monotonic() + _LOOK_EVERY
        return entry

    def done(self, entry: Entry, has_run: bool = True) -> None:
        """Let go of it."""
        self._queue.done(entry, has_run)

    @property
    def may_come(self) -> bool:
        """Whether to wait: for others to end what they run, too, as they may die of it."""
        return self._for_ever or len(self._queue) > 0


class Work:
    """Runs entries, so many at once.

    Parameters
    ----------
    source : Source
    n_jobs : int
    call_of : callable
        Makes the call of an entry.
    on_end : callable
        Gets each entry that has ended, and what became of it: a `Planned`, or the error that kept it from running.

    Attributes
    ----------
    draft : Draft
    """

    def __init__(
        self,
        source: Source,
        n_jobs: int,
        call_of: Callable[[Entry], tuple[Definition, tuple[Any, ...]]],
        on_end: OnEnd,
    ) -> None:
        self._source, self._n_jobs, self._call_of, self._on_end = source, n_jobs, call_of, on_end
        self._running: dict[int, Entry] = {}
        self.draft = Draft(more=self._more)

    def _more(self) -> bool:
        """Add as many entries as there is room for; returns whether more may come."""
        self._settle()
        while len(self._running) < self._n_jobs and (entry := self._source.take()) is not None:
            try:
                definition, values = self._call_of(entry)
            except RmsError as error:
                self._source.done(entry)
                self._on_end(entry, error)
            else:
                self._running[self.draft.add(definition, values)] = entry
        return bool(self._running) or self._source.may_come

    def _settle(self) -> None:
        for number, entry in list(self._running.items()):
            planned = self.draft.tasks[number]
            if planned.answer is not None or planned.error is not None:
                del self._running[number]
                self._source.done(entry)
                self._on_end(entry, planned)

    def finish(self) -> None:
        """Let go of what was stopped: it waits again."""
        self._settle()
        for entry in self._running.values():
            self._source.done(entry, has_run=False)
        self._running.clear()
