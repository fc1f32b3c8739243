"""Which task is next, and what follows from what happened?  A pure state machine: events in, decisions out, no I/O.

::

    waiting → ready → hit
                    → queued → running → done
                                       → failed → (all that depends on it) upstream_failed
    any of waiting, ready, queued → cancelled
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Sequence
from enum import StrEnum


class State(StrEnum):
    """Where a task of a plan is."""

    WAITING = "waiting"
    READY = "ready"
    QUEUED = "queued"
    RUNNING = "running"
    HIT = "hit"
    DONE = "done"
    FAILED = "failed"
    UPSTREAM_FAILED = "upstream_failed"
    CANCELLED = "cancelled"


FINAL = frozenset({State.HIT, State.DONE, State.FAILED, State.UPSTREAM_FAILED, State.CANCELLED})
_TARGET_SECONDS = 0.1
_FIRST_BATCH = 4
_LARGEST_BATCH = 1000


class Scheduler:
    """The states of a plan's tasks.

    Parameters
    ----------
    needs : sequence of collections of int
        For each task, the numbers of those it waits for.
    groups : sequence of str
        For each task, its pipe: tasks of one pipe are batched by how long they have taken.
    wanted : collection of int, optional
        Only these tasks take part; all of them if not given.

    Examples
    --------
    >>> scheduler = Scheduler(needs=[(), (0,)], groups=["a", "b"])
    >>> scheduler.take_ready(10)
    [0]
    >>> scheduler.miss(0)
    >>> scheduler.next_batch(workers=2)
    [0]
    >>> scheduler.failed(0)
    [1]
    >>> scheduler.counts()
    {'failed': 1, 'upstream_failed': 1}
    """

    def __init__(
        self, needs: Sequence[Collection[int]], groups: Sequence[str], wanted: Collection[int] | None = None
    ) -> None:
        tasks = range(len(needs)) if wanted is None else sorted(wanted)
        self._groups = groups
        self._state = dict.fromkeys(tasks, State.WAITING)
        self._missing = {number: len(needs[number]) for number in tasks}
        self._dependents: dict[int, list[int]] = {}
        for number in tasks:
            for need in needs[number]:
                self._dependents.setdefault(need, []).append(number)
        self._ready: deque[int] = deque()
        self._queues: dict[str, deque[int]] = {}
        self._seconds: dict[str, float] = {}
        self._ended = 0
        self.by_group: dict[str, Counter[State]] = {}
        for number in tasks:
            self.by_group.setdefault(groups[number], Counter())[State.WAITING] += 1
        for number in tasks:
            if not self._missing[number]:
                self._move(number, State.READY)
                self._ready.append(number)

    @property
    def has_ready(self) -> bool:
        """Whether tasks wait to be looked up."""
        return bool(self._ready)

    def take_ready(self, most: int) -> list[int]:
        """Take tasks whose inputs are all there, to be looked up in the store."""
        return [self._ready.popleft() for _ in range(min(most, len(self._ready)))]

    def hit(self, number: int) -> None:
        """The store answered a task."""
        self._move(number, State.HIT)
        self._release(number)

    def miss(self, number: int) -> None:
        """The store did not answer a task: it must run."""
        self._move(number, State.QUEUED)
        self._queues.setdefault(self._groups[number], deque()).append(number)

    def postpone(self, number: int) -> None:
        """A task of a batch is being computed elsewhere: it will be looked up again."""
        self._move(number, State.READY)

    def look_again(self, number: int) -> None:
        """Look a postponed task up again."""
        self._ready.append(number)

    def next_batch(self, workers: int) -> list[int]:
        """Choose queued tasks of one pipe that together take about a tenth of a second; none when nothing is queued."""
        group = next((group for group, queue in self._queues.items() if queue), None)
        if group is None:
            return []
        queue = self._queues[group]
        batch = [queue.popleft() for _ in range(self._batch_size(group, len(queue), workers))]
        self._queues[group] = self._queues.pop(group)
        for number in batch:
            self._move(number, State.RUNNING)
        return batch

    def done(self, number: int, seconds: float) -> None:
        """A task has finished."""
        self._learn(self._groups[number], seconds)
        self._move(number, State.DONE)
        self._release(number)

    def failed(self, number: int) -> list[int]:
        """A task has failed; gives the tasks that can not run because of it."""
        self._move(number, State.FAILED)
        hopeless, open_ends = [], [number]
        while open_ends:
            for dependent in self._dependents.get(open_ends.pop(), ()):
                if self._state[dependent] not in FINAL:
                    self._move(dependent, State.UPSTREAM_FAILED)
                    hopeless.append(dependent)
                    open_ends.append(dependent)
        return hopeless

    def cancel(self) -> list[int]:
        """Give up all that has not begun; gives the tasks given up."""
        given_up = [n for n, s in self._state.items() if s in (State.WAITING, State.READY, State.QUEUED)]
        for number in given_up:
            self._move(number, State.CANCELLED)
        self._ready.clear()
        self._queues.clear()
        return given_up

    def cancelled(self, number: int) -> None:
        """A running task was stopped."""
        self._move(number, State.CANCELLED)

    def state(self, number: int) -> State:
        """Where a task is."""
        return self._state[number]

    def counts(self) -> dict[str, int]:
        """How many tasks are in each state."""
        total: Counter[State] = sum(self.by_group.values(), Counter())
        return {str(state): count for state, count in total.items() if count}

    @property
    def finished(self) -> bool:
        """Whether every task has come to an end."""
        return self._ended == len(self._state)

    def _batch_size(self, group: str, queued: int, workers: int) -> int:
        seconds = self._seconds.get(group)
        if seconds is None:
            size = _FIRST_BATCH
        else:
            size = int(min(_LARGEST_BATCH, max(1, _TARGET_SECONDS / max(seconds, 1e-6))))
        return max(1, min(size, -(-queued // (2 * workers))))

    def _learn(self, group: str, seconds: float) -> None:
        known = self._seconds.get(group)
        self._seconds[group] = seconds if known is None else 0.8 * known + 0.2 * seconds

    def _release(self, number: int) -> None:
        for dependent in self._dependents.get(number, ()):
            self._missing[dependent] -= 1
            if not self._missing[dependent] and self._state[dependent] is State.WAITING:
                self._move(dependent, State.READY)
                self._ready.append(dependent)

    def _move(self, number: int, state: State) -> None:
        counts = self.by_group[self._groups[number]]
        counts[self._state[number]] -= 1
        counts[state] += 1
        self._state[number] = state
        self._ended += state in FINAL
