"""How is a plan carried out?  Feeds the scheduler from the store and an executor, and writes one record a task.

Only this process writes records; workers compute, keep content, and send descriptions back.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import math
import os
import pickle
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from rms_jupyter import model
from rms_jupyter.errors import NotComputedYet, RmsError, TaskFailed
from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.fingerprint.code import CodeVersion
from rms_jupyter.fingerprint.nesting import unwrap
from rms_jupyter.fingerprint.values import SCALARS
from rms_jupyter.model import Ref, Reference
from rms_jupyter.run import threads
from rms_jupyter.run.answer import Answer
from rms_jupyter.run.crew import Crew, Jobs
from rms_jupyter.run.definition import Definition
from rms_jupyter.run.direct import Calls, Prepared
from rms_jupyter.run.execute import with_code
from rms_jupyter.run.later import LATER, Asked
from rms_jupyter.run.loaders import Loaders
from rms_jupyter.run.lookup import find_hit
from rms_jupyter.run.made import Made
from rms_jupyter.run.progress import Progress, Snapshot, Watch
from rms_jupyter.run.repeats import Repeated, edited, has_older_result, repeated
from rms_jupyter.run.scheduler import Demand, Scheduler, State
from rms_jupyter.run.shipping import Job, NotShippable, Result, decode_results
from rms_jupyter.staleness import Reason
from rms_jupyter.store.known import key_mark

_LOOK_UPS = 500
_LOOK_UPS_AHEAD = 5_000
_POLL = 0.05
_WORTH_A_LOCK = 8
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0


@dataclass(slots=True)
class Planned:
    """A call of the plan: the pipe, the bound values (placeholders in them), and what became of it.

    `further` are the numbers of calls that it has asked for, whose results take the place of its own (a list of them if
    `is_list`); `origin` is the task that has asked for this one.
    """

    definition: Definition
    values: tuple[Any, ...]
    answer: Answer | None = None
    error: BaseException | None = None
    further: tuple[int, ...] = ()
    is_list: bool = False
    origin: Ref | None = None


class _Missed(Struct, gc=False):
    call: Call
    mark: int
    version: CodeVersion
    flaw: Reason | None
    known: int | None
    attempts: int = 0


class Driver:
    """Carries out one plan.

    Parameters
    ----------
    calls : Calls
        Identifies calls and writes records.
    planned : list of Planned
        Calls that tasks ask for are added to it.
    needs : sequence of collections of int
        For each call, the numbers of those it waits for.
    crew : Crew or None
        Who runs the tasks; one after the other in this process if None.
    resolve : callable
        Gives the resource that a placeholder stands for, once its task is done.
    bind : callable
        Gives the pipe and the bound arguments of a call that a task has asked for.
    wanted : collection of int, optional
        Only these take part.
    pruned : mapping of int to str, optional
        These do not, nor what depends on them, and why.
    watch : callable, optional
        Gets snapshots of the progress.
    stop_on_error : bool
        Start nothing new after the first failure.
    release : callable, optional
        Gets the number of each volatile task whose value has served.
    foretell : callable, optional
        Gets the finished work that is repeated only because code was changed, before anything runs; words it.
    """

    def __init__(
        self,
        calls: Calls,
        planned: list[Planned],
        needs: Sequence[Collection[int]],
        crew: Crew | None,
        resolve: Callable[[Reference], Any],
        bind: Callable[[Asked], tuple[Definition, tuple[Any, ...]]],
        wanted: Collection[int] | None = None,
        pruned: dict[int, str] | None = None,
        watch: Watch | None = None,
        stop_on_error: bool = False,
        release: Callable[[int], None] = lambda number: None,
        foretell: Callable[[list[Repeated]], str] = lambda repeats: "",
    ) -> None:
        self._calls, self._store, self._planned = calls, calls.store, planned
        self._crew, self._resolve, self._bind, self._stop_on_error = crew, resolve, bind, stop_on_error
        self._here: Crew | None = None
        groups = [task.definition.name for task in planned]
        definitions = {task.definition.name: task.definition for task in planned}
        seconds = {name: latest[1].seconds for name in definitions if (latest := self._store.find_latest(name))}
        demands = {name: demand for name, definition in definitions.items() if (demand := _demand(definition))}
        loaders = {number for number, task in enumerate(planned) if task.definition.volatile}
        capacity = crew.room if crew is not None else Demand()
        self._scheduler = Scheduler(needs, groups, wanted, capacity, demands, seconds, loaders)
        self._loaders = Loaders(loaders, needs, range(len(needs)) if wanted is None else wanted, self._let_go)
        self._release_value, self._foretell, self._definitions = release, foretell, definitions
        by_pipe, taken = self._scheduler.by_group, self._scheduler.seconds
        self._progress = Progress(by_pipe, taken, lambda: self._scheduler.capacity.cores, self._busy, watch)
        self._missed: dict[int, _Missed] = {}
        self._elsewhere: list[int] = []
        self._pausing: list[tuple[float, int]] = []
        self._polled = 0.0
        self._versions: dict[int, CodeVersion] = {}
        self._claimed: dict[str, bool] = {}
        self._stop = threading.Event()
        self._prune(pruned or {})

    def run(self) -> dict[str, int]:
        """Run the plan to its end.

        Returns
        -------
        dict of str to int
            How many tasks ended in each state.
        """
        try:
            self._foresee()
            while not self._scheduler.finished:
                self._step()
        except BaseException as error:
            self._abort()
            if not (isinstance(error, KeyboardInterrupt) and self._stop.is_set()):
                raise
        finally:
            self._progress.finish()
            for crew in self._crews():
                crew.close()
        self._remove_temporary()
        return self._scheduler.counts()

    def _foresee(self) -> None:
        """Say which finished work is repeated only because code was changed, before any is."""
        epoch = self._calls.surroundings.epoch
        versions = edited(self._store, self._definitions, epoch)
        if not versions:
            return
        self._look_up_ready(_LOOK_UPS_AHEAD)
        if not any(has_older_result(self._store, call, versions[name]) for name, call in self._misses(versions)):
            return
        self._look_up_ready()
        calls: dict[str, list[Call]] = {}
        for name, call in self._misses(versions):
            calls.setdefault(name, []).append(call)
        found = [repeated(self._store, self._definitions[name], epoch, own) for name, own in calls.items()]
        if repeats := [one for one in found if one is not None]:
            self._progress.foretell(self._foretell(repeats), "\n".join(one.diff for one in repeats))

    def _misses(self, names: Collection[str]) -> Iterator[tuple[str, Call]]:
        """List the calls of some pipes that are to run, as far as is known."""
        named = ((self._planned[number].definition.name, missed.call) for number, missed in self._missed.items())
        return ((name, call) for name, call in named if name in names)

    def _look_up_ready(self, most: float = math.inf) -> None:
        """Look up what is ready and what becomes ready by that, before anything runs."""
        looked = 0
        while looked < most and not self._stop.is_set() and (numbers := self._scheduler.take_ready(_LOOK_UPS)):
            looked += len(numbers)
            for number in numbers:
                self._look_up(number)

    def stop(self) -> None:
        """Let the run end soon, from another thread: nothing new starts, what runs is stopped and recorded.

        A task that runs in a thread of this process is interrupted; see `run.threads`.
        """
        self._stop.set()
        threads.stop(self)

    def snapshot(self) -> Snapshot:
        """Say how far the run is; from any thread."""
        return self._progress.snapshot(self._stop.is_set())

    def key_of(self, number: int) -> str:
        """Give the key of a task that is to run or runs; '' for others."""
        missed = self._missed.get(number)
        return missed.call.key if missed is not None else ""

    def _step(self) -> None:
        scheduler = self._scheduler
        if self._stop.is_set():
            self._abort()
            return
        if self._crew is not None:
            scheduler.capacity = self._crew.room
        for number in scheduler.take_ready(_LOOK_UPS):
            self._look_up(number)
        while batch := scheduler.next_batch(depth=1 if self._crew is None else 2):
            self._start(batch)
            if self._stop.is_set():
                return
            if scheduler.has_ready and self._planned[batch[0]].definition.volatile:
                break  # Those who need what was loaded come before what is to be loaded next.
        self._wait()
        self._look_elsewhere()
        self._progress.tell()

    def _wait(self) -> None:
        """Wait for what runs, or for what is to run again."""
        while self._pausing and self._pausing[0][0] <= time.monotonic():
            self._scheduler.again(heapq.heappop(self._pausing)[1])
        if self._crew is not None and self._crew.running:
            for jobs, outcome in self._crew.ended(0.0 if self._scheduler.has_ready else _POLL):
                self._collect(jobs, outcome)
        elif self._pausing and not self._scheduler.has_ready:
            time.sleep(min(_POLL, max(0.0, self._pausing[0][0] - time.monotonic())))

    # Looking up ----------------------------------------------------------------------------------------------------

    def _look_up(self, number: int) -> None:
        planned = self._planned[number]
        try:
            if not SCALARS.issuperset(map(type, planned.values)):
                planned.values = tuple(unwrap(value, self._resolve) for value in planned.values)
            version = self._version(planned.definition)
            call = self._calls.identify(planned.definition, version, planned.values)
            if planned.origin is not None:
                call = self._calls.asked_for(call, planned.origin)
            found = find_hit(self._store, self._calls.files, call)
        except Exception as error:
            self._fail(number, error)
            return
        if planned.definition.volatile and not call.obstacle and planned.origin is None:
            self._loaders.identify(number, call.key)
        if isinstance(found, Reason) and found.kind == "output_missing" and planned.definition.contract.temporary:
            _, task = self._store.record(found.earlier)
            assert isinstance(task, model.Task)
            found = found.earlier, task
        if isinstance(found, tuple):
            self._answer_from_store(number, *found)
            return
        if call.obstacle:
            self._calls.say_obstacle(planned.definition, call)
        mark = key_mark(call.key)
        self._missed[number] = _Missed(call, mark, version, found, self._store.known.get(mark))
        self._scheduler.miss(number)

    def _version(self, definition: Definition) -> CodeVersion:
        """Describe a pipe's code, once in a run."""
        version = self._versions.get(id(definition))
        if version is None:
            version = self._versions[id(definition)] = self._calls.version(definition)
        return version

    def _answer_from_store(self, number: int, ident: int, task: model.Task) -> None:
        self._missed.pop(number, None)
        planned = self._planned[number]
        planned.answer = Answer(ident, task, True, None)
        self._progress.saved += task.seconds
        if planned.definition.volatile and planned.origin is None:
            self._share(number, ident)
        if not self._follow(number, ident, task):
            self._scheduler.hit(number)
        self._loaders.served(number)

    def _share(self, number: int, ident: int) -> None:
        """Let another loader that has made the same call stand for this one, so that its value is there once."""
        first = self._loaders.first_like(number)
        held = self._planned[first].answer
        if first != number and held is not None and held.id == ident:
            self._planned[number].further = (first,)

    def _let_go(self, number: int) -> None:
        """Let go of what a loader has loaded, in this process and on disk."""
        answer = self._planned[number].answer
        if answer is not None:
            for crew in self._crews():
                crew.forget(range(answer.id + 1, answer.id + 1 + len(answer.task.out)))
        self._release_value(number)

    def _follow(self, number: int, ident: int, task: model.Task) -> bool:
        """Add the calls that a task has asked for, if it has."""
        if not task.out or task.out[0].type != LATER:
            return False
        later = self._store.restore(task.out[0])
        try:
            asked = [self._bind(call) for call in later.calls]
        except Exception as error:
            self._fail(number, error)
            return True
        origin = Ref(ident + 1, task.out[0].digest, task.site)
        self._planned += [Planned(definition, values, origin=origin) for definition, values in asked]
        numbers = self._scheduler.grow(number, [definition.name for definition, _ in asked])
        self._planned[number].further, self._planned[number].is_list = tuple(numbers), later.is_list
        return True

    def _look_elsewhere(self) -> None:
        """Look again, now and then, for tasks that another kernel is computing."""
        if not self._elsewhere:
            return
        if not (self._crew is not None and self._crew.running) and not self._scheduler.has_ready:
            time.sleep(_POLL)
        if time.monotonic() - self._polled > _POLL:
            self._polled = time.monotonic()
            self._store.refresh()
            for number in self._elsewhere:
                self._scheduler.look_again(number)
            self._elsewhere.clear()

    def _prune(self, pruned: dict[int, str]) -> None:
        for root, reason in pruned.items():
            if self._scheduler.knows(root) and self._scheduler.state(root) is not State.PRUNED:
                for number in self._scheduler.prune(root):
                    self._planned[number].error = NotComputedYet(
                        f"{self._label(number)} was left out of the run{f': {reason}' if reason else ''}",
                        hint="call the pipe directly to compute it",
                    )
                    self._loaders.served(number)

    # Running -------------------------------------------------------------------------------------------------------

    def _start(self, batch: list[int]) -> None:
        claimed = [number for number in batch if self._claim(number, alone=len(batch) <= _WORTH_A_LOCK)]
        if self._crew is None:
            for number in claimed:
                if not self._stop.is_set():
                    self._run_here(number)
                    self._progress.tell()
        else:
            for _, alike in itertools.groupby(claimed, lambda number: id(self._planned[number].definition)):
                self._send(self._crew, list(alike))

    def _claim(self, number: int, alone: bool) -> bool:
        """Make sure that nobody else computes a task, or has just done so.

        Tasks so short that many go into a batch are not locked against other kernels (`alone` is false): computing one
        twice costs less than the lock.
        """
        missed = self._missed[number]
        key, mark = missed.call.key, missed.mark
        if missed.call.obstacle:
            return True
        if key in self._claimed or (alone and not self._store.claims.take(mark, wait=False)):
            self._scheduler.postpone(number)
            self._elsewhere.append(number)
            return False
        self._claimed[key] = alone
        if alone:
            self._store.refresh()
        if self._store.known.get(mark) != missed.known:
            found = find_hit(self._store, self._calls.files, missed.call)
            if isinstance(found, tuple):
                self._release(missed.call)
                self._answer_from_store(number, *found)
                return False
        return True

    def _release(self, call: Call) -> None:
        if self._claimed.pop(call.key, False):
            self._store.claims.release(key_mark(call.key))

    def _run_here(self, number: int) -> None:
        missed, planned = self._missed[number], self._planned[number]
        if planned.definition.is_isolated:
            if self._here is None:
                self._here = Crew(self._store, None, 1)
            self._send(self._here, [number])
            return
        try:
            with threads.stoppable(self):
                planned.answer = self._calls.run(planned.definition, missed.call, missed.version, missed.flaw)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._release(missed.call)
            found = self._store.find(missed.call.key)
            self._fail_or_retry(number, error, ident=found[0] if found else 0)
        else:
            self._release(missed.call)
            del self._missed[number]
            if not self._follow(number, planned.answer.id, planned.answer.task):
                self._scheduler.done(number, planned.answer.task.seconds)
            self._loaders.served(number)

    def _send(self, crew: Crew, batch: list[int]) -> None:
        jobs: Jobs = {}
        travelling: list[Job] = []
        definition = self._planned[batch[0]].definition
        if definition.volatile and not definition.is_isolated:
            # A loader: its value is for those who need it in this run, and goes to workers from here.
            for number in batch:
                self._run_here(number)
            return
        for number in batch:
            missed = self._missed[number]
            try:
                if missed.version.edited:  # What a worker imports is what the file says now.
                    raise NotShippable(f"{missed.version.edited[0]} was edited since it was imported")
                prepared = self._calls.prepare(definition, missed.call, missed.version, missed.flaw)
                travelling.append(crew.pack(number, definition, prepared))
                jobs[number] = prepared
            except NotShippable as error:
                if definition.is_isolated or self._scheduler.is_alone(number):
                    self._release(missed.call)
                    self._fail(number, error)
                else:
                    self._run_here(number)
            except Exception as error:
                self._release(missed.call)
                self._fail(number, error)
        if jobs:
            crew.send(definition, travelling, jobs, alone=self._scheduler.is_alone(batch[0]))
        while crew is self._here and crew.running and not self._stop.is_set():
            for ended, outcome in crew.ended(_POLL):
                self._collect(ended, outcome)
            self._progress.tell()

    # Collecting ----------------------------------------------------------------------------------------------------

    def _collect(self, jobs: Jobs, outcome: bytes | BaseException) -> None:
        if not isinstance(outcome, bytes):
            for number, prepared in jobs.items():
                self._lose(number, prepared, outcome)
            return
        results = decode_results(outcome)
        for number in jobs.keys() - {result.number for result in results}:
            self._release(jobs[number].call)
            self._scheduler.again(number)
        for result in results:
            if result.made.failure is not None:
                result.made.failure = with_code(result.made.failure)
        written = self._calls.write([(jobs[result.number].writing, result.made) for result in results])
        for result, (ident, task) in zip(results, written, strict=True):
            self._settle(result, jobs[result.number], ident, task)

    def _settle(self, result: Result, prepared: Prepared, ident: int, task: model.Task) -> None:
        number = result.number
        self._release(prepared.call)
        if task.status == "done":
            del self._missed[number]
            self._planned[number].answer = Answer(ident, task, False, prepared.reason)
            self._calls.say_problem(self._planned[number].definition, result.made.problem)
            if not self._follow(number, ident, task):
                self._scheduler.done(number, task.seconds)
            self._loaders.served(number)
            return
        error = pickle.loads(result.error) if result.error else None
        if error is not None:
            error.add_note(_where_to_look(ident))  # Its traceback stayed in the worker.
        timed_out = task.status == "timed_out"
        self._fail_or_retry(number, error or _as_text(self._label(number), ident, task), timed_out, ident)

    def _lose(self, number: int, prepared: Prepared, error: BaseException) -> None:
        """A worker died: any task of its batch may have killed it. Each runs once more, alone."""
        self._release(prepared.call)
        if isinstance(error, RmsError):
            self._fail(number, error)
            return
        if not self._scheduler.is_alone(number):
            self._scheduler.again(number, alone=True)
            return
        failure = TaskFailed(
            f"{self._label(number)}: its worker was lost ({type(error).__name__}: {str(error)[:200]})",
            hint="run it in this kernel to see more: %rms rerun --debug",
        )
        failure.__cause__ = error
        self._fail(number, failure)

    def _fail_or_retry(self, number: int, error: BaseException, timed_out: bool = False, ident: int = 0) -> None:
        missed, retries = self._missed[number], self._planned[number].definition.contract.retries
        if missed.attempts >= retries or self._stop.is_set():
            self._fail(number, error, timed_out, ident)
            return
        pause = min(_FIRST_PAUSE * 2**missed.attempts, _LONGEST_PAUSE)
        missed.attempts += 1
        self._scheduler.pause(number)
        heapq.heappush(self._pausing, (time.monotonic() + pause, number))

    def _fail(self, number: int, error: BaseException, timed_out: bool = False, ident: int = 0) -> None:
        self._missed.pop(number, None)
        self._planned[number].error = error
        self._progress.fail(lambda: self._label(number), f"{type(error).__name__}: {str(error)[:200]}", ident)
        for dependent in self._scheduler.failed(number, State.TIMED_OUT if timed_out else State.FAILED):
            self._missed.pop(dependent, None)
            self._loaders.served(dependent)
        self._loaders.served(number)
        if self._stop_on_error:
            self._give_up()

    def _busy(self) -> int:
        return sum(crew.running for crew in self._crews())

    def _crews(self) -> list[Crew]:
        return [crew for crew in (self._crew, self._here) if crew is not None]

    def _give_up(self) -> None:
        for number in self._scheduler.cancel():
            self._loaders.served(number)
        self._pausing.clear()
        self._elsewhere.clear()

    def _remove_temporary(self) -> None:
        """Remove the files of temporary tasks whose consumers have all succeeded."""
        for number, planned in enumerate(self._planned):
            if planned.definition.contract.temporary and planned.answer and self._scheduler.all_below_succeeded(number):
                for out in planned.answer.task.out:
                    if out.kind == "file":
                        with contextlib.suppress(OSError):
                            os.unlink(out.path)

    def _label(self, number: int) -> str:
        planned = self._planned[number]
        call = Call(planned.definition.name, planned.definition.binder.names, planned.values)
        return model.call_text(planned.definition.name, call.args_json())

    def _abort(self) -> None:
        """Stop what runs, and record that it was stopped; start nothing new."""
        self._give_up()
        stopped: Jobs = {}
        for crew in self._crews():
            stopped |= crew.stop()
        now = time.time_ns() // 1000
        self._calls.write([(prepared.writing, Made(now, 0.0, "cancelled")) for prepared in stopped.values()])
        for prepared in stopped.values():
            self._release(prepared.call)
        for number in self._scheduler.running():
            self._scheduler.cancelled(number)
            self._loaders.served(number)
        for key in [key for key, alone in self._claimed.items() if alone]:
            self._store.claims.release(key_mark(key))
        self._claimed.clear()


def _demand(definition: Definition) -> Demand | None:
    """What a pipe asks for; None if any number of its tasks can go into a batch on one core."""
    contract = definition.contract
    if contract.cores == 1 and not contract.memory and not definition.is_isolated:
        return None
    return Demand(contract.cores, contract.memory)


def _as_text(label: str, ident: int, task: model.Task) -> TaskFailed:
    kind, message = (task.error.type, task.error.message) if task.error else (task.status, "")
    return TaskFailed(f"{label}: {kind}: {message}", hint=_where_to_look(ident))


def _where_to_look(ident: int) -> str:
    return f"its log: %rms logs {ident}; in this kernel: %rms rerun {ident} --debug"
