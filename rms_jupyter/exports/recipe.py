"""Which calls made this, in which order, with which code, arguments, globals and files?

Values are plain, with `Made`, `Given` and paths in place of resources, so that they can be written down.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from rms_jupyter import model
from rms_jupyter.errors import RmsError, words_of
from rms_jupyter.exports.code import Codebase
from rms_jupyter.exports.reading import Reader, codes_in
from rms_jupyter.fingerprint.values import Undigestable, digest
from rms_jupyter.kept.code import pieces_of
from rms_jupyter.model import Piece, ResourceRecord, TaskRecord
from rms_jupyter.store.store import Store

_OF_CELL = "return {k: v for k, v in locals().items() if k in "


@dataclass(frozen=True)
class MadeByCall:
    """The value that a call made, or the item of it that is meant."""

    task: int
    item: int | str | None = None

    def _rms_part(self, item: int | str) -> MadeByCall:
        return MadeByCall(self.task, item)


@dataclass(frozen=True)
class Given:
    """A value from the notebook, by its digest."""

    digest: str


@dataclass
class Step:
    """One call, to be written down; or, if it cannot be, its value and the reason.

    Attributes
    ----------
    code : str
        Key of its function in the code base.
    arguments : list of (str, str, object)
        Name, kind of parameter, value.
    """

    ident: int
    task: TaskRecord
    pipe: model.PipeRecord
    text: str
    folder: str = ""
    code: str = ""
    arguments: list[tuple[str, str, Any]] = field(default_factory=list)
    globals: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    value: Any = None


class Recipe:
    """All that it takes to make something again.

    Parameters
    ----------
    store : Store
    ident : int
        Id of a task or of what it made.
    item : int or str, optional
        The item of it that is meant.

    Attributes
    ----------
    steps : list of Step
        In an order in which they can be run.
    result : object
        A `Made`, or paths.
    expected : Resource or None
        What is recorded of the result, unless it is an item.
    names : list of str or None
        Of the result of a cell, the names that are meant: the function of a cell gives its inputs too.
    files : dict of str to Resource
        Input files by path.
    outputs : dict of str to Resource
        Files that the calls write.
    given : dict of str to (str, object)
        Values from the notebook by digest: what they are called, and the value.

    Raises
    ------
    RmsError
        If it cannot be made again; names the call and the reason.
    """

    def __init__(self, store: Store, ident: int, item: int | str | None = None) -> None:
        self._store = store
        self.code = Codebase(self._held)
        self.files: dict[str, ResourceRecord] = {}
        self.outputs: dict[str, ResourceRecord] = {}
        self.given: dict[str, tuple[str, Any]] = {}
        self._steps: dict[int, Step] = {}
        self._pending: list[int] = []
        self._where = ""
        self.root = self._root_of(ident)
        self.expected: ResourceRecord | None = None
        self.names: list[str] | None = None
        self._step(self.root)
        self.result = self._result(ident, item)
        while self._pending:
            self._step(self._pending.pop())
        self.files = {path: file for path, file in self.files.items() if path not in self.outputs}
        self.steps = sorted(self._steps.values(), key=lambda step: (step.task.k, step.ident))

    def _root_of(self, ident: int) -> int:
        place, record = self._store.record(ident)
        if not isinstance(record, TaskRecord) or ident - place > len(record.out):
            raise RmsError(
                "it was registered or given, not computed: there is nothing to export",
                hint="give the result of a call",
            )
        return place

    def _result(self, ident: int, item: int | str | None) -> Any:
        task = self._steps[self.root].task
        out = task.out
        if ident > self.root:
            wanted = out[ident - self.root - 1]
        elif out[0].kind == "file" and task.declared > 1:
            return tuple(file.path for file in out[: task.declared])
        else:
            wanted = out[0]
        if item is None:
            self.expected = wanted
            if wanted.type == "dict" and _OF_CELL in next(iter(self._steps[self.root].pipe.pieces.values())).text:
                self.names = list(self._restored(wanted, self._where, self._steps[self.root].pipe.name))
        return wanted.path if wanted.kind == "file" else MadeByCall(self.root, item)

    # Calls ---------------------------------------------------------------------------------------------------------

    def _step(self, ident: int) -> None:
        if ident in self._steps:
            return
        _, task = self._store.record(ident)
        assert isinstance(task, TaskRecord)
        pipe = self._store.pipe_of(task)
        if pipe is None:
            raise RmsError(
                f"the code of {self._store.call_text(task)} is not on record", hint="%rms check says what is missing"
            )
        step = self._steps[ident] = Step(ident, task, pipe, self._store.call_text(task))
        self._where = step.text
        step.problem = _problem(task, pipe) or self._add_code(step)
        if step.problem:
            self._load(step)
            return
        run = self._store.run_of(task)
        step.folder = run.folder if run else ""
        self.outputs |= {out.path: out for out in task.out if out.kind == "file"}
        shown = msgspec.json.decode(task.args)
        for name in shown:
            step.arguments.append((name, pipe.kinds.get(name, ""), self._recorded(step, name, shown[name])))
        for label, value in msgspec.json.decode(task.globals).items():
            step.globals[label] = self._recorded(step, f"global:{label}", value)
        self._add_files(step)

    def _add_code(self, step: Step) -> str:
        if not step.pipe.pieces:
            return "its source is not on record"
        step.code = self.code.add(step.pipe.pieces, step.pipe.name)
        return self.code.problem(step.code)

    def _load(self, step: Step) -> None:
        """Take the value of a call that cannot be written down from the store."""
        reason = f"{step.text} cannot be written down: {step.problem}"
        if step.ident == self.root:
            raise RmsError(reason, hint="define it in a cell or a file, call it again, and export that result")
        for out in step.task.out:
            if out.kind == "file":
                self.files[out.path] = out
            else:
                step.value = self._restored(out, f"{reason}; and its value", step.pipe.name)

    def _add_files(self, step: Step) -> None:
        for ident, role in step.task.used:
            if role in step.task.exact:
                continue
            ident = model.resource_id(ident, step.ident)
            if self._store.resource(ident).kind == "file":
                self._resource(ident)

    # Values --------------------------------------------------------------------------------------------------------

    def _recorded(self, step: Step, name: str, shown: Any) -> Any:
        """Give an argument or global as it was."""
        packed = step.task.exact.get(name)
        if packed is None:
            return shown
        plain_name = name.removeprefix("global:")
        self._where = f"{plain_name} of {step.text}"
        if "lost" in packed:
            raise RmsError(
                f"{step.text} cannot be exported: its argument {plain_name} ({packed['lost']}) was not kept",
                hint="make it the result of a pipe, and call it again",
            )
        value = self._unpacked(packed, step.ident)
        if isinstance(value, Given):
            called, plain = self.given[value.digest]
            roles = {role: i for i, role in step.task.used if i >> 32 and role.startswith(name) and role != name}
            if roles and (new := self._with_results(plain, name, roles)) is not plain:
                return new
            self.given[value.digest] = (called or plain_name, plain)
        return value

    def _held(self, packed: dict[str, Any]) -> Any:
        """Give a value that a piece of code holds."""
        return packed["value"] if "value" in packed else self._unpacked(packed, 0)

    def _unpacked(self, packed: dict[str, Any], base: int) -> Any:
        if "resource" in packed:
            whole = self._resource(model.resource_id(packed["resource"], base))
            return whole._rms_part(packed["item"]) if "item" in packed and isinstance(whole, MadeByCall) else whole
        try:
            return Reader(packed["pickle"], self._resource, self._add_object, self._store.is_trusted).load()
        except RmsError:
            raise
        except Exception as error:
            raise RmsError(
                f"{self._where} cannot be read back: {words_of(error)}",
                hint="run the cell that defines it, then export again",
            ) from error

    def _resource(self, ident: int) -> Any:
        """Give what stands for a resource, and see to it that it is made."""
        place, record = self._store.record(ident)
        resource = self._store.resource(ident)
        if isinstance(record, TaskRecord) and ident - place <= len(record.out):
            self._pending.append(place)
            return resource.path if resource.kind == "file" else MadeByCall(place)
        if resource.kind == "file":
            self.files[resource.path] = resource
            return resource.path
        if resource.digest not in self.given:
            self.given[resource.digest] = "", self._restored(resource, self._where)
        return Given(resource.digest)

    def _restored(self, resource: ResourceRecord, what: str, name: str = "") -> Any:
        try:
            value = self._store.restore(resource)
        except LookupError as missing:
            raise RmsError(
                f"{what} was {missing}, so that it cannot be exported",
                hint="make it the result of a pipe, and call it again" if not name else f"call {name} again",
            ) from None
        except RmsError as error:
            raise RmsError(f"{what} cannot be read back: {error.message}", hint=error.hint) from error
        if resource.format == "pickle":
            self._add_classes(value, resource, what)
        return value

    def _add_classes(self, value: Any, resource: ResourceRecord, what: str) -> None:
        """Take the user's classes and functions in a value as they are now, if that is as they were."""
        found = list(codes_in(value))
        if not found:
            return
        try:
            is_same = digest(value).hex() == resource.digest
        except Undigestable:
            is_same = False
        if not is_same:
            names = ", ".join(sorted({code.__qualname__ for code in found}))
            raise RmsError(
                f"{what} cannot be exported: {names} is not as it was when the value was recorded",
                hint="call the pipe again, and export that result",
            )
        for code in found:
            self._add_object(code, pieces_of(code))

    def _add_object(self, code: Any, pieces: dict[str, Piece]) -> None:
        self.code.add_object(code, pieces)
        if problem := self.code.problem(self.code.key_of(code)):
            raise RmsError(
                f"{self._where} cannot be exported: {problem}", hint="define it in a cell or a file, and call it again"
            )

    def _with_results(self, value: Any, role: str, roles: dict[str, int]) -> Any:
        """Put results in place of the items that were results, where the items are still what those were."""
        ident = roles.get(role)
        if ident is not None:
            try:
                same = digest(value).hex() == self._store.resource(ident).digest
            except Undigestable:
                same = False
            return self._resource(ident) if same else value
        if type(value) in (list, tuple):
            items = [self._with_results(item, f"{role}[{i}]", roles) for i, item in enumerate(value)]
            changed = any(new is not old for new, old in zip(items, value, strict=True))
            return type(value)(items) if changed else value
        if type(value) is dict:
            new = {
                k: self._with_results(v, f"{role}.{k}" if type(k) is str else f"{role}[{k!r}]", roles)
                for k, v in value.items()
            }
            return new if any(new[k] is not value[k] for k in value) else value
        return value


def _problem(task: TaskRecord, pipe: model.PipeRecord) -> str:
    if task.status != "done":
        return f"it was not finished ({task.status})"
    if not pipe.contract.get("deterministic", True):
        return "it is declared as not deterministic"
    return ""
