"""Which task is next, and what follows from what happened?  A pure state machine: events in, decisions out, no I/O.

::

    waiting → ready → hit
                    → queued → running → done
                                       → failed, timed_out → (all that depends on it) upstream_failed
                                       → (again) queued
    any of waiting, ready, queued → cancelled, pruned
"""

from __future__ import annotations

import heapq
from array import array
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import groupby

from rms_jupyter.run.call.demand import Demand
from rms_jupyter.run.plan.critical_path import by_critical_path


class TaskState(StrEnum):
    """Where a task of a plan is."""

    WAITING = "waiting"
    READY = "ready"
    QUEUED = "queued"
    RUNNING = "running"
    HIT = "hit"
    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    UPSTREAM_FAILED = "upstream_failed"
    CANCELLED = "cancelled"
    PRUNED = "pruned"

    @property
    def words(self) -> str:
        """What a person is told."""
        return {self.UPSTREAM_FAILED: "not run"}.get(self, self.replace("_", " "))


SUCCEEDED = frozenset({TaskState.HIT, TaskState.DONE})
FINAL = frozenset(
    {
        *SUCCEEDED,
        TaskState.FAILED,
        TaskState.TIMED_OUT,
        TaskState.UPSTREAM_FAILED,
        TaskState.CANCELLED,
        TaskState.PRUNED,
    }
)
_ONE_CORE = Demand()
_NOT_BEGUN = (TaskState.WAITING, TaskState.READY, TaskState.QUEUED)
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
    capacity : Demand
        Cores there are (tasks that run at once), and memory (0: not limited); may be set anew while the plan runs.
    demands : mapping of str to Demand
        What a task of a pipe needs; one core if not given. Pipes with demands are not batched.
    seconds : mapping of str to float
        How long tasks of a pipe have taken before: those with the longest way to the end go first.
    lazy : collection of int
        These tasks run one by one, each right before the first that needs it.

    Attributes
    ----------
    by_group : dict of str to Counter
        How many tasks of a pipe are in each state.
    seconds : dict of str to float
        How long tasks of a pipe take, as learned until now.

    Examples
    --------
    >>> scheduler = Scheduler(needs=[(), (0,)], groups=["a", "b"])
    >>> scheduler.take_ready(10)
    [0]
    >>> scheduler.miss(0)
    >>> scheduler.next_batch()
    [0]
    >>> scheduler.failed(0)
    [1]
    >>> scheduler.counts()
    {'failed': 1, 'upstream_failed': 1}
    """

    def __init__(
        self,
        needs: Sequence[Collection[int]],
        groups: Sequence[str],
        wanted: Collection[int] | None = None,
        capacity: Demand = _ONE_CORE,
        demands: Mapping[str, Demand] | None = None,
        seconds: Mapping[str, float] | None = None,
        lazy: Collection[int] = (),
    ) -> None:
        numbers = range(len(needs)) if wanted is None else sorted(wanted)
        tasks = list(numbers)  # So that there is one object for each number.
        ready = [number for number in tasks if not needs[number]]
        self._groups = list(groups)
        self._state = dict.fromkeys(tasks, TaskState.WAITING) | dict.fromkeys(ready, TaskState.READY)
        self._missing = {number: len(needs[number]) for number in tasks if needs[number]}
        self._dependents: dict[int, list[int]] = {}
        for number in tasks:
            for need in needs[number]:
                self._dependents.setdefault(need, []).append(number)
        self._ready = deque(ready)
        self._queues: dict[str, list[int]] = {}
        self.seconds = dict(seconds or {})
        place, at_place = by_critical_path(needs, groups, self.seconds, lazy)
        self._place, self._at_place = array("q", place), array("q", at_place)
        self.capacity, self._demands = capacity, dict(demands or {})
        self._held: dict[int, Demand] = {}
        self._cores = self._memory = 0
        self._alone: set[int] = set()
        self._lazy = set(lazy)
        self._asking: set[int] = set()
        self._ended = 0
        self._is_cancelled = False
        in_all, at_once = (Counter(map(groups.__getitem__, numbers)) for numbers in (tasks, ready))
        self.by_group = {
            group: Counter({TaskState.WAITING: count - at_once[group], TaskState.READY: at_once[group]})
            for group, count in in_all.items()
        }

    # Looking up ----------------------------------------------------------------------------------------------------

    @property
    def has_ready(self) -> bool:
        """Whether tasks wait to be looked up."""
        return bool(self._ready)

    def take_ready(self, most: int) -> list[int]:
        """Take tasks whose inputs are all there, to be looked up in the store."""
        taken = [self._ready.popleft() for _ in range(min(most, len(self._ready)))]
        return [number for number in taken if self._state[number] is TaskState.READY]

    def hit(self, number: int) -> None:
        """The store answered a task."""
        self._give_back(number)
        self._move(number, TaskState.HIT)
        self._release(number)

    def miss(self, *numbers: int) -> None:
        """The store did not answer tasks: they must run, unless they were given up meanwhile."""
        self._queue([number for number in numbers if self._state[number] is TaskState.READY])

    def postpone(self, number: int) -> None:
        """A task of a batch is being computed elsewhere: it will be looked up again."""
        self._give_back(number)
        self._move(number, TaskState.READY)

    def look_again(self, number: int) -> None:
        """Look a postponed task up again."""
        self._ready.append(number)

    # Running -------------------------------------------------------------------------------------------------------

    def next_batch(self, depth: int = 1) -> list[int]:
        """Choose queued tasks of one pipe, together a tenth of a second long; none when none can run now.

        Parameters
        ----------
        depth : int
            How many batches may wait for each core beside the one that runs, so that no core waits for us.
        """
        group = self._next_group(depth)
        if group is None:
            return []
        queue = self._queues[group]
        batch = [self._at_place[heapq.heappop(queue)]]
        if batch[0] not in self._alone and batch[0] not in self._lazy:
            size = self._batch_size(group, 1 + len(queue))
            while len(batch) < size and queue and self._at_place[queue[0]] not in self._alone:
                batch.append(self._at_place[heapq.heappop(queue)])
        self._hold(batch[0], self._demand(group))
        self._move_all(batch, TaskState.RUNNING)
        return batch

    def again(self, number: int, alone: bool = False) -> None:
        """Queue a task that has run once more; `alone`, because it may have killed its worker."""
        self._give_back(number)
        if alone:
            self._alone.add(number)
        self._queue([number])

    def know(self, group: str, demand: Demand | None, seconds: float | None) -> None:
        """Take in what tasks of a pipe need and how long they have taken, before such tasks are added."""
        if demand is not None:
            self._demands[group] = demand
        if seconds is not None:
            self.seconds.setdefault(group, seconds)

    def grow(
        self, needs: Sequence[Collection[int]], groups: Sequence[str], lazy: Collection[int] = ()
    ) -> Sequence[int]:
        """Add tasks to the plan, which may need those that are there and each other. Gives their numbers.

        Those that need what has failed cannot run; after `cancel`, none can.
        """
        first = len(self._groups)
        numbers = range(first, first + len(groups))
        self._groups += groups
        self._place.extend(numbers)
        self._at_place.extend(numbers)
        self._lazy.update(lazy)
        for number, own in zip(numbers, needs, strict=True):
            self._state[number] = TaskState.WAITING
            if (group := self._groups[number]) not in self.by_group:
                self.by_group[group] = Counter()
            self.by_group[group][TaskState.WAITING] += 1
            self._wait_for(number, own)
        if self._is_cancelled:
            self._move_all([number for number in numbers if self._state[number] not in FINAL], TaskState.CANCELLED)
        return numbers

    def await_further(self, parent: int, numbers: Sequence[int]) -> None:
        """A task has run and asked for others; it is done when they are."""
        self._give_back(parent)
        self._move(parent, TaskState.CANCELLED if self._is_cancelled else TaskState.WAITING)
        for number in numbers:
            self._dependents.setdefault(number, []).append(parent)
        self._missing[parent] = len(numbers)
        self._asking.add(parent)

    def pause(self, number: int) -> None:
        """A task that has failed is to wait before it runs `again`."""
        self._give_back(number)
        self._move(number, TaskState.WAITING)

    def is_alone(self, number: int) -> bool:
        """Tell whether a task runs in a batch and process of its own."""
        return number in self._alone

    # Ending --------------------------------------------------------------------------------------------------------

    def done(self, seconds: Mapping[int, float]) -> None:
        """Tasks have finished; how long each of them took."""
        self._learn(seconds)
        for number in seconds:
            self._give_back(number)
        self._move_all(tuple(seconds), TaskState.DONE)
        if self._dependents:
            for number in seconds:
                self._release(number)

    def failed(self, number: int, state: TaskState = TaskState.FAILED) -> list[int]:
        """A task has failed or timed out; gives the tasks that can not run because of it."""
        self._give_back(number)
        self._move(number, state)
        return self._give_up_below(number, TaskState.UPSTREAM_FAILED)

    def prune(self, number: int) -> list[int]:
        """Leave a task out, with all that depends on it; gives all of these."""
        self._move(number, TaskState.PRUNED)
        return [number, *self._give_up_below(number, TaskState.PRUNED)]

    def cancel(self) -> list[int]:
        """Give up all that has not begun; gives the tasks given up."""
        self._is_cancelled = True
        given_up = [number for number, state in self._state.items() if state in _NOT_BEGUN]
        self._move_all(given_up, TaskState.CANCELLED)
        self._ready.clear()
        self._queues.clear()
        return given_up

    def cancelled(self, number: int) -> None:
        """A running task was stopped."""
        self._give_back(number)
        self._move(number, TaskState.CANCELLED)

    # Asking --------------------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """How many tasks the plan has, with those that do not take part."""
        return len(self._groups)

    def knows(self, number: int) -> bool:
        """Tell whether a task takes part."""
        return number in self._state

    def state(self, number: int) -> TaskState:
        """Where a task is."""
        return self._state[number]

    def all_below_succeeded(self, number: int) -> bool:
        """Tell whether some task depends on this one, and all that do are done."""
        dependents = self._dependents.get(number, ())
        return bool(dependents) and all(self._state.get(d) in SUCCEEDED for d in dependents)

    def running(self) -> list[int]:
        """The tasks that run."""
        return [number for number, state in self._state.items() if state is TaskState.RUNNING]

    def counts(self) -> dict[str, int]:
        """How many tasks are in each state."""
        total: Counter[TaskState] = sum(self.by_group.values(), Counter())
        return {str(state): count for state, count in total.items() if count}

    @property
    def finished(self) -> bool:
        """Whether every task has come to an end."""
        return self._ended == len(self._state)

    # ---------------------------------------------------------------------------------------------------------------

    def _next_group(self, depth: int) -> str | None:
        """Choose the pipe whose next task is the most urgent of those for which there is room."""
        best: str | None = None
        for group, queue in self._queues.items():
            while queue and self._state[self._at_place[queue[0]]] is not TaskState.QUEUED:
                heapq.heappop(queue)
            if queue and (best is None or queue[0] < self._queues[best][0]) and self._has_room(group, depth):
                best = group
        return best

    def _has_room(self, group: str, depth: int) -> bool:
        demand = self._demand(group)
        cores = self.capacity.cores * (1 if self._demands else depth)
        fits = self._cores + demand.cores <= cores
        return fits and (not self.capacity.memory or self._memory + demand.memory <= self.capacity.memory)

    def _demand(self, group: str) -> Demand:
        """What a task of a pipe needs; what asks for more than there is gets all there is."""
        asked, there = self._demands.get(group, Demand()), self.capacity
        return Demand(min(asked.cores, there.cores), min(asked.memory, there.memory) if there.memory else 0)

    def _hold(self, number: int, demand: Demand) -> None:
        self._held[number] = demand
        self._cores += demand.cores
        self._memory += demand.memory

    def _give_back(self, number: int) -> None:
        demand = self._held.pop(number, None)
        if demand is not None:
            self._cores -= demand.cores
            self._memory -= demand.memory

    def _give_up_below(self, number: int, state: TaskState) -> list[int]:
        given_up, open_ends = [], [number]
        while open_ends:
            for dependent in self._dependents.get(open_ends.pop(), ()):
                if self._state[dependent] not in FINAL:
                    self._move(dependent, state)
                    given_up.append(dependent)
                    open_ends.append(dependent)
        return given_up

    def _batch_size(self, group: str, queued: int) -> int:
        if group in self._demands:
            return 1
        seconds = self.seconds.get(group)
        if seconds is None:
            size = _FIRST_BATCH
        else:
            size = round(min(_LARGEST_BATCH, _TARGET_SECONDS / max(seconds, 1e-6)))
        return max(1, min(size, -(-queued // (2 * self.capacity.cores))))

    def _learn(self, seconds: Mapping[int, float]) -> None:
        for group, numbers in self._in_groups(seconds):
            learned = self.seconds.get(group, -1.0)
            for number in numbers:
                learned = 0.8 * learned + 0.2 * seconds[number] if learned >= 0 else seconds[number]
            self.seconds[group] = learned

    def _wait_for(self, number: int, needs: Collection[int]) -> None:
        """Let an added task wait for what it needs: it is ready if that is there, and given up if some of it failed."""
        open_needs = [need for need in needs if self._state[need] not in SUCCEEDED]
        if open_needs:
            self._missing[number] = len(open_needs)
        if any(self._state[need] in FINAL for need in open_needs):
            self._move(number, TaskState.UPSTREAM_FAILED)
            return
        for need in open_needs:
            self._dependents.setdefault(need, []).append(number)
        if not open_needs:
            self._move(number, TaskState.READY)
            self._ready.append(number)

    def _release(self, number: int) -> None:
        for dependent in self._dependents.get(number, ()):
            self._missing[dependent] -= 1
            if self._missing[dependent] or self._state[dependent] is not TaskState.WAITING:
                continue
            if dependent in self._asking:
                self._move(dependent, TaskState.DONE)
                self._release(dependent)
            else:
                self._move(dependent, TaskState.READY)
                self._ready.append(dependent)

    def _queue(self, numbers: Sequence[int]) -> None:
        self._move_all(numbers, TaskState.QUEUED)
        for group, own in self._in_groups(numbers):
            queue = self._queues.setdefault(group, [])
            for number in own:
                heapq.heappush(queue, self._place[number])

    def _in_groups(self, numbers: Iterable[int]) -> Iterable[tuple[str, Iterable[int]]]:
        return groupby(numbers, self._groups.__getitem__)

    def _move_all(self, numbers: Sequence[int], state: TaskState) -> None:
        if len(numbers) == 1:
            self._move(numbers[0], state)
            return
        for group, own in self._in_groups(numbers):
            counts, moved = self.by_group[group], Counter(map(self._state.__getitem__, own))
            counts.subtract(moved)
            counts[state] += moved.total()
        self._state.update(dict.fromkeys(numbers, state))
        self._ended += len(numbers) if state in FINAL else 0

    def _move(self, number: int, state: TaskState) -> None:
        counts = self.by_group[self._groups[number]]
        old = self._state[number]
        counts[old] -= 1
        counts[state] += 1
        self._state[number] = state
        self._ended += state in FINAL
