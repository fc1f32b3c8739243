"""How is a plan carried out?  Feeds the scheduler from the store and an executor, and writes one record a task.

Only this process writes records; workers compute, keep content, and send descriptions back.
"""

from __future__ import annotations

import itertools
import os
import pickle
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from typing import Any

from rms_jupyter import model
from rms_jupyter.errors import TaskFailed
from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.fingerprint.code import CodeVersion
from rms_jupyter.fingerprint.nesting import unwrap
from rms_jupyter.fingerprint.values import SCALARS
from rms_jupyter.model import Reference
from rms_jupyter.run.answer import Answer
from rms_jupyter.run.definition import Definition
from rms_jupyter.run.direct import Calls, Prepared, asides_of, watched_paths
from rms_jupyter.run.lookup import find_hit
from rms_jupyter.run.messages import log_levels
from rms_jupyter.run.progress import Progress, Watch
from rms_jupyter.run.scheduler import Scheduler
from rms_jupyter.run.shipping import (
    Batch,
    Job,
    NotShippable,
    Result,
    decode_results,
    encode,
    pack_arguments,
    pack_function,
)
from rms_jupyter.run.worker import run_batch
from rms_jupyter.staleness import Reason
from rms_jupyter.store.known import key_mark

_LOOK_UPS = 500
_POLL = 0.05
_WORTH_A_LOCK = 8


@dataclass(slots=True)
class Planned:
    """A call of the plan: the pipe, the bound values (placeholders in them), and what became of it."""

    definition: Definition
    values: tuple[Any, ...]
    answer: Answer | None = None
    error: BaseException | None = None


@dataclass(slots=True)
class _Missed:
    call: Call
    version: CodeVersion
    flaw: Reason | None
    known: int | None


class Driver:
    """Carries out one plan.

    Parameters
    ----------
    calls : Calls
        Identifies calls and writes records.
    planned : sequence of Planned
    needs : sequence of collections of int
        For each call, the numbers of those it waits for.
    executor : Executor or None
        Where tasks run; one after the other in this process if None.
    workers : int
        How many run at once.
    resolve : callable
        Gives the resource that a placeholder stands for, once its task is done.
    wanted : collection of int, optional
        Only these take part.
    watch : callable, optional
        Gets snapshots of the progress.
    stop_on_error : bool
        Start nothing new after the first failure.
    """

    def __init__(
        self,
        calls: Calls,
        planned: Sequence[Planned],
        needs: Sequence[Collection[int]],
        executor: Executor | None,
        workers: int,
        resolve: Callable[[Reference], Any],
        wanted: Collection[int] | None = None,
        watch: Watch | None = None,
        stop_on_error: bool = False,
    ) -> None:
        self._calls, self._store, self._planned = calls, calls.store, planned
        self._executor, self._workers, self._resolve = executor, workers, resolve
        self._stop_on_error = stop_on_error
        self._scheduler = Scheduler(needs, [p.definition.name for p in planned], wanted)
        self._progress = Progress(self._scheduler.by_group, watch)
        self._missed: dict[int, _Missed] = {}
        self._in_flight: dict[Future[bytes], dict[int, Prepared]] = {}
        self._elsewhere: list[int] = []
        self._polled = 0.0
        self._functions: dict[int, bytes] = {}
        self._versions: dict[int, CodeVersion] = {}
        self._claimed: dict[str, bool] = {}

    def run(self) -> dict[str, int]:
        """Run the plan to its end.

        Returns
        -------
        dict of str to int
            How many tasks ended in each state.
        """
        try:
            while not self._scheduler.finished:
                self._step()
        except BaseException:
            self._abort()
            raise
        finally:
            self._progress.tell(last=True)
        return self._scheduler.counts()

    def _step(self) -> None:
        scheduler = self._scheduler
        for number in scheduler.take_ready(_LOOK_UPS):
            self._look_up(number)
        while len(self._in_flight) < 2 * self._workers and (batch := scheduler.next_batch(self._workers)):
            self._start(batch)
        if self._in_flight:
            timeout = 0.0 if scheduler.has_ready else _POLL
            for future in wait(self._in_flight, timeout, FIRST_COMPLETED).done:
                self._collect(future)
        self._look_elsewhere()
        self._progress.tell()

    # Looking up ----------------------------------------------------------------------------------------------------

    def _look_up(self, number: int) -> None:
        planned = self._planned[number]
        try:
            if not SCALARS.issuperset(map(type, planned.values)):
                planned.values = tuple(unwrap(value, self._resolve) for value in planned.values)
            version = self._version(planned.definition)
            call = self._calls.identify(planned.definition, version, planned.values)
            found = find_hit(self._store, self._calls.files, call)
        except Exception as error:
            self._fail(number, error)
            return
        if isinstance(found, tuple):
            self._answer_from_store(number, *found)
            return
        if call.obstacle:
            self._calls.say_obstacle(planned.definition, call)
        self._missed[number] = _Missed(call, version, found, self._store.known.get(key_mark(call.key)))
        self._scheduler.miss(number)

    def _version(self, definition: Definition) -> CodeVersion:
        """Describe a pipe's code, once in a run."""
        version = self._versions.get(id(definition))
        if version is None:
            version = self._versions[id(definition)] = definition.version(self._calls.surroundings.epoch)
        return version

    def _answer_from_store(self, number: int, ident: int, task: model.Task) -> None:
        self._planned[number].answer = Answer(ident, task, True, None)
        self._scheduler.hit(number)

    def _look_elsewhere(self) -> None:
        """Look again, now and then, for tasks that another kernel is computing."""
        if not self._elsewhere:
            return
        if not self._in_flight and not self._scheduler.has_ready:
            time.sleep(_POLL)
        if time.monotonic() - self._polled > _POLL:
            self._polled = time.monotonic()
            self._store.refresh()
            for number in self._elsewhere:
                self._scheduler.look_again(number)
            self._elsewhere.clear()

    # Running -------------------------------------------------------------------------------------------------------

    def _start(self, batch: list[int]) -> None:
        claimed = [number for number in batch if self._claim(number, alone=len(batch) <= _WORTH_A_LOCK)]
        if self._executor is None:
            for number in claimed:
                self._run_here(number)
                self._progress.tell()
        else:
            for _, alike in itertools.groupby(claimed, lambda number: id(self._planned[number].definition)):
                self._submit(list(alike))

    def _claim(self, number: int, alone: bool) -> bool:
        """Make sure that nobody else computes a task, or has just done so.

        Tasks so short that many go into a batch are not locked against other kernels (`alone` is false): computing one
        twice costs less than the lock.
        """
        missed = self._missed[number]
        key, mark = missed.call.key, key_mark(missed.call.key)
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
        missed, planned = self._missed.pop(number), self._planned[number]
        try:
            planned.answer = self._calls.run(planned.definition, missed.call, missed.version, missed.flaw)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._fail(number, error)
        else:
            self._scheduler.done(number, planned.answer.task.seconds)
        finally:
            self._release(missed.call)

    def _submit(self, batch: list[int]) -> None:
        jobs: dict[int, Prepared] = {}
        travelling: list[Job] = []
        definition = self._planned[batch[0]].definition
        for number in batch:
            try:
                prepared, job = self._pack(number)
            except NotShippable:
                self._run_here(number)
                continue
            except Exception as error:
                self._release(self._missed.pop(number).call)
                self._fail(number, error)
                continue
            del self._missed[number]
            jobs[number] = prepared
            travelling.append(job)
        if not jobs:
            return
        assert self._executor is not None
        notes = b"\n".join(prepared.writing.note() for prepared in jobs.values())
        self._store.running.start(self._store.writer, -min(jobs) - 1, notes)
        batch_to_run = Batch(
            self._function(definition),
            travelling,
            str(self._store.layout.objects),
            os.getcwd(),
            definition.volatile,
            definition.contract.allow_empty,
            log_levels(),
        )
        self._in_flight[self._executor.submit(run_batch, encode(batch_to_run))] = jobs

    def _pack(self, number: int) -> tuple[Prepared, Job]:
        missed, definition = self._missed[number], self._planned[number].definition
        self._function(definition)
        args, kwargs = definition.binder.call_arguments(missed.call.values)
        if missed.call.inputs.wrapped or not SCALARS.issuperset(map(type, missed.call.values)):
            arguments = pack_arguments(args, kwargs)
        else:
            arguments = pickle.dumps((args, kwargs))
        prepared = self._calls.prepare(definition, missed.call, missed.version, missed.flaw)
        if missed.call.is_plain:
            return prepared, Job(number, missed.call.key, arguments, [], prepared.declared)
        watched, asides = watched_paths(missed.call), asides_of(missed.call)
        return prepared, Job(number, missed.call.key, arguments, watched, prepared.declared, asides)

    def _function(self, definition: Definition) -> bytes:
        data = self._functions.get(id(definition))
        if data is None:
            data = self._functions[id(definition)] = pack_function(definition.function)
        return data

    # Collecting ----------------------------------------------------------------------------------------------------

    def _collect(self, future: Future[bytes]) -> None:
        jobs = self._in_flight.pop(future)
        try:
            results = decode_results(future.result())
        except BaseException as error:
            for number, prepared in jobs.items():
                self._release(prepared.call)
                self._fail(number, _worker_lost(self._label(number), error))
            self._store.running.end(-min(jobs) - 1)
            return
        written = self._calls.write([(jobs[result.number].writing, result.made) for result in results])
        self._store.running.end(-min(jobs) - 1)
        for result, (ident, task) in zip(results, written, strict=True):
            self._settle(result, jobs[result.number], ident, task)

    def _settle(self, result: Result, prepared: Prepared, ident: int, task: model.Task) -> None:
        self._release(prepared.call)
        if task.status == "done":
            self._planned[result.number].answer = Answer(ident, task, False, prepared.reason)
            self._scheduler.done(result.number, task.seconds)
        else:
            error = pickle.loads(result.error) if result.error else None
            self._fail(result.number, error or _as_text(self._label(result.number), task))

    def _fail(self, number: int, error: BaseException) -> None:
        self._planned[number].error = error
        self._progress.fail(f"{self._label(number)} {type(error).__name__}: {str(error)[:200]}")
        self._scheduler.failed(number)
        if self._stop_on_error:
            self._scheduler.cancel()

    def _label(self, number: int) -> str:
        planned = self._planned[number]
        call = Call(planned.definition.name, planned.definition.binder.names, planned.values)
        return model.call_text(planned.definition.name, call.args_json())

    def _abort(self) -> None:
        """Stop what runs and give everything up; what is on record stays."""
        for future in self._in_flight:
            future.cancel()
        if self._in_flight and hasattr(self._executor, "terminate"):
            self._executor.terminate(kill_workers=True)  # type: ignore[union-attr]
        for jobs in self._in_flight.values():
            for prepared in jobs.values():
                self._release(prepared.call)
            self._store.running.end(-min(jobs) - 1)
        self._scheduler.cancel()


def _worker_lost(label: str, error: BaseException) -> TaskFailed:
    failure = TaskFailed(
        f"{label}: its worker died ({type(error).__name__})",
        hint="it may have used too much memory; run it again alone",
    )
    failure.__cause__ = error
    return failure


def _as_text(label: str, task: model.Task) -> TaskFailed:
    kind, message = (task.error.type, task.error.message) if task.error else (task.status, "")
    return TaskFailed(f"{label}: {kind}: {message}", hint="the whole traceback is in the record: %rms logs")
