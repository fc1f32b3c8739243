"""How is a call answered at once: from the store, or by running it here?

Look the call up; if nothing answers it, claim its key so that no other kernel computes it meanwhile, read what the
others have done, look again, run, and write one record.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rms_jupyter.fingerprint.calls import Call, PlainCall, plain_key
from rms_jupyter.fingerprint.code import CodeVersion
from rms_jupyter.fingerprint.identify import identify
from rms_jupyter.interrupts import hold, interruptible, let_go
from rms_jupyter.model import Ref, TaskRecord
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.call.effects import NotRepeatable, changes_variables, number_inputs, repeat
from rms_jupyter.run.call.effects_on_record import track_changes
from rms_jupyter.run.call.handed_over import unwrap_all
from rms_jupyter.run.call.heard import RaisesNow, find_heard
from rms_jupyter.run.call.here import CallsHere
from rms_jupyter.run.call.lookup import DamagedResult
from rms_jupyter.run.task.open_figures import FIGURES, figures_now
from rms_jupyter.run.task.turns import has_company, when_free
from rms_jupyter.staleness import Reason
from rms_jupyter.store.recent_index import key_mark
from rms_jupyter.store.seals import DamagedObject
from rms_jupyter.store.upkeep.trust import concealed


class Calls(CallsHere):
    """Answers calls one by one: from the store, or by running them here."""

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
        version = self.version(definition)
        values = definition.binder.bind(*args, **kwargs)
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
            self.notices.obstacle(definition, call)
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
            self.notices.obstacle(definition, call)
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
        if scalars and not scalars.isdisjoint(map(id, values)):
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
        track_changes(self.tracker, call, ident, task)
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


def _general(call: Call) -> Call:
    """Return a plain call as one of the general kind."""
    general = Call(call.pipe_name, call.names, call.values)
    general.as_of = call.as_of
    general.key, general.version, general.inputs_key = call.key, call.version, call.inputs_key
    return general
