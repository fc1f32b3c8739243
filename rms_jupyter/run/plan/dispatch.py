"""Where does a task run, and what comes of it?  In this process, or with the pool; and one record is written of each.

Only this process writes records; workers compute, keep content, and send descriptions back.
"""

from __future__ import annotations

import itertools
import pickle
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from rms_jupyter import model
from rms_jupyter.errors import RmsError, TaskFailed, words_of
from rms_jupyter.naming import call_name, short_id
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.direct import Calls
from rms_jupyter.run.call.effects_on_record import add_effects_elsewhere
from rms_jupyter.run.call.surroundings import Prepared
from rms_jupyter.run.plan.planned import Missed
from rms_jupyter.run.task.outputs import Made
from rms_jupyter.run.workers import threads
from rms_jupyter.run.workers.pool import Jobs, Pool
from rms_jupyter.run.workers.wire import Job, NotShippable, Result, decode_results

_TIMES_GONE = 5  # That a task is sent again whose input was evicted on its way.


class Ended(Struct, gc=False):
    """What came of a task: an answer or an error; with neither it is to run once more, `alone` if it may kill workers.

    `has_run` tells whether it is the task that has failed, `ident` is its record then.
    """

    missed: Missed
    answer: Answer | None = None
    error: BaseException | None = None
    has_run: bool = False
    ident: int = 0
    timed_out: bool = False
    alone: bool = False


class Dispatch:
    """Runs batches.

    Parameters
    ----------
    calls : Calls
        Prepares calls and writes records.
    pool : Pool
    is_alone : callable
        Tells of the number of a task whether it is to have a process of its own.
    """

    def __init__(self, calls: Calls, pool: Pool, is_alone: Callable[[int], bool]) -> None:
        self._calls, self._pool, self._is_alone = calls, pool, is_alone
        self._sent: dict[int, Missed] = {}
        self._lacked: set[tuple[int, str]] = set()
        self._gone: Counter[int] = Counter()

    def run(self, batch: Sequence[Missed]) -> Iterator[list[Ended]]:
        """Run a batch here, or send it to the pool; gives what came of the tasks that have ended by then."""
        for _, alike in itertools.groupby(batch, lambda missed: id(missed.definition)):
            own = list(alike)
            definition = own[0].definition
            # The value of a loader is for those who need it in this run, and goes to workers from here.
            is_here = not definition.is_isolated and (self._pool.is_here or definition.volatile)
            yield from self._run_here(own) if is_here else self._send(own)

    def ended(self, timeout: float) -> Iterator[Ended]:
        """Wait for what the pool runs; gives what came of it."""
        for jobs, outcome in self._pool.ended(timeout):
            if isinstance(outcome, bytes):
                yield from self._collect(jobs, outcome)
            else:
                yield from [self._lost(number, outcome) for number in jobs]

    def interrupt(self) -> None:
        """Stop what runs in this process, from another thread."""
        threads.stop(self)

    def stop(self) -> None:
        """Stop what runs, and record that it was stopped."""
        stopped, now = self._pool.stop(), time.time_ns() // 1000
        self._calls.write([(prepared.writing, Made(now, 0.0, "cancelled")) for prepared in stopped.values()])
        self._sent.clear()

    def _run_here(self, batch: Sequence[Missed]) -> Iterator[list[Ended]]:
        """Run tasks of one pipe in this process."""
        ran = 0
        while ran < len(batch):
            left = itertools.islice(batch, ran, None)
            with threads.stoppable(self):
                answers, error = self._calls.run_some(
                    batch[0].definition, batch[ran].version, ((missed.call, missed.flaw) for missed in left)
                )
            ended = [Ended(batch[place], answer) for place, answer in enumerate(answers, ran)]
            ran += len(ended)
            if isinstance(error, KeyboardInterrupt):
                yield ended
                raise error
            if error is not None:
                found = self._calls.store.find(batch[ran].call.key)
                ended.append(Ended(batch[ran], None, error, True, found[0] if found else 0))
                ran += 1
            yield ended

    def _send(self, batch: Sequence[Missed]) -> Iterator[list[Ended]]:
        jobs: Jobs = {}
        travelling: list[Job] = []
        definition, alone = batch[0].definition, self._is_alone(batch[0].number)
        for missed in batch:
            try:
                if missed.version.edited:  # What a worker imports is what the file says now.
                    raise NotShippable(f"{missed.version.edited[0]} was edited since it was imported")
                prepared = self._calls.prepare(definition, missed.call, missed.version, missed.flaw)
                travelling.append(self._pool.pack(missed.number, definition, prepared))
            except NotShippable as error:
                if definition.is_isolated or alone:
                    yield [Ended(missed, None, error)]
                else:
                    yield from self._run_here([missed])
            except Exception as error:
                yield [Ended(missed, None, error)]
            else:
                jobs[missed.number], self._sent[missed.number] = prepared, missed
        if jobs:
            self._pool.send(definition, travelling, jobs, alone, self._calls.figures)

    def _collect(self, jobs: Jobs, outcome: bytes) -> Iterator[Ended]:
        results = decode_results(outcome)
        if len(results) < len(jobs):
            for number in jobs.keys() - {result.number for result in results}:
                yield Ended(self._sent.pop(number))
        for result in filter(self._is_mended, results):
            yield Ended(self._sent.pop(result.number))
        results = [result for result in results if result.number in self._sent]
        for result in results:
            if result.made.status == "done":
                missed = self._sent[result.number]
                add_effects_elsewhere(missed.definition, missed.call, result.made, self._calls.draws)
        written = self._calls.write([(jobs[result.number].writing, result.made) for result in results])
        for result, (ident, task) in zip(results, written, strict=True):
            yield self._settled(result, jobs[result.number], ident, task)

    def _is_mended(self, result: Result) -> bool:
        """Tell whether a task did not run because its worker lacked a class or content; it has that the next time."""
        if result.gone:
            self._gone[result.number] += 1
            return self._gone[result.number] <= _TIMES_GONE
        if result.lacks is None or (result.number, result.lacks.ident) in self._lacked:
            return False
        self._lacked.add((result.number, result.lacks.ident))
        try:
            self._pool.define(result.lacks)
        except NotShippable:
            return False
        return True

    def _settled(self, result: Result, prepared: Prepared, ident: int, task: model.TaskRecord) -> Ended:
        missed = self._sent.pop(result.number)
        if task.status == "done":
            self._calls.notices.problem(missed.definition, result.made.problem)
            self._calls.notices.uncached(missed.definition, result.made.uncached)
            self._calls.notices.unsaved(missed.definition, result.made.unsaved)
            value, has_value = _unkept(result)
            return Ended(missed, Answer(ident, task, False, prepared.reason, value, has_value))
        error = pickle.loads(result.error) if result.error else None
        if error is not None:
            error.add_note(_where_to_look(ident))  # Its traceback stayed in the worker.
        else:
            kind, message = (task.error.type, task.error.message) if task.error else (task.status, "")
            error = TaskFailed(f"{self._label(missed)}: {kind}: {message}", hint=_where_to_look(ident))
        return Ended(missed, None, error, True, ident, task.status == "timed_out")

    def _lost(self, number: int, error: BaseException) -> Ended:
        """A worker died: any task of its batch may have killed it. Each runs once more, alone."""
        missed = self._sent.pop(number)
        if isinstance(error, RmsError):
            return Ended(missed, None, error)
        if not self._is_alone(number):
            return Ended(missed, alone=True)
        failure = TaskFailed(
            f"{self._label(missed)}: its worker was lost ({type(error).__name__}: {words_of(error)[:200]})",
            hint="run it in this kernel to see more: %rms rerun --debug",
        )
        failure.__cause__ = error
        return Ended(missed, None, failure)

    def _label(self, missed: Missed) -> str:
        return call_name(self._calls.store.origins.of_call(missed.call))


def _unkept(result: Result) -> tuple[Any, bool]:
    """Return a value that could only be sent, and whether there is one."""
    if not result.value:
        return None, False
    try:
        return pickle.loads(result.value), True
    except Exception:
        return None, False


def _where_to_look(ident: int) -> str:
    return f"its log: %rms logs {short_id(ident)}; in this kernel: %rms rerun {short_id(ident)} --debug"
