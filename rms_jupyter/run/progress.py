"""How far is a run?  One snapshot, whoever draws it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rms_jupyter.run.scheduler import FINAL, State

PER_SECOND = 10


@dataclass
class Snapshot:
    """Counts by pipe and state, at a moment.

    Attributes
    ----------
    pipes : mapping of str to Counter
        Pipe to number of tasks in each state.
    elapsed, left : float
        Seconds since the start; estimate of the seconds to come (0 when unknown).
    first_failure : str
        The first failed call and its message.
    finished : bool
    headline, diff : str
        What is to be known before the run: the finished work that it repeats only because code was changed; and the
        changes of the code, as a unified diff.
    """

    pipes: Mapping[str, Counter[State]]
    elapsed: float = 0.0
    left: float = 0.0
    first_failure: str = ""
    finished: bool = False
    headline: str = ""
    diff: str = ""

    @property
    def counts(self) -> Counter[State]:
        """Counts over all pipes."""
        return sum(self.pipes.values(), Counter())

    @property
    def total(self) -> int:
        """Number of tasks."""
        return self.counts.total()

    @property
    def ended(self) -> int:
        """Number of tasks that have come to an end."""
        counts = self.counts
        return sum(counts[state] for state in FINAL)

    def text(self) -> str:
        """Word the snapshot in one line.

        Examples
        --------
        >>> Snapshot({"qc": Counter(done=2, hit=1, waiting=1)}).text()
        '3 of 4: 2 done, 1 hit, 1 waiting'
        """
        counts = self.counts
        order = [State.DONE, State.HIT, State.RUNNING, State.FAILED, State.TIMED_OUT, State.UPSTREAM_FAILED]
        order += [State.CANCELLED, State.PRUNED]
        parts = [f"{counts[state]:,} {state}" for state in order if counts[state]]
        waiting = sum(counts[state] for state in (State.WAITING, State.READY, State.QUEUED))
        if waiting:
            parts.append(f"{waiting:,} waiting")
        return f"{self.ended:,} of {self.total:,}: {', '.join(parts)}" if self.total else "nothing to run"


Watch = Callable[[Snapshot], None]


class Progress:
    """Tells a watcher how far a run is, at most ten times a second.

    Parameters
    ----------
    by_pipe : mapping of str to Counter
        Counts that the scheduler keeps up to date.
    watch : callable, optional
        Gets snapshots.
    """

    def __init__(self, by_pipe: Mapping[str, Counter[State]], watch: Watch | None) -> None:
        self._by_pipe, self._watch = by_pipe, watch
        self._began = time.monotonic()
        self._told = 0.0
        self.first_failure = self._headline = self._diff = ""

    def foretell(self, headline: str, diff: str) -> None:
        """Tell at once what is to be known before the run."""
        self._headline, self._diff = headline, diff
        self._told = 0.0
        self.tell()

    def fail(self, message: str) -> None:
        """Remember the first failure."""
        self.first_failure = self.first_failure or message

    def tell(self, last: bool = False) -> None:
        """Tell the watcher, unless it was told within the last tenth of a second."""
        now = time.monotonic()
        if self._watch is None or (not last and now - self._told < 1 / PER_SECOND):
            return
        self._told = now
        snapshot = Snapshot(self._by_pipe, now - self._began, 0.0, self.first_failure, last, self._headline, self._diff)
        counts = snapshot.counts
        if counts[State.DONE]:
            snapshot.left = (snapshot.total - snapshot.ended) * snapshot.elapsed / counts[State.DONE]
        self._watch(snapshot)
