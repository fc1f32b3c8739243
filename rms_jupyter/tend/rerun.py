"""How is a recorded task run again: for itself, or with all between a replaced input and a result?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.nesting import unwrap
from rms_jupyter.interrupts import held
from rms_jupyter.model import TaskRecord
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.call.direct import Calls
from rms_jupyter.run.task.capture import capturing
from rms_jupyter.run.task.coroutines import call_to_end
from rms_jupyter.staleness import Reason
from rms_jupyter.store.ask.lineage import LineageGraph, walk
from rms_jupyter.store.recent_index import key_mark
from rms_jupyter.store.store import Store
from rms_jupyter.tend import mark
from rms_jupyter.tend.nested_inputs import NestedPlaces
from rms_jupyter.tend.recompute import recorded_arguments

FindPipe = Callable[[str], "Definition | None"]
Handle = Callable[[int], Any]


class Rerun:
    """Runs recorded tasks again with the pipes of this session.

    Parameters
    ----------
    calls : Calls
    find_pipe : callable
        Gives the pipe of this session that has a name.
    handle : callable
        Makes the handle of a resource from its id.
    """

    def __init__(self, calls: Calls, find_pipe: FindPipe, handle: Handle) -> None:
        self._calls, self._find_pipe, self._handle = calls, find_pipe, handle
        self._store: Store = calls.store

    def once(self, ident: int, task: TaskRecord) -> Answer:
        """Run one task again although nothing has changed.

        Raises
        ------
        RmsError
            If its pipe is not defined here, or an argument was not kept.
        BaseException
            Whatever the function raises.
        """
        __tracebackhide__ = True
        definition = self.definition(task)
        values = recorded_arguments(definition, ident, task, self._handle, self._store.is_trusted)
        version = self._calls.version(definition)
        call = self._calls.identify(definition, version, values)
        with self._store.claims.held(key_mark(call.key)):
            return self._calls.run(definition, call, version, Reason("forced", "", ident))

    def plainly(self, ident: int, task: TaskRecord) -> Any:
        """Run the function with its recorded inputs and no record, so that a debugger lands in it."""
        __tracebackhide__ = True
        definition = self.definition(task)
        values = recorded_arguments(definition, ident, task, self._handle, self._store.is_trusted)
        args, kwargs = definition.binder.call_arguments(unwrap(list(values), lambda r: r._rms_input()))
        with held(), capturing():
            return call_to_end(definition.function, args, kwargs)

    def definition(self, task: TaskRecord) -> Definition:
        """Find the pipe of a recorded task."""
        name = self._store.pipe_name(task.pipe)
        definition = self._find_pipe(name)
        if definition is None:
            call = self._store.call_text(task)
            raise RmsError(f"{call}: no pipe {name} is defined here", hint="run the cell that defines it")
        return definition

    def replacing(self, ident: int, replace: Mapping[int, int]) -> int:
        """Make a result again from other inputs; gives the id of the new result.

        The tasks between the inputs and the result are called with what takes the place of their inputs; what they had
        made before is kept, and obsolete.

        Parameters
        ----------
        ident : int
            The result.
        replace : mapping of int to int
            Resource to use in place of each old one.

        Raises
        ------
        RmsError
            If the result was not made from any of them, or a pipe is not defined here.
        """
        __tracebackhide__ = True
        new = dict(replace)
        affected = self.between(walk(self._store, ident, down=False), set(replace))
        if not affected:
            raise RmsError(
                "it was not made from what is to be replaced", hint="%rms lineage shows what it was made from"
            )
        definitions = [self.definition(task) for _, task in affected]
        paths = {self._path(old): self._path(other) for old, other in replace.items() if self._path(old)}
        for (task_id, task), definition in zip(affected, definitions, strict=True):
            self.arguments(definition, task_id, task, affected, set(replace))

        def handle(ident: int) -> Any:
            return self._handle(new.get(ident, ident))

        for (task_id, task), definition in zip(affected, definitions, strict=True):
            values = self._filled(definition, task_id, task, handle, paths)[0]
            answer = self._calls.answer_values(_overwriting(definition), values)
            new.update({task_id + slot: answer.id + slot for slot in range(len(task.out) + 1)})
            old = [task_id + slot for slot in range(len(task.out) + 1) if new[task_id + slot] != task_id + slot]
            if old:
                mark.replaced(self._store, [i for i in old if not self._store.status(i)], f"replaced by {answer.id}")
        return new[ident]

    def arguments(
        self,
        definition: Definition,
        task_id: int,
        task: TaskRecord,
        affected: Sequence[tuple[int, TaskRecord]],
        sources: Collection[int],
    ) -> tuple[Any, ...]:
        """Return the arguments of a recorded task, with what stands for resources also within what holds them.

        Raises
        ------
        RmsError
            If it has got a source, or what was made of one, where nothing can be put in its place.
        """
        made = {ident + 1 + slot for ident, one in affected for slot in range(len(one.out))}
        replaced = made.union(sources)
        paths = {path: path for one in replaced if (path := self._path(one))}
        values, places = self._filled(definition, task_id, task, self._handle, paths)
        places.refuse_those_left(replaced, self._store.call_text(task))
        return values

    def _filled(
        self, definition: Definition, task_id: int, task: TaskRecord, handle: Handle, paths: Mapping[str, str]
    ) -> tuple[tuple[Any, ...], NestedPlaces]:
        values = recorded_arguments(definition, task_id, task, handle, self._store.is_trusted)
        places = NestedPlaces(task_id, task, lambda one: self._store.resource(one).digest, handle, paths)
        return places.filled(definition.binder.names, values), places

    def between(self, graph: LineageGraph, sources: set[int]) -> list[tuple[int, TaskRecord]]:
        """List the tasks between the sources and the root, each after those that it needs."""
        below: dict[int, list[int]] = {}
        for parent, child, _ in graph.edges:
            below.setdefault(parent, []).append(child)
        reached, ends = set[int](), list(sources)
        while ends:
            for child in below.get(ends.pop(), ()):
                if child not in reached:
                    reached.add(child)
                    ends.append(child)
        tasks = [(i, self._store.record(i)[1]) for i in reached if graph.nodes[i].kind == "task"]
        return sorted(((i, task) for i, task in tasks if isinstance(task, TaskRecord)), key=lambda pair: pair[1].k)

    def _path(self, ident: int) -> str:
        return self._store.resource(ident).path


def _overwriting(definition: Definition) -> Definition:
    """Let a pipe write where it wrote before, although its inputs are others."""
    contract = msgspec.structs.replace(definition.contract, overwrite=True)
    return Definition(definition.body, contract, definition.output_function)
