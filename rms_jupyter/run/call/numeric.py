"""How is a call of numbers answered and recorded at next to no cost?

Most tiny calls take numbers, read no globals and no files, print nothing and give a scalar. For them nothing of an
inputs' record has to be worked out, so this takes the short way to the same record (a test compares the two). As soon
as anything is out of the ordinary, the general way in `direct` takes over.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Raw, Struct

from rms_jupyter.fingerprint.calls import Call, PlainCall
from rms_jupyter.fingerprint.code import CodeVersion
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.model import Record, TaskRecord
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.call.heard import heard_now
from rms_jupyter.run.call.lookup import traced_key
from rms_jupyter.run.call.record import RecordWriting
from rms_jupyter.run.task.capture import capturing
from rms_jupyter.run.task.execute import Outcome, execute_captured
from rms_jupyter.run.task.outputs import Made
from rms_jupyter.staleness import Reason
from rms_jupyter.store.content import is_small_scalar, scalar_resource
from rms_jupyter.store.recent_index import key_mark, pipe_mark, site_mark
from rms_jupyter.store.running import note_of

if TYPE_CHECKING:
    from rms_jupyter.run.call.here import CallsHere
    from rms_jupyter.store.store import Store

NEW = Reason("never_run")
_MOST_ANSWERS = 20_000
_BRIEF, _LONG = 0.001, 0.1  # Seconds; between them a brief call may be that others have kept from the processor.
_SURELY_BRIEF = 20  # After so many brief calls the next one is taken to be brief, too.
_LONGEST_BATCH = 0.1  # seconds
Marks = Sequence[int]


class PlainWriting(Struct, gc=False):
    """The record of a plain call that was never made before, from its start to its end; see `record.RecordWriting`."""

    store: Store
    files: FileDigests
    call: PlainCall
    pipe: int
    run: int
    args: Raw
    marks: Marks

    def note(self) -> bytes:
        """Note the call in one line, should the process die now."""
        return note_of(self.call.key, self.pipe, self.run, self.args)

    def finish(self, made: Made) -> tuple[list[Record], TaskRecord]:
        """Put the record together."""
        if made.read or made.listed or made.asked or any(out.path for out in made.out):
            self.marks = ()
            general = RecordWriting(self.store, self.files, self.call, NEW, {})
            general.begin(self.pipe, self.run)
            return general.finish(made)
        if made.status != "done" or made.draws:
            self.marks = ()  # It must not take the place of a result; or it has a further key.
        task = TaskRecord(
            key=self.call.key,
            pipe=self.pipe,
            k=self.store.next_k(),
            site=self.call.site,
            run=self.run,
            args=self.args,
            out=made.out,
            seconds=made.seconds,
            started=made.started,
            status=made.status,
            error=made.failure,
            reason="never_run",
            printed=made.printed,
            shown=made.shown,
            cpu=made.cpu,
            memory=made.memory,
            traced=traced_key(self.call.key, dict(made.draws), None) if made.draws else "",
            changes=made.changes,
            draws=made.draws,
            uncached=made.uncached,
            unheard=made.unheard,
        )
        return [task], task

    def written(self, ident: int, task: TaskRecord) -> None:
        """Nothing else was brought along."""


class PlainCalls:
    """Answers plain calls.

    Parameters
    ----------
    calls : CallsHere
        The general way.
    """

    def __init__(self, calls: CallsHere) -> None:
        self._calls, self._store, self._known = calls, calls.store, calls.store.known
        self._answers: dict[str, Answer] = {}
        self._as_of = 0
        self._brief_lately: dict[bytes, int] = {}  # By the version of their code.

    def known_answer(self, key: str) -> Answer | None:
        """Give the hit that a key got before in this kernel, unless a status has changed, or it would be heard."""
        if self._as_of != self._known.status_changes:
            self._answers.clear()
            self._as_of = self._known.status_changes
        answer = self._answers.get(key)
        return None if answer is not None and answer.task.unheard and heard_now(answer.task.unheard) else answer

    def remember(self, key: str, ident: int, task: TaskRecord) -> Answer:
        """Answer with a hit, and keep the answer if neither a file nor what is made of its warnings can change it."""
        answer = Answer(ident, task, True, None)
        is_kept = all(out.format for out in task.out[:1])
        is_fixed = is_kept and not (task.uncached or task.files or task.declared or task.draws or task.shown)
        if is_fixed and len(task.out) == 1:
            if len(self._answers) >= _MOST_ANSWERS:
                self._answers.clear()
            self._answers[key] = answer
        return answer

    def answer_new(self, definition: Definition, version: CodeVersion, call: PlainCall) -> Answer | None:
        """Answer a call that was never made before, and could not be compared with an earlier one; None otherwise."""
        __tracebackhide__ = True
        marks = marks_of(call)
        mark = marks[0]
        if self._known.get(mark) is not None or self._known.facts.accepted or not self.is_first(marks):
            return None
        claims = self._store.claims
        if not claims.take(mark, wait=False):
            return None
        try:
            if self._store.refresh() or self._known.get(mark) is not None:
                return None
            is_brief = self.brief_lately(version) >= _SURELY_BRIEF
            return self.run(definition, version, call, marks, is_brief)
        finally:
            claims.release(mark)

    def brief_lately(self, version: CodeVersion) -> int:
        """Return how many of the latest calls of a pipe were brief, and did nothing unusual."""
        return self._brief_lately.get(version.digest, 0)

    def first_of(
        self, definition: Definition, version: CodeVersion, batch: Iterable[tuple[Call, Reason | None]]
    ) -> list[tuple[PlainCall, Marks]]:
        """Take those from the beginning that can be run in one go, and their fingerprints; see `CallsHere.run_some`."""
        found = []
        for call, flaw in itertools.islice(batch, 1 + self.brief_lately(version)):
            if not isinstance(call, PlainCall) or not (marks := self.marks_if_new(definition, call, flaw)):
                break
            found.append((call, marks))
        return found

    def marks_if_new(self, definition: Definition, call: PlainCall, flaw: Reason | None) -> Marks | None:
        """Return the fingerprints of a call that must run, and could not be compared with an earlier one."""
        if flaw is not None or definition.may_change_process:
            return None
        marks = marks_of(call)
        return marks if self.is_first(marks) else None

    def is_first(self, marks: Marks) -> bool:
        """Tell whether nothing is on record with which a call of these marks that must run could be compared."""
        if self._known.get(marks[1]) is not None:
            return False
        latest = self._known.get(marks[2])
        return latest is None or self._calls.was_asked(latest)

    def run(
        self, definition: Definition, version: CodeVersion, call: PlainCall, marks: Marks, is_brief: bool = False
    ) -> Answer:
        """Run a call that `is_first`, and write its record; raises what the function raises."""
        __tracebackhide__ = True
        answers, error = self.run_all(definition, version, [(call, marks)], is_brief)
        if error is not None:
            raise error
        return answers[0]

    def run_all(
        self,
        definition: Definition,
        version: CodeVersion,
        batch: Sequence[tuple[PlainCall, Marks]],
        are_brief: bool = False,
    ) -> tuple[list[Answer], BaseException | None]:
        """Run calls of one pipe that are each `is_first`, and write their records in one piece.

        Ends early after one that does anything unusual, or when it takes long. Calls that `are_brief` are noted
        only once they have run for a while.

        Returns
        -------
        (list of Answer, BaseException or None)
            Of those that have run, and what the one after them has raised.
        """
        __tracebackhide__ = True
        calls, store = self._calls, self._store
        store.begin()
        pipe, run = calls.pipe_id(definition, version), calls.surroundings.run_id()
        args = [call.args_json() for call, _ in batch]
        tasks: list[TaskRecord] = []
        values: list[Any] = []
        folder, thread = store.running.folder, threading.get_ident()

        def note() -> None:
            notes = [note_of(call.key, pipe, run, own) for (call, _), own in zip(batch, args, strict=True)]
            store.running.start(store.writer, thread, b"\n".join(notes))

        if not are_brief:
            note()
        began, brief, generators = time.perf_counter(), self.brief_lately(version), calls.draws.generators
        with capturing(place=(folder, batch[0][0].key), takes_long=note) as captured:
            for (call, _), own in zip(batch, args, strict=True):
                if values:
                    captured.turn_to((folder, call.key))
                states = generators.marks()
                saving = calls.saving(definition, call.key) if calls.figures else None
                given = definition.binder.call_arguments(call.values)
                outcome = execute_captured(captured, definition.function, *given, saving=saving)
                outcome.printed, outcome.drawn = captured.take_printed(), generators.drawn(states)
                outcome.changed_process = version.changed()
                if not (is_usual := _is_usual(definition, outcome)):
                    break
                brief = brief + 1 if outcome.seconds < _BRIEF else brief // 2 if outcome.seconds < _LONG else 0
                values.append(outcome.value)
                tasks.append(_record(call, pipe, run, own, store.next_k(), outcome))
                if time.perf_counter() - began > _LONGEST_BATCH:
                    break
        if outcome.changed_process:  # Until here, what captures was in the place of streams and warnings.
            outcome.changed_process = version.changed()
        self._brief_lately[version.digest] = brief if is_usual else 0
        answers, ids = [], store.append_all(tasks, (marks for _, marks in batch))
        for ident, task, value in zip(ids, tasks, values, strict=True):
            calls.note_asked(ident)
            self.remember(task.key, ident, task)
            answers.append(Answer(ident, task, False, NEW, value, True))
        if is_usual:
            return answers, None
        try:
            prepared = calls.prepare(definition, call, version, None)
            return [*answers, calls.record(definition, version, prepared, outcome)], None
        except BaseException as error:
            return answers, error


def _is_usual(definition: Definition, outcome: Outcome) -> bool:
    """Whether a call has given a number or a short text, and done nothing else."""
    value = outcome.value
    return is_small_scalar(value) and not (
        outcome.error
        or outcome.printed
        or outcome.displays
        or outcome.drawn
        or outcome.drew_into_open
        or outcome.changed_process
        or outcome.unsaved
        or outcome.touches_files
        or definition.volatile
        or definition.draws_afresh
        or (value is None and definition.is_procedure)
    )


def _record(call: PlainCall, pipe: int, run: int, args: Raw, k: int, outcome: Outcome) -> TaskRecord:
    return TaskRecord(
        key=call.key,
        pipe=pipe,
        k=k,
        site=call.site,
        run=run,
        args=args,
        out=(scalar_resource(outcome.value),),
        seconds=outcome.seconds,
        started=outcome.started,
        reason="never_run",
        cpu=outcome.cpu,
        unheard=outcome.unheard,
    )


def marks_of(call: PlainCall) -> Marks:
    """Give the fingerprints that lead to the record of a plain call: of its key, its site and its pipe."""
    return key_mark(call.key), site_mark(call.site), pipe_mark(call.pipe_name)
