"""How is a call of numbers answered and recorded at next to no cost?

Most tiny calls take numbers, read no globals and no files, print nothing and give a scalar. For them nothing of an
inputs' record has to be worked out, so this takes the short way to the same record (a test compares the two). As soon
as anything is out of the ordinary, the general way in `direct` takes over.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Raw, Struct

from rms_jupyter.fingerprint.calls import PlainCall
from rms_jupyter.fingerprint.code import CodeVersion
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.model import Record, TaskRecord
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.call.heard import heard_now
from rms_jupyter.run.call.lookup import traced_key
from rms_jupyter.run.call.record import RecordWriting
from rms_jupyter.run.task.execute import execute
from rms_jupyter.run.task.outputs import Made
from rms_jupyter.staleness import Reason
from rms_jupyter.store.content import is_small_scalar, scalar_resource
from rms_jupyter.store.recent_index import key_mark, pipe_mark, site_mark
from rms_jupyter.store.running import note_of

if TYPE_CHECKING:
    from rms_jupyter.run.call.direct import Calls
    from rms_jupyter.store.store import Store

NEW = Reason("never_run")
_MOST_ANSWERS = 20_000
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
    calls : Calls
        The general way.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls, self._store, self._known = calls, calls.store, calls.store.known
        self._answers: dict[str, Answer] = {}
        self._as_of = 0

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
        is_fixed = not (task.uncached or task.files or task.declared or task.draws or task.shown)
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
            return self.run(definition, version, call, marks)
        finally:
            claims.release(mark)

    def is_first(self, marks: Marks) -> bool:
        """Tell whether nothing is on record with which a call of these marks that must run could be compared."""
        if self._known.get(marks[1]) is not None:
            return False
        latest = self._known.get(marks[2])
        return latest is None or self._calls.was_asked(latest)

    def run(self, definition: Definition, version: CodeVersion, call: PlainCall, marks: Marks) -> Answer:
        """Run a call that `is_first`, and write its record; raises what the function raises."""
        __tracebackhide__ = True
        calls, store, key = self._calls, self._store, call.key
        store.begin()
        pipe, run, args = calls.pipe_id(definition, version), calls.surroundings.run_id(), call.args_json()
        store.running.start(store.writer, threading.get_ident(), note_of(key, pipe, run, args))
        place = (store.running.folder, key)
        states = calls.draws.generators.marks()
        saving = calls.saving(definition, key) if calls.figures else None
        outcome = execute(
            definition.function, *definition.binder.call_arguments(call.values), place=place, saving=saving
        )
        outcome.drawn = calls.draws.generators.drawn(states)
        outcome.changed_process = version.changed()
        value = outcome.value
        is_quiet = not (
            outcome.error
            or outcome.printed
            or outcome.displays
            or outcome.drawn
            or outcome.drew_into_open
            or outcome.changed_process
            or outcome.unsaved
        )
        is_quiet = is_quiet and not definition.draws_afresh and (value is not None or not definition.is_procedure)
        is_quiet = is_quiet and not outcome.touches_files
        if not is_quiet or definition.volatile or not is_small_scalar(value):
            return calls.record(definition, version, calls.prepare(definition, call, version, None), outcome)
        task = TaskRecord(
            key=key,
            pipe=pipe,
            k=store.next_k(),
            site=call.site,
            run=run,
            args=args,
            out=(scalar_resource(value),),
            seconds=outcome.seconds,
            started=outcome.started,
            reason="never_run",
            cpu=outcome.cpu,
            unheard=outcome.unheard,
        )
        ident = store.append(task, marks)
        calls.note_asked(ident)
        self.remember(key, ident, task)
        return Answer(ident, task, False, NEW, value, True)


def marks_of(call: PlainCall) -> Marks:
    """Give the fingerprints that lead to the record of a plain call: of its key, its site and its pipe."""
    return key_mark(call.key), site_mark(call.site), pipe_mark(call.pipe_name)
