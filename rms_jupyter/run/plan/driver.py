"""How is a plan carried out?  Feeds the scheduler with what the store answers and with what comes of what runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from rms_jupyter import model
from rms_jupyter.errors import NotComputedYet, words_of
from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.interrupts import hear
from rms_jupyter.model import Ref, Reference
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.call.direct import Calls
from rms_jupyter.run.plan.claiming import Claiming
from rms_jupyter.run.plan.dispatch import Dispatch, Ended
from rms_jupyter.run.plan.draft import Draft
from rms_jupyter.run.plan.looking_up import LookUps
from rms_jupyter.run.plan.options import RunOptions
from rms_jupyter.run.plan.planned import Missed
from rms_jupyter.run.plan.progress import Progress, Snapshot
from rms_jupyter.run.plan.repeats import Repeated, foresee
from rms_jupyter.run.plan.retries import Retries
from rms_jupyter.run.plan.scheduler import Scheduler, TaskState
from rms_jupyter.run.plan.temporary_files import remove_files
from rms_jupyter.run.plan.volatile_values import VolatileValues
from rms_jupyter.run.task.further import Asked, Later, asked_by
from rms_jupyter.run.workers.pool import Pool

_LOOK_UPS = 500
_POLL = 0.05


class Holder(Protocol):
    """Who holds the results of a run while it goes on."""

    def resolve(self, reference: Reference) -> Any:
        """Return the resource that a placeholder stands for, whose task is done."""

    def bind(self, asked: Asked) -> tuple[Definition, tuple[Any, ...]]:
        """Return the pipe and the bound arguments of a call that a task has asked for."""

    def release(self, number: int) -> None:
        """Let go of the value of a volatile task, which has served."""

    def foretell(self, repeats: list[Repeated]) -> str:
        """Word the finished work that is repeated only because code was changed, before anything runs."""


class Driver:
    """Carries out one draft.

    Parameters
    ----------
    calls : Calls
        Identifies calls and writes records.
    draft : Draft
        What is to run. Calls that tasks ask for are added to it, and what is added when they end, or in `Draft.more`,
        joins the run.
    pool : Pool
        Who runs the tasks.
    holder : Holder
    options : RunOptions
    """

    def __init__(self, calls: Calls, draft: Draft, pool: Pool, holder: Holder, options: RunOptions) -> None:
        self._calls, self._store, self._pool, self._holder = calls, calls.store, pool, holder
        self._draft, self._planned = draft, draft.tasks
        self._stop_on_error = options.stop_on_error
        self._definitions = {task.definition.name: task.definition for task in draft.tasks}
        names = [task.definition.name for task in draft.tasks]
        seconds = {name: known for name in self._definitions if (known := self._seconds(name)) is not None}
        demands = {name: demand for name, own in self._definitions.items() if (demand := own.demand)}
        loaders = {number for number, task in enumerate(draft.tasks) if task.definition.volatile}
        scheduler = self._scheduler = Scheduler(
            draft.needs, names, options.wanted, pool.room, demands, seconds, loaders
        )
        taking_part = range(len(draft)) if options.wanted is None else options.wanted
        self._volatile = VolatileValues(loaders, draft.needs, taking_part, self._let_go)
        self._progress = Progress(
            scheduler.by_group,
            scheduler.seconds,
            lambda: scheduler.capacity.cores,
            lambda: pool.running,
            lambda: pool.is_starting,
            options.watch,
        )
        self._look_ups = LookUps(calls, holder.resolve)
        self._claiming = Claiming(self._store)
        self._dispatch = Dispatch(calls, pool, scheduler.is_alone)
        self._retries = Retries()
        self._missed: dict[int, Missed] = {}
        self._stop = threading.Event()
        self._awaits_more = draft.more is not None
        self._prune(options.pruned)

    def run(self) -> dict[str, int]:
        """Run the plan to its end.

        Returns
        -------
        dict of str to int
            How many tasks ended in each state.
        """
        try:
            self._foresee()
            while self._awaits_more or not self._scheduler.finished:
                self._step()
        except BaseException as error:
            self._abort()
            if not (isinstance(error, KeyboardInterrupt) and self._stop.is_set()):
                raise
        finally:
            self._progress.finish()
            self._pool.close()
        remove_files(self._planned, self._scheduler.all_below_succeeded)
        return self._scheduler.counts()

    def stop(self) -> None:
        """Let the run end soon, from another thread: nothing new starts, what runs is stopped and recorded.

        A task that runs in a thread of this process is interrupted; see `run.workers.threads`.
        """
        self._stop.set()
        self._dispatch.interrupt()

    def snapshot(self) -> Snapshot:
        """Say how far the run is; from any thread."""
        return self._progress.snapshot(self._stop.is_set())

    def key_of(self, number: int) -> str:
        """Give the key of a task that is to run or runs; '' for others."""
        missed = self._missed.get(number)
        return missed.call.key if missed is not None else ""

    def _step(self) -> None:
        hear()
        scheduler = self._scheduler
        if self._stop.is_set():
            self._abort()
            return
        self._ask_for_more()
        scheduler.capacity = self._pool.room
        self._look_up_ready(_LOOK_UPS)
        while batch := scheduler.next_batch(depth=1 if self._pool.is_here else 2):
            self._start(batch)
            if self._stop.is_set():
                return
            if scheduler.has_ready and self._planned[batch[0]].definition.volatile:
                break  # Those who need what was loaded come before what is to be loaded next.
        self._wait()
        self._progress.tell()

    def _wait(self) -> None:
        """Wait for what runs, or for what is to be looked up or to run again."""
        for number in self._retries.over():
            self._scheduler.again(number)
        for number in self._claiming.due():
            self._scheduler.look_again(number)
        patience = 0.0 if self._scheduler.has_ready else _POLL
        if self._pool.running:
            self._settle(self._dispatch.ended(patience))
        elif self._awaits_more or not self._scheduler.finished:
            time.sleep(patience)

    def _ask_for_more(self) -> None:
        """Let whoever wrote the draft add to it."""
        if self._awaits_more and self._draft.more is not None:
            self._awaits_more = self._draft.more()
            if len(self._planned) > self._scheduler.size:
                self._take_up()

    # Looking up ----------------------------------------------------------------------------------------------------

    def _foresee(self) -> None:
        """Say which finished work is repeated only because code was changed, before any is."""
        repeats = foresee(self._store, self._definitions, self._calls.surroundings.epoch, self._misses)
        if repeats:
            self._progress.foretell(self._holder.foretell(repeats), "\n".join(one.diff for one in repeats))

    def _misses(self, look_ups: float) -> Iterator[Call]:
        """Look up what is ready and what becomes ready by that; give the calls that are to run, as far as is known."""
        self._look_up_ready(look_ups)
        return (missed.call for missed in self._missed.values())

    def _look_up_ready(self, most: float) -> None:
        looked = 0
        while looked < most and not self._stop.is_set() and (numbers := self._scheduler.take_ready(_LOOK_UPS)):
            looked += len(numbers)
            for number in numbers:
                hear()
                self._look_up(number)
            self._scheduler.miss(*(number for number in numbers if number in self._missed))

    def _look_up(self, number: int) -> None:
        planned = self._planned[number]
        if number in self._draft.refused:
            self._fail(number, self._draft.refused[number])
            return
        try:
            call, found = self._look_ups.look_up(number, planned)
        except Exception as error:
            self._fail(number, error)
            return
        if number in self._volatile and not call.obstacle:
            self._volatile.identify(number, call.key)
        if isinstance(found, Missed):
            self._missed[number] = found
        else:
            self._answer_from_store(number, *found)

    def _answer_from_store(self, number: int, ident: int, task: model.TaskRecord) -> None:
        self._progress.saved += task.seconds
        if number in self._volatile:
            self._share(number, ident)
        if self._take_in(number, Answer(ident, task, True, None)):
            self._scheduler.hit(number)

    def _take_in(self, number: int, answer: Answer) -> bool:
        """Take a result in; tells whether the task has ended by that, and does not ask for further calls."""
        self._missed.pop(number, None)
        self._planned[number].answer = answer
        if asked := asked_by(self._store, answer):
            self._follow(number, *asked)
        elif (listener := self._planned[number].on_done) is not None:
            listener(number)
            self._take_up()
        self._volatile.served(number)
        return asked is None

    def _share(self, number: int, ident: int) -> None:
        """Let another loader that has made the same call stand for this one, so that its value is there once."""
        first = self._volatile.first_like(number)
        held = self._planned[first].answer
        if first != number and held is not None and held.id == ident:
            self._planned[number].further = (first,)

    def _let_go(self, number: int) -> None:
        """Let go of what a loader has loaded, in this process and on disk."""
        answer = self._planned[number].answer
        if answer is not None:
            self._pool.forget(range(answer.id + 1, answer.id + 1 + len(answer.task.out)))
        self._holder.release(number)

    def _follow(self, number: int, later: Later, origin: Ref) -> None:
        """Add the calls that a task has asked for."""
        try:
            asked = [self._holder.bind(call) for call in later.calls]
        except Exception as error:
            self._fail(number, error)
            return
        for definition, values in asked:
            self._draft.add(definition, values, origin=origin, on_done=self._planned[number].on_done)
        numbers = self._take_up()
        self._scheduler.await_further(number, numbers)
        self._planned[number].further, self._planned[number].is_list = tuple(numbers), later.is_list

    def _take_up(self) -> Sequence[int]:
        """Let what was added to the draft join the run; gives the numbers."""
        first = self._scheduler.size
        added, needs = self._planned[first:], self._draft.needs[first:]
        if not added:
            return ()
        for definition in (task.definition for task in added):
            if definition.name not in self._definitions:
                self._definitions[definition.name] = definition
                self._scheduler.know(definition.name, definition.demand, self._seconds(definition.name))
        are_loaders = [task.definition.volatile and task.origin is None for task in added]
        loaders = [first + place for place, is_loader in enumerate(are_loaders) if is_loader]
        numbers = self._scheduler.grow(needs, [task.definition.name for task in added], loaders)
        for number, own, is_loader in zip(numbers, needs, are_loaders, strict=True):
            self._volatile.add(number, own, is_loader)
        return numbers

    def _seconds(self, name: str) -> float | None:
        """How long the pipe's latest task took."""
        found = self._store.find_latest(name)
        return found[1].seconds if found else None

    def _prune(self, pruned: Mapping[int, str]) -> None:
        for root, reason in pruned.items():
            if self._scheduler.knows(root) and self._scheduler.state(root) is not TaskState.PRUNED:
                for number in self._scheduler.prune(root):
                    self._planned[number].error = NotComputedYet(
                        f"{self._planned[number].label} was left out of the run{f': {reason}' if reason else ''}",
                        hint="call the pipe directly to compute it",
                    )
                    self._volatile.served(number)

    # Running -------------------------------------------------------------------------------------------------------

    def _start(self, batch: list[int]) -> None:
        for ended in self._dispatch.run(self._claim(batch)):
            self._settle(ended)
            self._progress.tell()
            if self._stop.is_set():
                return

    def _claim(self, batch: Sequence[int]) -> list[Missed]:
        """Give those tasks of a batch that nobody else computes, or has just computed."""
        claimed = self._claiming.take([self._missed[number] for number in batch])
        if len(claimed) < len(batch):
            for number in set(batch).difference(missed.number for missed in claimed):
                self._scheduler.postpone(number)
        for missed, found in self._look_ups.answered_since(claimed):
            self._claiming.release(missed.call)
            self._answer_from_store(missed.number, *found)
        return [missed for missed in claimed if missed.number in self._missed]

    def _settle(self, outcomes: Iterable[Ended]) -> None:
        done: dict[int, float] = {}
        try:
            for ended in outcomes:
                self._claiming.release(ended.missed.call)
                if ended.answer is None:
                    self._settle_failure(ended)
                elif self._take_in(ended.missed.number, ended.answer):
                    done[ended.missed.number] = ended.answer.task.seconds
        finally:
            self._scheduler.done(done)

    def _settle_failure(self, ended: Ended) -> None:
        number = ended.missed.number
        if ended.error is None:
            self._scheduler.again(number, ended.alone)
        elif ended.has_run and self._may_retry(ended.missed):
            ended.missed.attempts += 1
            self._scheduler.pause(number)
            self._retries.begin(number, ended.missed.attempts)
        else:
            self._fail(number, ended.error, ended.timed_out, ended.ident)

    def _may_retry(self, missed: Missed) -> bool:
        return missed.attempts < missed.definition.contract.retries and not self._stop.is_set()

    def _fail(self, number: int, error: BaseException, timed_out: bool = False, ident: int = 0) -> None:
        self._missed.pop(number, None)
        self._planned[number].error = error
        message = f"{type(error).__name__}: {words_of(error)[:200]}"
        self._progress.fail(lambda: self._planned[number].label, message, ident)
        for dependent in self._scheduler.failed(number, TaskState.TIMED_OUT if timed_out else TaskState.FAILED):
            self._missed.pop(dependent, None)
            self._volatile.served(dependent)
        self._volatile.served(number)
        if self._stop_on_error:
            self._give_up()

    def _give_up(self) -> None:
        self._awaits_more = False
        for number in self._scheduler.cancel():
            self._volatile.served(number)
        self._retries.give_up()
        self._claiming.give_up()

    def _abort(self) -> None:
        """Stop what runs, and record that it was stopped; start nothing new."""
        self._give_up()
        self._dispatch.stop()
        for number in self._scheduler.running():
            self._scheduler.cancelled(number)
            self._volatile.served(number)
        self._claiming.release_all()
