"""How does a call run in this process, and become a record?"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rms_jupyter import model
from rms_jupyter.figures.saving import Saving
from rms_jupyter.figures.styles import FigureSettings
from rms_jupyter.fingerprint.calls import Call, PlainCall
from rms_jupyter.fingerprint.code import CodeVersion
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.interrupts import indivisible
from rms_jupyter.kept.code import kinds_of
from rms_jupyter.model import TaskRecord
from rms_jupyter.naming import call_name
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.company import Company
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.call.draws import Draws
from rms_jupyter.run.call.effects import note_places
from rms_jupyter.run.call.effects_on_record import add_effects, track_changes
from rms_jupyter.run.call.handed_over import asides_of, known_paths, unwrap_all, watched_paths
from rms_jupyter.run.call.lookup import DamagedResult, Untrusted, why_new
from rms_jupyter.run.call.notices import Notices
from rms_jupyter.run.call.numeric import NEW, PlainCalls, PlainWriting, marks_of
from rms_jupyter.run.call.preconditions import check_inputs, check_outputs
from rms_jupyter.run.call.record import RecordWriting
from rms_jupyter.run.call.surroundings import CallSurroundings, Prepared, ValueTracker
from rms_jupyter.run.task.caches_asked import CachesAsked, caches_of
from rms_jupyter.run.task.execute import Outcome, execute, execute_awaited
from rms_jupyter.run.task.outputs import Made, describe_made
from rms_jupyter.run.task.process_state import state_now, what_changed
from rms_jupyter.run.task.rebinding import Bindings
from rms_jupyter.run.task.touched import listen
from rms_jupyter.staleness import Reason
from rms_jupyter.store.store import MADE_ELSEWHERE, Store


@dataclass
class CallsHere:
    """Runs calls in this process, and writes their records, wherever they have run.

    Parameters
    ----------
    store : Store
    files : FileDigests
    tracker : Tracker
        Knows the resource whose content an object is.
    surroundings : Surroundings
    remake : callable
        Makes a file again that a recorded call has made, or raises `NotRecomputable`.
    figures : FigureSettings
        How the figures that calls make are saved, if they are.
    """

    store: Store
    files: FileDigests
    tracker: ValueTracker
    surroundings: CallSurroundings
    remake: Callable[[str], object]
    figures: FigureSettings = field(default_factory=FigureSettings)
    _pipe_ids: dict[tuple[bytes, str], int] = field(default_factory=dict)
    _givens: dict[str, int] = field(default_factory=dict)
    _asked: set[int] = field(default_factory=set)
    _asked_in: object = None
    _tokens: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        listen()
        self._plain, self._company = PlainCalls(self), Company()
        self.draws = Draws(self.surroundings)
        self.notices = Notices(self.surroundings.tell)

    def pipe_id(self, definition: Definition, version: CodeVersion) -> int:
        """Give the id of a code version on record, writing it down if it is new."""
        ident = self._pipe_ids.get((version.digest, definition.name))
        if ident is None:
            ident = self.store.pipe_id(version.digest.hex(), definition.name)
            if ident is None:
                reads = {(id(read.namespace), read.name): read.label for read in version.reads}
                record = model.PipeRecord(
                    name=definition.name,
                    version=version.digest.hex(),
                    module=definition.module,
                    parts=version.parts,
                    sources=version.sources,
                    contract=definition.contract.given(),
                    pieces=definition.body.pieces(definition.name, reads),
                    kinds=kinds_of(definition.binder.parameters),
                    k=self.store.next_k(),
                )
                ident = self.store.append(record)
            self._pipe_ids[version.digest, definition.name] = ident
        return ident

    def note_asked(self, ident: int) -> None:
        """Remember that the current cell has asked for a task."""
        self._asked_here().add(ident)

    def _asked_here(self) -> set[int]:
        """The tasks that the current cell has asked for."""
        if self._asked_in is not self.surroundings.epoch:
            self._asked, self._asked_in = set(), self.surroundings.epoch
        return self._asked

    def prepare(self, definition: Definition, call: Call, version: CodeVersion, flaw: Reason | None) -> Prepared:
        """Check a call that must run, and begin its record.

        Raises
        ------
        StaleInputError, OverwriteError, CannotRecord
        """
        self.store.begin()
        pipe, run = self.pipe_id(definition, version), self.surroundings.run_id()
        if isinstance(call, PlainCall) and flaw is None and self._plain.is_first(marks := marks_of(call)):
            return Prepared(
                call, PlainWriting(self.store, self.files, call, pipe, run, call.args_json(), marks), [], NEW
            )
        declared: list[str] = []
        if not call.is_plain:
            note_places(call)
            check_inputs(self.store, self.files, call, self.remake)
        if definition.has_outputs:
            declared = [os.path.abspath(path) for path in definition.declared_outputs(call.values)]
            check_outputs(self.store, definition, call, declared)
        if isinstance(flaw, DamagedResult):
            self.surroundings.tell(f"{flaw.detail}: {call_name(self.store.origins.of_call(call))} runs again")
        if isinstance(flaw, Untrusted):
            self.surroundings.tell(f"{self.store.layout.root} {MADE_ELSEWHERE}", once="untrusted")
        reason = flaw or why_new(self.store, self.files, call, version, self._asked_here())
        writing = RecordWriting(self.store, self.files, call, reason, self._givens)
        writing.begin(pipe, run)
        return Prepared(call, writing, declared, reason)

    @indivisible
    def run(self, definition: Definition, call: Call, version: CodeVersion, flaw: Reason | None) -> Answer:
        """Run a call here, and write its record.

        Raises
        ------
        BaseException
            Whatever the function raises, unchanged.
        """
        __tracebackhide__ = True
        if isinstance(call, PlainCall) and (marks := self._plain.marks_if_new(definition, call, flaw)):
            return self._plain.run(definition, version, call, marks)
        prepared = self.prepare(definition, call, version, flaw)
        with self._watching(definition, version, prepared) as finish:
            return finish(execute(definition.function, **self._how(definition, prepared)))

    @indivisible
    def run_some(
        self, definition: Definition, version: CodeVersion, batch: Iterable[tuple[Call, Reason | None]]
    ) -> tuple[list[Answer], BaseException | None]:
        """Run the first of some calls of a pipe here, or several of them in one go.

        Parameters
        ----------
        definition, version
        batch : iterable of (Call, Reason or None)
            The calls, and why what was found does not answer each, if anything was.

        Returns
        -------
        (list of Answer, BaseException or None)
            Of those that have run, and what the one after them has raised.
        """
        batch = iter(batch)
        call, flaw = first = next(batch)
        if plain := self._plain.first_of(definition, version, itertools.chain((first,), batch)):
            return self._plain.run_all(definition, version, plain)
        try:
            return [self.run(definition, call, version, flaw)], None
        except BaseException as error:
            return [], error

    async def run_awaited(
        self, definition: Definition, call: Call, version: CodeVersion, flaw: Reason | None
    ) -> Answer:
        """Run a call of an async function in the event loop of whoever awaits it, and write its record; see `run`."""
        __tracebackhide__ = True
        prepared = self.prepare(definition, call, version, flaw)
        with self._watching(definition, version, prepared) as finish:
            return finish(await execute_awaited(definition.function, **self._how(definition, prepared)))

    def _how(self, definition: Definition, prepared: Prepared) -> dict[str, Any]:
        """How a call is executed."""
        call = prepared.call
        args, kwargs = definition.binder.call_arguments(unwrap_all(call))
        return {
            "args": args,
            "kwargs": kwargs,
            "watched": watched_paths(call),
            "declared": prepared.declared,
            "allow_empty": definition.contract.allow_empty,
            "place": (self.store.running.folder, call.key),
            "known": known_paths(call),
            "saving": self.saving(definition, call.key) if self.figures else None,
        }

    def saving(self, definition: Definition, key: str) -> Saving:
        """Say how the figures that a call makes are saved."""
        return Saving(str(self.store.layout.figures), self.figures, definition.name, key)

    @contextmanager
    def _watching(
        self, definition: Definition, version: CodeVersion, prepared: Prepared
    ) -> Iterator[Callable[[Outcome], Answer]]:
        """Note that a call runs, and what it does to the process; gives what writes the record of its outcome."""
        token = next(self._tokens)
        self.store.running.start(self.store.writer, token, prepared.writing.note())
        try:
            bindings = Bindings(version)
            asked = CachesAsked(caches_of(version, prepared.call))
            try:
                states = self.draws.generators.marks()
                opens = definition.opens_handles
                reads_handles = definition.uses_handles and not opens
                stood = state_now(opens) if definition.may_change_process else {}

                def finish(outcome: Outcome) -> Answer:
                    __tracebackhide__ = True
                    outcome.had_company = had_company()
                    outcome.drawn = self.draws.generators.drawn(states)
                    outcome.done_each_time = outcome.done_each_time or asked.doubt()
                    outcome.assigned, changed = bindings.assigned(), bindings.changed(prepared.call)
                    outcome.changed_process = (
                        changed
                        or (what_changed(stood, state_now(opens)) if stood else "")
                        or ("what an open file holds, or where it is read" if reads_handles else "")
                        or ("what is registered elsewhere" if definition.registers else "")
                    )
                    return self.record(definition, version, prepared, outcome)

                with self._company.joined(prepared.call.as_of) as had_company:
                    yield finish
            finally:
                bindings.assigned()
        finally:
            self.store.running.end(token)

    def record(self, definition: Definition, version: CodeVersion, prepared: Prepared, outcome: Outcome) -> Answer:
        """Write the record of a call that has run here; raises what the function has raised."""
        __tracebackhide__ = True
        key, declared = prepared.call.key, prepared.declared
        asides = asides_of(prepared.call, definition)
        made = describe_made(outcome, key, declared, asides, definition.volatile, self.store.objects, self.files)
        if outcome.error is None:
            add_effects(definition, version, prepared.call, outcome, made, self.draws, self.store.objects)
        [(ident, task)] = self.write([(prepared.writing, made)])
        if outcome.error is not None:
            raise outcome.error
        if task.draws:
            self.draws.made(prepared.call)
        track_changes(self.tracker, prepared.call, ident, task)
        self.notices.problem(definition, made.problem)
        self.notices.uncached(definition, made.uncached)
        self.notices.unsaved(definition, made.unsaved)
        return Answer(ident, task, False, prepared.reason, outcome.value, True)

    def was_asked(self, ident: int) -> bool:
        """Tell whether the current cell has asked for a task already (or there is none to ask for)."""
        return not ident or (ident in self._asked and self._asked_in is self.surroundings.epoch)

    def write(self, finished: list[tuple[RecordWriting | PlainWriting, Made]]) -> list[tuple[int, TaskRecord]]:
        """Write the records of tasks that have ended, in one piece."""
        records: list[model.Record] = []
        marks: list[Sequence[int]] = []
        places, tasks = [], []
        for writing, made in finished:
            new, task = writing.finish(made)
            self.store.note_own(made.out)
            records += new
            marks += [()] * (len(new) - 1)
            marks.append(writing.marks)
            places.append(len(records) - 1)
            tasks.append(task)
        written = self.store.append_all(records, marks)
        ids = [written[place] for place in places]
        for (writing, _), ident, task in zip(finished, ids, tasks, strict=True):
            writing.written(ident, task)
        self._asked_here().update(ids)
        return list(zip(ids, tasks, strict=True))
