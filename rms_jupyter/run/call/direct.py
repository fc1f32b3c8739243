"""How is a call answered at once: from the store, or by running it here?

Look the call up; if nothing answers it, claim its key so that no other kernel computes it meanwhile, read what the
others have done, look again, run, and write one record.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from rms_jupyter import model
from rms_jupyter.figures.formats import Formats
from rms_jupyter.figures.saving import Saving
from rms_jupyter.fingerprint.calls import Call, PlainCall, identify, plain_key
from rms_jupyter.fingerprint.code import CodeVersion
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.fingerprint.nesting import BEHIND, unwrap
from rms_jupyter.fingerprint.version import MISSING
from rms_jupyter.interrupts import hold, indivisible, interruptible, let_go
from rms_jupyter.kept.code import kinds_of
from rms_jupyter.model import Ref, Reference, TaskRecord
from rms_jupyter.naming import call_name
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.cell_runtime import Cell
from rms_jupyter.run.call.company import Company
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.call.draws import FRESH, Draws
from rms_jupyter.run.call.effects import (
    ASSIGNED,
    NotRepeatable,
    changes_variables,
    done_by_cache,
    effects_of,
    lost_when_kept,
    note_places,
    number_inputs,
    repeat,
    shares,
    shown_to_be_used_up,
    unseen,
)
from rms_jupyter.run.call.heard import RaisesNow, find_heard
from rms_jupyter.run.call.lookup import DamagedResult, Untrusted, why_new
from rms_jupyter.run.call.numeric import NEW, PlainCalls, PlainWriting, marks_of
from rms_jupyter.run.call.preconditions import check_inputs, check_outputs
from rms_jupyter.run.call.record import RecordWriting
from rms_jupyter.run.task.execute import Outcome, execute, execute_awaited
from rms_jupyter.run.task.messages import HEARD, is_heard_by_users_handler
from rms_jupyter.run.task.open_figures import FIGURES, figures_now
from rms_jupyter.run.task.outputs import Made, describe_made
from rms_jupyter.run.task.process_state import state_now, what_changed
from rms_jupyter.run.task.rebinding import Bindings
from rms_jupyter.run.task.touched import listen
from rms_jupyter.run.task.turns import has_company, when_free
from rms_jupyter.staleness import Reason
from rms_jupyter.store.recent_index import key_mark
from rms_jupyter.store.seals import DamagedObject
from rms_jupyter.store.store import MADE_ELSEWHERE, Store
from rms_jupyter.store.upkeep.trust import concealed


class Prepared(Struct, frozen=True, gc=False):
    """A call that must run, checked, its record begun; `declared` are the absolute paths it must write."""

    call: Call
    writing: RecordWriting | PlainWriting
    declared: list[str]
    reason: Reason


class ValueTracker(Protocol):
    """Knows which plain values came out of resources."""

    scalars: set[int]  # The `id` of each number among them.

    def lookup(self, value: Any) -> Ref | None:
        """Find the resource whose content an object is, or was when it was handed out."""

    def track(self, value: Any, ref: Ref) -> None:
        """Remember that an object is the content of a resource."""


class CallSurroundings(Protocol):
    """What a call needs to know of where it happens."""

    cell: Cell
    epoch: object  # The notebook cell being run: code is described anew when it changes.

    def run_id(self) -> int:
        """The run on record that the cell's calls belong to."""

    def tell(self, message: str, once: str = "") -> None:
        """Let the user know something; a message with the same `once` is not repeated."""


@dataclass
class Calls:
    """Answers calls one by one.

    Parameters
    ----------
    store : Store
    files : FileDigests
    tracker : Tracker
        Knows the resource whose content an object is.
    surroundings : Surroundings
    remake : callable
        Makes a file again that a recorded call has made, or raises `NotRecomputable`.
    figures : tuple of str
        The formats in which the figures that calls make are saved; none if they are not.
    """

    store: Store
    files: FileDigests
    tracker: ValueTracker
    surroundings: CallSurroundings
    remake: Callable[[str], object]
    figures: Formats = ()
    _pipe_ids: dict[bytes, int] = field(default_factory=dict)
    _givens: dict[str, int] = field(default_factory=dict)
    _asked: set[int] = field(default_factory=set)
    _asked_in: object = None
    _tokens: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        listen()
        self._plain, self._company = PlainCalls(self), Company()
        self.draws = Draws(self.surroundings)

    def version(self, definition: Definition) -> CodeVersion:
        """Describe the code of a pipe as it would run now; tell the user of edits that do not run."""
        version = definition.version(self.surroundings.epoch)
        for path in version.edited:
            self.surroundings.tell(
                f"{path} was edited, and {definition.name} still runs the code that was imported from it. "
                f"For the edit: importlib.reload, or restart the kernel",
                once=f"edited {path}",
            )
        return version

    @interruptible
    def identify(self, definition: Definition, version: CodeVersion, values: tuple[Any, ...]) -> Call:
        """Find out which call this is."""
        if definition.is_simple and (key := self._plain_key(version, values)):
            return PlainCall(definition.name, definition.binder.names, values, key, version.digest)
        call = Call(definition.name, definition.binder.names, values)
        call.as_of = self._company.latest
        call.file_rule, call.expires_after = definition.file_rule, definition.contract.expires_after
        call.project = self.store.project
        call.secret, call.conceal = definition.contract.secret, concealed
        contract, lookup = definition.contract, self.tracker.lookup
        identify(call, version, definition.roles, contract.ignore, lookup, self._file_identity(call))
        number_inputs(call)
        return call

    def _file_identity(self, call: Call) -> Callable[[str], str]:
        return lambda path: self.files.identity(path, call.file_rule)

    def asked_for(self, call: Call, origin: Ref) -> Call:
        """Draw an edge to a call from the task that has asked for it; which call it is stays the same."""
        if call.is_plain:
            call = _general(call)
        call.inputs.used.append((origin, "asked for by"))
        return call

    def answer(self, definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Answer:
        """Answer a call.

        Raises
        ------
        StaleInputError
            If an input was overwritten, deprecated, or changed on disk.
        OverwriteError
            If it would write where another call has written.
        BaseException
            Whatever the function raises, unchanged; the failure is on record then.
        """
        __tracebackhide__ = True
        values = definition.binder.bind(*args, **kwargs)
        version = self.version(definition)
        if definition.is_simple and (key := self._plain_key(version, values)):
            if answer := self._plain.known_answer(key):
                return answer
            plain = PlainCall(definition.name, definition.binder.names, values, key, version.digest)
            if not definition.may_change_process and (answer := self._plain.answer_new(definition, version, plain)):
                return answer
            call: Call = plain
        else:
            call = self.identify(definition, version, values)
        return self._answer(definition, call, version)

    def lookup(self, definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Answer | None:
        """Find what would answer a call; nothing is done or noted."""
        call = self.identify(definition, self.version(definition), definition.binder.bind(*args, **kwargs))
        found = find_heard(self.store, self.files, call, self.draws)
        return Answer(*found, True, None) if isinstance(found, tuple) else None

    def run_again(self, definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any], why: Reason) -> Answer:
        """Run a call although it is on record, and record it anew; see `answer`."""
        __tracebackhide__ = True
        version = self.version(definition)
        call = self.identify(definition, version, definition.binder.bind(*args, **kwargs))
        with self.store.claims.held(key_mark(call.key)):
            return self.run(definition, call, version, why)

    def answer_values(self, definition: Definition, values: tuple[Any, ...], origin: Ref | None = None) -> Answer:
        """Answer a call whose arguments are bound, and that the task `origin` may have asked for; see `answer`."""
        __tracebackhide__ = True
        version = self.version(definition)
        call = self.identify(definition, version, values)
        return self._answer(definition, self.asked_for(call, origin) if origin else call, version)

    def _answer(self, definition: Definition, call: Call, version: CodeVersion) -> Answer:
        __tracebackhide__ = True
        before = self.store.written
        found = self._find(definition, call)
        if isinstance(found, Answer):
            return found
        if isinstance(found, RaisesNow):
            call = _general(call) if call.is_plain else call
            call.obstacle = found.detail
            return self.run(definition, call, version, found)
        if call.obstacle:
            self.say_obstacle(definition, call)
            return self.run(definition, call, version, found)
        self.store.refuse_moved()
        with self.store.claims.held(key_mark(call.key)):
            if self.store.refresh() or self.store.written != before:
                found = self._find(definition, call)
                if isinstance(found, Answer):
                    return found
            answer = self.run(definition, call, version, found)
        if call.is_plain:
            self._plain.remember(call.key, answer.id, answer.task)
        return answer

    async def answer_awaited(self, definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Answer:
        """Answer a call of an async function where it is awaited; see `answer`."""
        __tracebackhide__ = True
        begins = hold()
        try:
            return await self._answer_awaited(definition, args, kwargs)
        finally:
            if begins:
                let_go()

    async def _answer_awaited(self, definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Answer:
        __tracebackhide__ = True
        version, before = self.version(definition), self.store.written
        call = self.identify(definition, version, definition.binder.bind(*args, **kwargs))
        if in_turn := self._does_something_in_turn(call):
            return await self.run_awaited(definition, call, version, in_turn)
        found = self._find(definition, call)
        if isinstance(found, Answer):
            return found
        if call.obstacle:
            self.say_obstacle(definition, call)
            return await self.run_awaited(definition, call, version, found)
        async with when_free(self.store.claims, key_mark(call.key)):
            if self.store.refresh() or self.store.written != before:
                found = self._find(definition, call)
                if isinstance(found, Answer):
                    return found
            return await self.run_awaited(definition, call, version, found)

    def _does_something_in_turn(self, call: Call) -> Reason | None:
        """Say why a recorded call is run again whose other effects would come too early among those of others."""
        found = find_heard(self.store, self.files, call, self.draws) if has_company() else None
        if not isinstance(found, tuple):
            return None
        ident, task = found
        acts = task.printed or task.shown or task.changes or task.draws
        why = "what it shows or changes has its place among what others do that are awaited at the same time"
        return Reason("not_cached", why, ident) if acts else None

    def _plain_key(self, version: CodeVersion, values: tuple[Any, ...]) -> str:
        """Give the key of a call of numbers, unless one of them came out of a resource: that makes an edge."""
        scalars = self.tracker.scalars
        if scalars and any(id(value) in scalars for value in values):
            return ""
        return plain_key(version, values)

    def look(self, definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Answer | None:
        """Answer a call from the store; None where it must run."""
        version = self.version(definition)
        call = self.identify(definition, version, definition.binder.bind(*args, **kwargs))
        found = self._find(definition, call)
        return found if isinstance(found, Answer) else None

    def _find(self, definition: Definition, call: Call) -> Answer | Reason | None:
        """Find what answers a call, and do to the caller's objects what it did; else say why nothing does."""
        found = find_heard(self.store, self.files, call, self.draws, by_value=not definition.gives_resource)
        if not isinstance(found, tuple):
            return found
        ident, task = found
        figures = dict(task.changes).get(FIGURES) if task.changes else None
        if figures and not definition.opens_figures and figures_now():
            return Reason("not_cached", "it may draw into an open figure", ident)
        done = self.do_again(call, ident, task)
        if isinstance(done, Reason):
            return done
        is_alias, value = done
        self.note_asked(ident)
        if task.draws:
            self.draws.made(call)
        self._track_changes(call, ident, task)
        if definition.makes_generator and not definition.gives_resource:
            args, kwargs = definition.binder.call_arguments(unwrap_all(call))
            return Answer(ident, task, True, None, definition.function(*args, **kwargs), True)
        if call.is_plain:
            return self._plain.remember(call.key, ident, task)
        return Answer(ident, task, True, None, value, is_alias)

    def do_again(self, call: Call, ident: int, task: TaskRecord) -> tuple[bool, Any] | Reason:
        """Do to the caller's objects what a recorded call did; return whether it gives one of them, and which."""
        if (changes := changes_variables(task)) and self._company.is_there(call.as_of):
            return Reason("not_cached", "others that run meanwhile may change what it changes", ident)
        try:
            done = repeat(call, task, self.store.restore, self.draws.restore) if task.changes or task.aliases else None
        except NotRepeatable as problem:
            if isinstance(problem.__cause__, DamagedObject):
                return DamagedResult("output_changed", "its stored result is damaged", ident)
            return Reason("not_cached", "what it changes in place cannot be changed again", ident)
        if changes:
            self._company.step()
        return done or (False, None)

    def pipe_id(self, definition: Definition, version: CodeVersion) -> int:
        """Give the id of a code version on record, writing it down if it is new."""
        ident = self._pipe_ids.get(version.digest)
        if ident is None:
            ident = self.store.pipe_id(version.digest.hex())
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
            self._pipe_ids[version.digest] = ident
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
        is_short = flaw is None and not definition.may_change_process
        if is_short and isinstance(call, PlainCall) and self._plain.is_first(marks := marks_of(call)):
            return self._plain.run(definition, version, call, marks)
        prepared = self.prepare(definition, call, version, flaw)
        with self._watching(definition, version, prepared) as finish:
            return finish(execute(definition.function, **self._how(definition, prepared)))

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
            states = self.draws.generators.marks()
            opens = definition.opens_handles
            stood, bindings = state_now(opens) if definition.may_change_process else {}, Bindings(version)

            def finish(outcome: Outcome) -> Answer:
                __tracebackhide__ = True
                outcome.had_company = had_company()
                outcome.drawn = self.draws.generators.drawn(states)
                outcome.assigned, changed = bindings.assigned(), bindings.changed(prepared.call)
                outcome.changed_process = (
                    changed
                    or (what_changed(stood, state_now(opens)) if stood else "")
                    or ("what an open file holds, or where it is read" if definition.uses_handles and not opens else "")
                    or ("what is registered elsewhere" if definition.registers else "")
                )
                return self.record(definition, version, prepared, outcome)

            with self._company.joined(prepared.call.as_of) as had_company:
                yield finish
        finally:
            bindings.assigned()
            self.store.running.end(token)

    def record(self, definition: Definition, version: CodeVersion, prepared: Prepared, outcome: Outcome) -> Answer:
        """Write the record of a call that has run here; raises what the function has raised."""
        __tracebackhide__ = True
        key, declared = prepared.call.key, prepared.declared
        asides = asides_of(prepared.call, definition)
        made = describe_made(outcome, key, declared, asides, definition.volatile, self.store.objects, self.files)
        if outcome.error is None:
            self._add_effects(definition, version, prepared.call, outcome, made)
        [(ident, task)] = self.write([(prepared.writing, made)])
        if outcome.error is not None:
            raise outcome.error
        if task.draws:
            self.draws.made(prepared.call)
        self._track_changes(prepared.call, ident, task)
        self.say_problem(definition, made.problem)
        self.say_uncached(definition, made.uncached)
        self.say_unsaved(definition, made.unsaved)
        return Answer(ident, task, False, prepared.reason, outcome.value, True)

    @interruptible
    def _add_effects(
        self, definition: Definition, version: CodeVersion, call: Call, outcome: Outcome, made: Made
    ) -> None:
        """Add what a call did beside giving a value."""
        effects = effects_of(call, outcome.value)
        made.uncached = made.uncached or effects.obstacle or (unseen(definition, made) if not effects.changed else "")
        made.uncached = made.uncached or shown_to_be_used_up(outcome.value, made) or lost_when_kept(outcome.value)
        made.uncached = made.uncached or done_by_cache(
            version.caches, outcome.value, made, bool(effects.changed or outcome.assigned)
        )
        if outcome.changed_process:
            made.uncached = f"it changes {outcome.changed_process}"
        made.aliases = tuple(map(msgspec.structs.astuple, effects.aliases))
        made.origins = {label: tuple(runs) for label, runs in effects.origins.items()}
        others = "what it changes, others may have changed that ran"
        if outcome.had_turns and (effects.changed or outcome.drawn or outcome.figures):
            made.uncached = made.uncached or f"{others} while it was awaited"
        if outcome.had_company and (effects.changed or outcome.assigned):
            made.uncached = made.uncached or f"{others} meanwhile"
        if effects.changed and is_heard_by_users_handler(outcome.displays):
            made.uncached = made.uncached or HEARD
        for label, value in effects.changed:
            if label in call.secret:
                made.uncached = made.uncached or f"it changes {label}, which is secret"
                continue
            made.add_change(label, value, self.store.objects)
        for label, value in outcome.assigned.items():
            if value is MISSING or shares(value, call, outcome.value):
                made.uncached = f"it changes {label}"
            else:
                made.add_change(f"{ASSIGNED}{label}", value, self.store.objects)
        if names := _generators_of(definition, outcome.drawn):
            made.draws = tuple(self.draws.now(call, names, outcome.drawn).items())
            for name, state in self.draws.states(outcome.drawn).items():
                made.add_change(f"random:{name}", state, self.store.objects)

    def _track_changes(self, call: Call, ident: int, task: TaskRecord) -> None:
        """Let arguments that a call has changed be known as outputs of it."""
        for label, slot in task.changes:
            if label in call.names:
                value = call.values[call.names.index(label)]
                self.tracker.track(value, Ref(ident + slot, task.out[slot - 1].digest, task.site))

    def add_effects_elsewhere(self, definition: Definition, call: Call, made: Made) -> None:
        """Add what a call that ran in a worker did: there, generators and arguments are others."""
        made.uncached = made.uncached or unseen(definition, made)
        if call.assigned:
            made.uncached = f"it assigns {min(call.assigned)}, which does not reach the notebook from a worker"
        made.draws = tuple(self.draws.now(call, _generators_of(definition, dict(made.draws))).items())

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

    def say_problem(self, definition: Definition, problem: str) -> None:
        """Tell why a result is not kept."""
        if problem:
            self.surroundings.tell(
                f"{definition.name}: the result is not kept ({problem}); a later kernel computes it again",
                once=f"unkept {definition.name}",
            )

    def say_uncached(self, definition: Definition, why: str) -> None:
        """Tell why a call that has just run will not be answered from the store."""
        if why:
            self.surroundings.tell(
                f"{definition.name} runs each time, its results are recorded but not reused: {why}",
                once=f"uncached {definition.name} {why}",
            )

    def say_unsaved(self, definition: Definition, why: str) -> None:
        """Tell why a figure is not saved."""
        if why:
            name = definition.name
            self.surroundings.tell(f"{name}: a figure is not saved ({why})", once=f"unsaved {name} {why}")

    def say_obstacle(self, definition: Definition, call: Call) -> None:
        """Tell why a pipe is not answered from the store."""
        name = call.obstacle.partition(":")[0].rpartition(" ")[2]
        self.surroundings.tell(
            f"{definition.name} runs each time, its results are recorded but not reused: {call.obstacle}. "
            f'If {name} does not matter: @rms.pipe(ignore="{name}")',
            once=f"obstacle {definition.name} {name}",
        )


def _general(call: Call) -> Call:
    """Return a plain call as one of the general kind."""
    general = Call(call.pipe_name, call.names, call.values)
    general.as_of = call.as_of
    general.key, general.version, general.inputs_key = call.key, call.version, call.inputs_key
    return general


def _generators_of(definition: Definition, drawn: Iterable[str]) -> list[str]:
    return [*drawn, FRESH] if definition.draws_afresh else list(drawn)


def unwrap_all(call: Call) -> tuple[Any, ...]:
    """The bound values without resources, for the function."""
    if not call.inputs.wrapped:
        return call.values
    return tuple(
        unwrap(value, _as_input) if issubclass(type(value), Reference) or name in call.inputs.wrapped else value
        for name, value in zip(call.names, call.values, strict=True)
    )


def watched_paths(call: Call) -> list[str]:
    """Absolute paths of the files that the function may read or write."""
    return [os.path.abspath(path) for path, _ in (*call.inputs.paths, *call.read_files)]


def known_paths(call: Call) -> list[str]:
    """Absolute paths of the files that count by their content, as results of other calls do."""
    return [os.path.abspath(ref.path) for ref, _ in call.inputs.used if ref.path]


def asides_of(call: Call, definition: Definition) -> list[str]:
    """Absolute paths that only globals, the code, or what is ignored name: no outputs, if the function writes them."""
    named = [(path, role.startswith(BEHIND)) for path, role in call.inputs.paths]
    by_arguments = {os.path.abspath(path) for path, behind in named if not behind}
    asides = [absolute for path, behind in named if behind and (absolute := os.path.abspath(path)) not in by_arguments]
    return asides + definition.ignored_files()


def _as_input(reference: Reference) -> Any:
    return reference._rms_input()
