"""What does the user hold of tracked scripts?  Their states, and what can be done with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from rms_jupyter.harmless import fits_console
from rms_jupyter.tracked.entry import Entry
from rms_jupyter.views.tracked import Overview


class TrackedHost(Protocol):
    """What tracked scripts ask of the session."""

    def overview_of(self, entries: Sequence[Entry]) -> Overview:
        """Say how scripts stand."""

    def run_entries(self, entries: Sequence[Entry], n_jobs: int | None = None) -> Overview:
        """Run what is not up to date."""

    def queue_entries(self, entries: Sequence[Entry]) -> list[Entry]:
        """Put what is not up to date into the queue."""

    def cancel_entries(self, entries: Sequence[Entry]) -> list[Entry]:
        """Take what waits out of the queue."""

    def untrack_entries(self, entries: Sequence[Entry]) -> None:
        """Track scripts no more."""


class TrackedFiles:
    """Tracked scripts and notebooks, each with one way to run it; shows how they stand. Made by `Session.track`.

    Parameters
    ----------
    host : TrackedHost
    entries : list of Entry
    """

    def __init__(self, host: TrackedHost, entries: Sequence[Entry]) -> None:
        self._host, self.entries = host, list(entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def states(self) -> Overview:
        """Say how they stand: a row each, with ``state``, ``detail``, ``last run``, ``seconds``."""
        return self._host.overview_of(self.entries)

    def run(self, n_jobs: int | None = None) -> Overview:
        """Run what is not up to date, `n_jobs` at once (one a core by default); returns how they stand then."""
        return self._host.run_entries(self.entries, n_jobs)

    def queue(self) -> list[Entry]:
        """Put what is not up to date into the queue, for ``rms work``; returns what was not in it."""
        return self._host.queue_entries(self.entries)

    def cancel(self) -> list[Entry]:
        """Take what waits out of the queue; returns that. What has begun goes on."""
        return self._host.cancel_entries(self.entries)

    def untrack(self) -> None:
        """Track them no more; what they have made stays."""
        self._host.untrack_entries(self.entries)

    @fits_console
    def __repr__(self) -> str:
        return repr(self.states())

    def _repr_html_(self) -> str:
        return self.states()._repr_html_()
