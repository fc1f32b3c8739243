"""How far is a run?  One snapshot, whoever draws it."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from rms_jupyter.run.plan.scheduler import FINAL, TaskState

PER_SECOND = 10
_FIRST_FAILURES = 20
_RATE_OVER = 5.0
_ENOUGH_ENDED = 20
_STEADY_OVER = 5.0
UNFINISHED = (TaskState.WAITING, TaskState.READY, TaskState.QUEUED)
_NOT_LOOKED_UP = (TaskState.WAITING, TaskState.READY)
HAVE_RUN = (TaskState.DONE, TaskState.FAILED, TaskState.TIMED_OUT)


class FailedTask(NamedTuple):
    """A call that failed, in words; `task` is its id on record, 0 where it has none."""

    call: str
    error: str
    task: int = 0


@dataclass
class Snapshot:
    """Counts by pipe and state, at a moment.

    Attributes
    ----------
    pipes : mapping of str to Counter
        Pipe to number of tasks in each state.
    elapsed, left : float
        Seconds since the start; estimate of the seconds to come (0 when unknown).
    rate : float
        Tasks that came to an end in a second, of late.
    busy, workers : int
        How many workers have something to do, and how many there are.
    saved : float
        Seconds that the hits had taken when they ran.
    failures : tuple of FailedCall
        The first ones.
    stopping, finished : bool
    headline, diff : str
        What is to be known before the run: the finished work that it repeats only because code was changed; and the
        changes of the code, as a unified diff.
    starting : bool
        Whether something is to run, and no worker is there yet.
    """

    pipes: Mapping[str, Counter[TaskState]]
    elapsed: float = 0.0
    left: float = 0.0
    rate: float = 0.0
    busy: int = 0
    workers: int = 1
    saved: float = 0.0
    failures: tuple[FailedTask, ...] = ()
    stopping: bool = False
    finished: bool = False
    headline: str = ""
    diff: str = ""
    starting: bool = False

    @property
    def counts(self) -> Counter[TaskState]:
        """Counts over all pipes."""
        return sum(self.pipes.values(), Counter())

    @property
    def total(self) -> int:
        """Number of tasks."""
        return self.counts.total()

    @property
    def ended(self) -> int:
        """Number of tasks that have come to an end."""
        return together(self.counts, FINAL)

    @property
    def first_failure(self) -> str:
        """The first failed call and its message."""
        return f"{self.failures[0].call} {self.failures[0].error}" if self.failures else ""

    def text(self) -> str:
        """Word the snapshot in one line.

        Examples
        --------
        >>> Snapshot({"qc": Counter(done=2, hit=1, waiting=1)}).text()
        '3 of 4: 2 done, 1 hit, 1 waiting'
        """
        counts = self.counts
        order = [
            TaskState.DONE,
            TaskState.HIT,
            TaskState.RUNNING,
            TaskState.FAILED,
            TaskState.TIMED_OUT,
            TaskState.UPSTREAM_FAILED,
        ]
        order += [TaskState.CANCELLED, TaskState.PRUNED]
        parts = [f"{counts[state]:,} {state.words}" for state in order if counts[state]]
        waiting = together(counts, UNFINISHED)
        if waiting:
            parts.append(f"{waiting:,} waiting")
        return f"{self.ended:,} of {self.total:,}: {', '.join(parts)}" if self.total else "nothing to run"


Watch = Callable[[Snapshot], None]


class Progress:
    """Knows how far a run is; whoever wants to see it takes a snapshot, from any thread.

    Parameters
    ----------
    by_pipe : mapping of str to Counter
        Counts that the scheduler keeps up to date.
    seconds : mapping of str to float
        How long a task of each pipe takes, as far as that is known; kept up to date too.
    workers, busy : callable
        Tell how many workers there are, and how many of them have something to do.
    is_starting : callable
        Tells whether none of them is there yet.
    watch : callable, optional
        Is told at most ten times a second, by the thread that runs the plan.
    """

    def __init__(
        self,
        by_pipe: Mapping[str, Counter[TaskState]],
        seconds: Mapping[str, float],
        workers: Callable[[], int],
        busy: Callable[[], int],
        is_starting: Callable[[], bool],
        watch: Watch | None,
    ) -> None:
        self._by_pipe, self._seconds, self._watch = by_pipe, seconds, watch
        self._workers, self._busy, self._is_starting = workers, busy, is_starting
        self._began, self._told = time.monotonic(), 0.0
        self._lock = threading.Lock()
        self._recent: deque[tuple[float, int]] = deque()
        self._moved: dict[str, tuple[int, float]] = {}
        self._left = self._began, 0.0
        self._failures: list[FailedTask] = []
        self._finished = False
        self._headline = self._diff = ""
        self.saved = 0.0

    def foretell(self, headline: str, diff: str) -> None:
        """Tell at once what is to be known before the run."""
        self._headline, self._diff = headline, diff
        self._told = 0.0
        self.tell()

    def fail(self, call: Callable[[], str], error: str, task: int) -> None:
        """Remember one of the first failures; `call` words it."""
        if len(self._failures) < _FIRST_FAILURES:
            self._failures.append(FailedTask(call(), error, task))

    def tell(self) -> None:
        """Tell the watcher, unless it was told within the last tenth of a second."""
        now = time.monotonic()
        if self._watch is not None and now - self._told >= 1 / PER_SECOND:
            self._told = now
            self._watch(self.snapshot())

    def finish(self) -> None:
        """Tell the watcher that this was all."""
        self._finished = True
        if self._watch is not None:
            self._watch(self.snapshot())

    def snapshot(self, is_stopping: bool = False) -> Snapshot:
        """Say how far the run is."""
        now = time.monotonic()
        pipes = {pipe: Counter(dict(counts)) for pipe, counts in list(self._by_pipe.items())}
        total: Counter[TaskState] = sum(pipes.values(), Counter())
        with self._lock:
            rate = self._rate(now, together(total, FINAL))
            still = self._still(now, pipes)
            elapsed = now - self._began
            workers = self._workers()
            left = 0.0 if self._finished else time_left(pipes, self._seconds, workers, elapsed, still)
            left = steadied(self._left[1], now - self._left[0], left)
            self._left = now, left
        is_starting = self._is_starting()
        busy = 0 if is_starting else min(workers, max(self._busy(), total[TaskState.RUNNING] > 0))
        return Snapshot(
            pipes,
            elapsed,
            left,
            rate,
            busy,
            workers,
            self.saved,
            tuple(self._failures),
            is_stopping,
            self._finished,
            self._headline,
            self._diff,
            is_starting,
        )

    def _rate(self, now: float, ended: int) -> float:
        recent = self._recent
        recent.append((now, ended))
        while now - recent[0][0] > _RATE_OVER:
            recent.popleft()
        since, before = recent[0]
        return (ended - before) / (now - since) if now > since else 0.0

    def _still(self, now: float, pipes: Mapping[str, Counter[TaskState]]) -> dict[str, float]:
        """Tell for how long nothing of each pipe has begun or ended."""
        for pipe, counts in pipes.items():
            moved = 2 * together(counts, FINAL) + counts[TaskState.RUNNING]
            if self._moved.get(pipe, (-1, now))[0] != moved:
                self._moved[pipe] = moved, now
        return {pipe: now - since for pipe, (_, since) in self._moved.items()}


def time_left(
    pipes: Mapping[str, Counter[TaskState]],
    seconds: Mapping[str, float],
    workers: int,
    elapsed: float,
    still: Mapping[str, float],
) -> float:
    """Estimate the seconds to come from how long tasks of each pipe take.

    Tasks that were not looked up yet are hits as often as those that were; pipes that have never run take as long as
    the others do. Once enough has ended, the pace of this run counts and not the number of workers.

    Parameters
    ----------
    pipes : mapping of str to Counter
        Pipe to number of tasks in each state.
    seconds : mapping of str to float
        How long a task of each pipe takes.
    workers : int
    elapsed : float
        Seconds since the start.
    still : mapping of str to float
        For how many seconds nothing of each pipe has begun or ended.

    Returns
    -------
    float
        0 where nothing is known.

    Examples
    --------
    >>> time_left({"align": Counter(queued=40), "merge": Counter(waiting=1)}, {"align": 60.0, "merge": 5.0}, 8, 0.0, {})
    300.625
    """
    known = [seconds[pipe] for pipe in pipes if pipe in seconds]
    if not known:
        return 0.0
    usual = sum(known) / len(known)
    todo = longest = done = 0.0
    ran = 0
    for pipe, counts in pipes.items():
        each = seconds.get(pipe, usual)
        coming, running = counts[TaskState.QUEUED] + _misses(counts), counts[TaskState.RUNNING]
        todo += each * (coming + running / 2)
        longest = max(longest, each if coming else max(0.0, each - still.get(pipe, 0.0)) if running else 0.0)
        ended = together(counts, HAVE_RUN)
        ran, done = ran + ended, done + each * ended
    pace = done / elapsed if ran >= _ENOUGH_ENDED * workers and done and elapsed else workers
    return max(todo / min(pace, workers), longest)


def steadied(before: float, since: float, estimate: float) -> float:
    """Go from what was said of the time left `since` seconds ago to a new estimate by and by, not in one jump.

    Examples
    --------
    >>> [round(steadied(100.0, since, new), 1) for since, new in ((0.1, 99.0), (0.1, 400.0), (10.0, 400.0))]
    [99.9, 105.8, 358.0]

    What is known for the first time, or not any more, is said at once:

    >>> steadied(0.0, 0.1, 50.0), steadied(50.0, 0.1, 0.0)
    (50.0, 0.0)
    """
    if not before or not estimate:
        return estimate
    expected = max(0.0, before - since)
    return expected + (1 - math.exp(-since / _STEADY_OVER)) * (estimate - expected)


def _misses(counts: Counter[TaskState]) -> float:
    """Estimate how many of the tasks that were not looked up yet will have to run."""
    unknown = together(counts, _NOT_LOOKED_UP)
    misses = together(counts, (TaskState.QUEUED, TaskState.RUNNING, *HAVE_RUN))
    return unknown * misses / (misses + counts[TaskState.HIT]) if misses or counts[TaskState.HIT] else unknown


def together(counts: Mapping[TaskState, int], states: Iterable[TaskState]) -> int:
    """Count the tasks that are in any of these states."""
    return sum(counts.get(state, 0) for state in states)
