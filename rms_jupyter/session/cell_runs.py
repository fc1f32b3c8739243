"""How does a cell that is a pipe run as a cell, or come from the store?

It runs as it stands, in the notebook's variables; what it does to them is seen by comparing them before and after.
What it leaves is brought back from the store if all of it can be, else it runs each time.
"""

from __future__ import annotations

import os
import re
import sys
import time
import types
from collections.abc import Iterator, Sequence
from typing import Any

from rms_jupyter.errors import RmsError, words_of
from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.fingerprint.code import CodeVersion
from rms_jupyter.fingerprint.values import tagged
from rms_jupyter.flows.cells.body import CellBody, inputs_of
from rms_jupyter.flows.cells.imports import imported_after_settings
from rms_jupyter.flows.cells.shape import CellShape, attributes_set, bound_by
from rms_jupyter.interrupts import unbroken
from rms_jupyter.model import Ref, TaskRecord
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.definition import Definition, contract_of
from rms_jupyter.run.call.handed_over import watched_paths
from rms_jupyter.run.call.heard import RaisesNow, find_heard
from rms_jupyter.run.task import usage
from rms_jupyter.run.task.caches_asked import CachesAsked, caches_of
from rms_jupyter.run.task.capture import capturing
from rms_jupyter.run.task.execute import Outcome, marks_of_files
from rms_jupyter.run.task.left_by_cell import Content, Left, NotToBeKept, as_kept, bring_back, keep, repeat_changes
from rms_jupyter.run.task.messages import HEARD, is_heard_by_users_handler
from rms_jupyter.run.task.open_figures import can_draw, figure_of, open_figures, prepare_to_draw
from rms_jupyter.run.task.outputs import describe_made
from rms_jupyter.run.task.process_state import State, state_now, what_changed
from rms_jupyter.run.task.reach import Reach, held_by
from rms_jupyter.run.task.remembering import filled_in, pattern_of
from rms_jupyter.run.task.shown import shows
from rms_jupyter.run.task.touched import Touched
from rms_jupyter.session.core import Core
from rms_jupyter.staleness import Reason
from rms_jupyter.working_folder import in_short

_HISTORY = re.compile(r"_+|_(i+|ih|oh|dh|i?\d+)|__\w+__|In|Out|exit|quit|open|get_ipython")
_ABSENT: Any = object()
_IMPORTED_CODE = (types.ModuleType, types.FunctionType, type)


class CellRun:
    """One run of a cell.

    Parameters
    ----------
    session : Core
    shape : CellShape
    name : str
        Of the pipe.
    namespace : dict
        The notebook's variables.
    filename : str
        Under which tracebacks find the cell's text.
    inputs, outputs : sequence of str, optional
        Where the user says which they are.
    is_quiet : bool
        Whether its last value is not to be shown.

    Attributes
    ----------
    content : dict
        What it left when it ran, if it is a hit, and once that was read.
    """

    def __init__(
        self,
        session: Core,
        shape: CellShape,
        name: str,
        namespace: dict[str, Any],
        filename: str,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
        is_quiet: bool = False,
    ) -> None:
        self._is_quiet = is_quiet
        self._session, self._shape, self._namespace, self._outputs = session, shape, namespace, outputs
        self.inputs = inputs_of(shape, namespace) if inputs is None else list(inputs)
        for missing in (name for name in self.inputs if name not in namespace):
            raise RmsError(f"%%rms cell: there is no variable {missing}", hint="define it, or leave it out of -i")
        self.name = name
        self.outputs = list(outputs) if outputs is not None else shape.writes
        body = CellBody(shape, name, self.inputs, self.outputs, namespace, filename)
        self._definition = Definition(body, contract_of({"name": name}))
        self._definition.is_simple = False
        self.content: Content | None = None
        self._kept = Left()
        self._standing: Reach | None = None
        self._begin()

    # Before ----------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        calls = self._session.calls
        values = tuple(self._namespace[name] for name in self.inputs)
        self._version: CodeVersion = calls.version(self._definition)
        self._call: Call = calls.identify(self._definition, self._version, values)
        reads = {f"global:{label}": value for label, value in self._call.globals.items()}
        self._reach = Reach({**dict(zip(self.inputs, values, strict=True)), **reads})
        self._count_inputs_and_aliases()
        own = self._shape.obstacle or self._sets_code() or self._imports_late()
        self._call.obstacle = own or self._call.obstacle
        if self._definition.uses_handles and not self._definition.opens_handles:
            self._call.obstacle = self._call.obstacle or "it changes what an open file holds, or where it is read"
        session, call = self._session, self._call
        self._found = None if call.obstacle else find_heard(session.store, session.file_digests, call)
        if isinstance(self._found, RaisesNow):
            call.obstacle = self._found.detail

    def _count_inputs_and_aliases(self) -> None:
        call = self._call
        if not call.obstacle:
            parts = [" ".join(self.inputs), self._reach.pattern, "quiet" if self._is_quiet else ""]
            if remembered := pattern_of(self._reach.objects, filled_in(self._reach.objects)):
                parts.append(remembered)
            call.inputs_key += tagged("cell", [part.encode() + b"\0" for part in parts])
            call.key = call.key_under(call.version)

    def _imports_late(self) -> str:
        """Say which module the cell imports, for the first time in this kernel, after it has set what that may see."""
        late = imported_after_settings(self._shape.tree)
        found = next(((module, setting) for module, setting in late if module not in sys.modules), None)
        return f"it imports {found[0]}, for the first time in this kernel, after {found[1]} was set" if found else ""

    def _sets_code(self) -> str:
        """Say which module, class or function the cell changes itself."""
        for root, written in attributes_set(self._shape.tree.body):
            if root in self._shape.defined or isinstance(self._namespace.get(root), _IMPORTED_CODE):
                return f"it changes {written}"
        return ""

    def is_hit(self) -> bool:
        """Whether the store answers the cell."""
        return isinstance(self._found, tuple)

    def find(self) -> bool:
        """Find what the cell left in the store; return whether it is there."""
        assert isinstance(self._found, tuple)
        try:
            with as_kept:
                self._kept = self._session.store.restore(self._found[1].out[0])
        except Exception as error:
            why = f"what the cell left cannot be read: {words_of(error)}"
            self._found = Reason("output_missing", why, self._found[0])
        return isinstance(self._found, tuple)

    def read(self) -> bool:
        """Read what the cell left, with the definitions that have run; return whether that can be done."""
        assert isinstance(self._found, tuple)
        try:
            self.content = bring_back(self._kept, self._reach, self._namespace)
        except Exception as error:
            self._found = Reason(
                "output_missing", f"what the cell left cannot be read: {words_of(error)}", self._found[0]
            )
        return self.content is not None

    def start(self) -> None:
        """Begin to run: the record, and what there is to compare with."""
        session = self._session
        reason = self._found if isinstance(self._found, Reason) else None
        self._prepared = session.calls.prepare(self._definition, self._call, self._version, reason)
        self._token = next(session.calls._tokens)
        session.store.running.start(session.store.writer, self._token, self._prepared.writing.note())
        self._watched = watched_paths(self._call)
        self._files = marks_of_files(self._watched)
        self._reach.remember()
        self._set_aside: dict[str, Any] = {}
        self._made: dict[str, Reach] = {}
        self._before = dict(self._namespace)
        self._figures = open_figures()
        if not self._shape.looks_around:
            unread = set(self._shape.writes) - self._shape.certain - set(self._shape.reads) - set(self._call.globals)
            self._set_aside = {name: self._namespace.pop(name) for name in unread if name in self._namespace}
        may_draw = bool(self._figures) and "matplotlib" in self._version.parts
        self._changed_state = "it may draw into an open figure" if may_draw else ""
        self._state: State = state_now(self._definition.opens_handles)
        self._outcome = Outcome(started=time.time_ns() // 1000)
        self._began = time.perf_counter()
        self._costs = usage.mark(self._began)
        self._held = [look() for _, look, _ in self._version.held]
        self._in_modules = [(names, name, names.get(name, _ABSENT)) for names, name in self._variables_of_modules()]
        self._asked = CachesAsked(caches_of(self._version, self._call))
        self._touched = Touched().__enter__()

    # While it runs ---------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """See what has become of the process, and of what the cell has defined."""
        if self._changed_state:
            return
        if changed := what_changed(self._state, state_now(self._definition.opens_handles)):
            self._changed_state = f"it changes {changed}"
        for name, reach in self._made.items():
            if list(reach.changed()) or not reach.is_of(held_by(self._namespace.get(name))):
                self._changed_state = f"it changes what {name} holds"

    def look_at_variables(self) -> None:
        """Note what the cell's variables hold: a definition that changes them would do so once more on a hit."""
        self._standing = Reach(self._variables())
        self._standing.remember()

    def _variables(self) -> dict[str, Any]:
        names = {*self.inputs, *self._call.globals, *self._shape.writes}
        return {name: self._namespace[name] for name in sorted(names) if name in self._namespace}

    def catch_figures(self, captured: capturing) -> None:
        """Save the figures that the cell makes, if they are saved."""
        calls = self._session.calls
        if calls.figures:
            captured.catch_figures(calls.saving(self._definition, self._call.key), self._outcome.started)

    def save_figures(self, captured: capturing, last: Any) -> None:
        """Save those that were not closed, and the last value."""
        if captured.catch is not None:
            self._session.calls.notices.unsaved(self._definition, captured.save_figures(last))

    def after_definition(self, names: Sequence[str]) -> None:
        """Take the process, functions and classes as they are now: definitions are made each time."""
        standing, self._standing = self._standing, None
        if standing is not None and (not standing.is_of(self._variables()) or list(standing.changed())):
            self._changed_state = self._changed_state or f"it changes its variables when it makes {', '.join(names)}"
        self._state = state_now(self._definition.opens_handles)
        for name in {*self._made, *names}:
            self._made[name] = reach = Reach(held_by(self._namespace.get(name)))
            reach.remember()

    # After -----------------------------------------------------------------------------------------------------------

    def finish(self, captured: capturing, error: BaseException | None, last: Any, has_last: bool) -> None:
        """Write the record of the cell, which has run."""
        self._touched.__exit__()
        outcome, session = self._outcome, self._session
        outcome.seconds = time.perf_counter() - self._began
        outcome.cpu, outcome.memory = usage.since(self._costs, outcome.seconds)
        outcome.error = error
        self.look()
        session.store.running.end(self._token)
        for name, value in self._set_aside.items():
            if name not in self._namespace:
                self._namespace[name] = value
                self._before.pop(name)
        names = self._names_left(last)
        outcome.displays, outcome.unheard = captured.take_messages(), captured.take_unheard()
        outcome.printed = captured.take_printed()
        self._see_files(outcome)
        if error is None:
            outcome.value = self._left(names, last, has_last, outcome)
        made = describe_made(
            outcome,
            self._call.key,
            [],
            (),
            not isinstance(outcome.value, Left) or not outcome.value.data,
            session.store.objects,
            session.file_digests,
        )
        made.uncached = made.uncached or made.problem
        [(ident, task)] = session.calls.write([(self._prepared.writing, made)])
        if error is not None:
            return
        self._tell_of_missing_outputs()
        obstacle = self._call.obstacle or made.uncached
        reason = Reason("not_cached", obstacle) if obstacle else self._prepared.reason
        self._note(Answer(ident, task, False, reason), outcome.value)

    def _left(self, names: dict[str, Any], last: Any, has_last: bool, outcome: Outcome) -> Left:
        """Put together what the cell leaves; what cannot be brought back is noted as an obstacle."""
        call, code_was_changed = self._call, self._code_was_changed()
        changed = [] if call.obstacle else list(self._reach.changed())
        names = names | {name: self._namespace[name] for name in self.inputs if self._is_changed(name, changed)}
        try:
            if call.obstacle or self._changed_state:
                raise NotToBeKept(call.obstacle or self._changed_state)
            if code_was_changed:
                raise NotToBeKept("it changes a module, a class, or what a function holds")
            if changed and is_heard_by_users_handler(outcome.displays):
                raise NotToBeKept(HEARD)
            if fixed := [number for number in changed if not self._reach.can_be_repeated(number)]:
                kind = type(self._reach.objects[fixed[0]]).__name__
                raise NotToBeKept(f"it changes a {kind} in place")
            removed = self._names_removed()
            figures = [figure_of(number) for number in sorted(open_figures() - self._figures)]
            is_seen = outcome.printed or shows(outcome.displays) or outcome.written
            if not (is_seen or names or changed or removed or figures or has_last):
                raise NotToBeKept("nothing that it does can be seen")
            content = {
                "names": names,
                "changes": {number: self._reach.twin(number) for number in changed},
                "removed": removed,
                "figures": figures,
                "can_draw": can_draw(),
                "last": last if has_last else None,
                "has_last": has_last,
            }
            late = {name for node in self._shape.late for name in bound_by(node)}
            return keep(content, self._reach, self._namespace, late | names.keys())
        except NotToBeKept as problem:
            call.obstacle = call.obstacle or str(problem)
            return Left(names)

    def _names_left(self, last: Any) -> dict[str, Any]:
        """Find the names that hold other objects than before, or were assigned anyway."""
        assigned = (self._shape.certain | set(self._set_aside) | {"_"}) & (
            set(self._shape.writes) | self._shape.certain
        )
        is_last = self._namespace.get("_") is last
        own = {"_"} if not is_last and any("_" in bound_by(node) for node in self._shape.work) else set()
        left = {
            name: value
            for name, value in self._namespace.items()
            if name not in self._shape.defined
            and (
                name in assigned
                or ((name in own or not _HISTORY.fullmatch(name)) and self._before.get(name, _ABSENT) is not value)
            )
        }
        if self._outputs is None:
            return left
        for name in left.keys() - set(self._outputs) - set(self.inputs):
            self._forget(name)
        return {name: left[name] for name in self._outputs if name in left}

    def _tell_of_missing_outputs(self) -> None:
        if missing := [name for name in self._outputs or () if name not in self._namespace]:
            self._session.place.tell(f"{self.name}: the cell has not made {', '.join(missing)}, which -o names")

    def _forget(self, name: str) -> None:
        if name in self._before:
            self._namespace[name] = self._before[name]
        else:
            del self._namespace[name]

    def _names_removed(self) -> list[str]:
        gone = self._before.keys() - self._namespace.keys()
        return sorted(
            name
            for name in gone | (self._shape.deleted - self._namespace.keys())
            if name in self._shape.deleted or not _HISTORY.fullmatch(name)
        )

    def _is_changed(self, name: str, changed: Sequence[int]) -> bool:
        """Whether an input, or something that it holds, was changed in place."""
        mine = Reach({name: self._namespace.get(name)})
        return any(mine.number(self._reach.objects[number]) is not None for number in changed)

    def _code_was_changed(self) -> bool:
        """Whether the cell has changed code that it rests on, other than by giving names new values."""
        version = self._version
        for namespace, name, value in (*version.watched, *self._in_modules):
            if namespace is not self._namespace and namespace.get(name, _ABSENT) is not value:
                return True
        return any(look() != held for (_, look, _), held in zip(version.held, self._held, strict=True))

    def _variables_of_modules(self) -> Iterator[tuple[dict[str, Any], str]]:
        """Find the variables of the user's modules that the cell's code reads or assigns."""
        for names, name in (
            *((r.namespace, r.name) for r in self._version.reads),
            *(a[:2] for a in self._version.assigned.values()),
        ):
            if isinstance(names, dict) and names is not self._namespace:
                yield names, name

    def _see_files(self, outcome: Outcome) -> None:
        now = marks_of_files(self._watched)
        there = [path for path in self._watched if now[path] is not None]
        outcome.written = [path for path in there if now[path] != self._files[path]]
        outcome.read = [path for path in there if path not in outcome.written]
        outcome.read += self._touched.files_read({*self._watched, *outcome.written})
        outcome.listed = self._touched.folders_listed(self._watched)
        outcome.asked = self._touched.answers(self._watched)
        if added_to := self._touched.added_to():
            self._changed_state = self._changed_state or f"it adds to {in_short(next(iter(added_to)))}"
        self._changed_state = self._changed_state or self._touched.done_each_time(self._watched) or self._asked.doubt()
        unnamed = self._touched.unnamed(self._watched, os.path.abspath(self._session.path))
        self._changed_state = self._changed_state or unnamed
        gone = [path for path in self._watched if now[path] is None and self._files[path] is not None]
        if gone:
            self._changed_state = self._changed_state or f"it removes {in_short(gone[0])}"

    # A hit -----------------------------------------------------------------------------------------------------------

    @unbroken
    def restore(self) -> None:
        """Bring back what the cell left: all of it, or nothing."""
        assert self.content is not None and isinstance(self._found, tuple)
        repeat_changes(self.content, self._reach)
        if self.content["can_draw"]:
            prepare_to_draw()
        self._namespace.update(self.content["names"])
        for name in self.content["removed"]:
            self._namespace.pop(name, None)
        self._session.calls.note_asked(self._found[0])
        self._note(Answer(*self._found, True, None), self.content["names"])

    @property
    def task(self) -> tuple[int, TaskRecord]:
        """The task that answers."""
        assert isinstance(self._found, tuple)
        return self._found

    def _note(self, answer: Answer, names: dict[str, Any]) -> None:
        self._session.place.note(self.name, answer)
        if answer.task.out:
            ref = Ref(answer.id + 1, answer.task.out[0].digest, answer.task.site)
            self._session.home.tracker.track_names(names, ref, answer.hit, str(answer.reason or ""))
