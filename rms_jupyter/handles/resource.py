"""What does the user hold after a call?  Something that reads as its value and knows where it came from."""

from __future__ import annotations

import copy
import io
import pathlib
from typing import TYPE_CHECKING, Any, Protocol

from rms_jupyter import model
from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.abilities import LETTERS, abilities_of
from rms_jupyter.fingerprint.nesting import everything
from rms_jupyter.fingerprint.values import Undigestable, digest, reads_once
from rms_jupyter.handles.awaiting import Awaitable
from rms_jupyter.handles.figures import forget_figure
from rms_jupyter.handles.proxy import Proxy, with_abilities
from rms_jupyter.model import Ref, Reference

if TYPE_CHECKING:
    from rms_jupyter.handles.task import Task

UNLOADED: Any = object()
_NATIVE = (int, float, str)


class Home(Protocol):
    """What a resource asks of the session it belongs to."""

    def load(self, record: model.Resource, task: model.Task | None, task_id: int) -> Any:
        """Read the content back, or make it again."""

    def track(self, value: Any, ref: Ref) -> None:
        """Remember that an object is the content of a resource."""

    def status(self, ident: int) -> str:
        """The status given to a record."""

    def task_handle(self, task_id: int, task: model.Task, hit: bool, reason: str) -> Task:
        """A handle on a task."""

    def files_of(self, task_id: int, task: model.Task) -> list[FileResource]:
        """The files that a task wrote."""

    def displayed(self, resource: Resource) -> None:
        """Note that a resource was shown in the notebook."""


class State:
    """Everything about a resource that is not its value's business.

    Attributes
    ----------
    value : object
        The content as recorded, or `UNLOADED`.
    handed_out : object
        What the user got as ``r.content``, or `UNLOADED`.
    exposed : bool
        A user or a function may have changed the content: it is checked before it serves as an input.
    consumed, touched : bool
        What can be read once was read; or may have been in part, through an attribute of it.
    """

    value: Any = UNLOADED
    handed_out: Any = UNLOADED
    exposed = consumed = touched = False

    def __init__(
        self,
        home: Home,
        ident: int,
        record: model.Resource,
        task_id: int = 0,
        task: model.Task | None = None,
        hit: bool = False,
        reason: str = "",
    ) -> None:
        self.home, self.id, self.record = home, ident, record
        self.task_id, self.task, self.hit, self.reason = task_id, task, hit, reason

    @property
    def is_once(self) -> bool:
        """Whether the content can be read only once (a generator), or holds something that can."""
        if self.record.format:
            return False
        return LETTERS["next"] in self.record.can or any(reads_once(type(part)) for part in everything(self.value))

    def load(self) -> Any:
        """Give the recorded content."""
        if self.value is UNLOADED:
            self.value = self.home.load(self.record, self.task, self.task_id)
            self.exposed = False
            forget_figure(self.value)
        return self.value

    def take(self) -> Any:
        """Give the content to the user."""
        value = self.load()
        if self.is_once:
            self._refuse_read()
            self.consumed = True
            return value
        if self.handed_out is UNLOADED or type(value) in _BUFFERS:
            self.handed_out = self._lend(value)
            self.home.track(self.handed_out, self.ref())
        return self.handed_out

    def give(self) -> Any:
        """Give the content to a function as an argument."""
        value = self.load()
        if self.is_once:
            self.value = UNLOADED
            used = self.consumed or self.touched
            self.touched = False
            return self.home.load(self.record, self.task, self.task_id) if used else value
        if self.exposed and not self._is_as_recorded():
            self.value = UNLOADED
            value = self.load()
        return _own_copy(value) if self.record.kind == "given" else self._lend(value)

    def attribute(self, name: str) -> Any:
        """Give an attribute of the content."""
        found = getattr(self.load(), name)
        if self.is_once:
            self._refuse_read()
            self.touched = True
        return found

    def release(self) -> None:
        """Let go of content that was not kept; it is made again if it is asked for."""
        if not self.record.format:
            self.value = self.handed_out = UNLOADED
            self.consumed = self.touched = False

    def _refuse_read(self) -> None:
        if self.consumed:
            raise RmsError(
                f"the {self.record.type} was read already: it can be read only once",
                hint="call the pipe again, or keep what it yields: list(r.content)",
            )

    def born(self, value: Any) -> None:
        """Take the value that a function has just returned; others may still hold it and change it."""
        if self.record.format in ("json", "npy"):
            return  # At hand in the record; or read back when needed: memory-mapped, and nobody else's.
        self.value = _copy_on_write(value)
        self.exposed = self.value is value and _is_mutable(value)

    def ref(self) -> Ref:
        """Describe the resource as an input."""
        record = self.record
        shown = record.value if record.format == "json" else record.path or f"<{record.preview.strip('<>')}>"
        return Ref(self.id, record.digest, self.task.site if self.task else 0, record.path, shown)

    def _lend(self, value: Any) -> Any:
        lent = _copy_on_write(value)
        self.exposed = self.exposed or (lent is value and _is_mutable(value))
        return lent

    def _is_as_recorded(self) -> bool:
        if not self.record.format:
            return True
        try:
            return digest(self.value).hex() == self.record.digest
        except Undigestable:
            return True


_BUFFERS = (io.BytesIO, io.StringIO)


def _own_copy(value: Any) -> Any:
    """Give a function what came from the notebook as it got it the first time: it may write into it."""
    try:
        return copy.deepcopy(value)
    except Exception:
        return _copy_on_write(value)


def _copy_on_write(value: Any) -> Any:
    """Give something that may be changed without harm to `value`; `value` itself where that cannot be had cheaply."""
    kind = type(value)
    if kind in _BUFFERS:
        return copy.copy(value)
    root = kind.__module__.partition(".")[0]
    if root == "pandas" and hasattr(value, "copy"):
        import pandas as pd

        lazy = int(pd.__version__.partition(".")[0]) >= 3 or pd.get_option("mode.copy_on_write") is True
        return value.copy(deep=not lazy)
    if root == "numpy" and hasattr(value, "flags"):
        if not value.flags.writeable:
            return value
        view = value.view()
        view.flags.writeable = False
        return view
    return value


def _is_mutable(value: Any) -> bool:
    if type(value).__module__ == "numpy":
        return bool(getattr(getattr(value, "flags", None), "writeable", False))
    return not issubclass(type(value), (int, float, complex, str, bytes, frozenset, type(None)))


class Resource(Awaitable, Reference):
    """The result of a call: reads as its value, and knows its task, digest and files.

    Examples
    --------
    >>> import rms_jupyter as rms, tempfile
    >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
    >>> @s.pipe
    ... def add(i, j=2):
    ...     return i + j
    >>> r = add(1)
    >>> r.content, r + 4, r.task.pipe.name
    (3, 7, 'add')
    >>> s.close()
    """

    __slots__ = ()
    _rms: State

    @property
    def content(self) -> Any:
        """The value. It may be changed without harm to the resource; arrays are read-only."""
        _refuse_hidden(self, "content")
        return self._rms.take()

    @property
    def id(self) -> int:
        """Where the record is: one number in the space of tasks and resources."""
        _refuse_hidden(self, "id")
        return self._rms.id

    @property
    def digest(self) -> str:
        """Digest of the value (xxh3-128) or of the file (BLAKE3), 32 hex digits."""
        _refuse_hidden(self, "digest")
        return self._rms.record.digest

    @property
    def task(self) -> Task | None:
        """The task that made it; None for what was registered."""
        _refuse_hidden(self, "task")
        state = self._rms
        if state.task is None:
            return None
        return state.home.task_handle(state.task_id, state.task, state.hit, state.reason)

    @property
    def files(self) -> list[FileResource]:
        """The files that the same task wrote, in declared order."""
        _refuse_hidden(self, "files")
        state = self._rms
        return state.home.files_of(state.task_id, state.task) if state.task else []

    def _rms_ref(self) -> Ref:
        return self._rms.ref()

    def _rms_value(self) -> Any:
        value = self._rms.load()
        return self._rms.take() if self._rms.is_once else value

    def _rms_input(self) -> Any:
        return self._rms.give()

    def _rms_call(self) -> str:
        state = self._rms
        task = self._rms.home.task_handle(state.task_id, state.task, state.hit, state.reason) if state.task else None
        return task.call if task else state.record.path

    def __repr__(self) -> str:
        record = self._rms.record
        shown = repr(record.value) if record.format == "json" else record.preview or record.path or record.type
        return f"<{self._rms_call()} = {shown[:80]}>"

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _itself, (self._rms_input(),)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        from rms_jupyter.handles.display import mimebundle

        self._rms.home.displayed(self)
        return mimebundle(self)


class ProxyResource(Resource, Proxy):
    """A resource that forwards to its value."""

    __slots__ = ("__weakref__", "_rms")

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """Read as the value's class, so that `isinstance` holds; libraries ask that before anything else."""
        state: State = object.__getattribute__(self, "_rms")
        if state.record.kind == "file" or state.is_once or not state.record.format:
            return type(self)
        try:
            return type(state.load())
        except Exception:
            return type(self)

    def _rms_look(self) -> Any:
        return self._rms.load()

    def _rms_attribute(self, name: str) -> Any:
        return self._rms.attribute(name)


class FileResource(ProxyResource):
    """A file on record. It reads as a `pathlib.Path`, and reaches a function as its path."""

    __slots__ = ()
    _rms_look, _rms_attribute = Proxy._rms_look, Proxy._rms_attribute

    @property
    def path(self) -> str:
        """Absolute path."""
        return self._rms.record.path

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self._rms.record.size

    @property
    def status(self) -> str:
        """``current``, ``overwritten``, ``deprecated``, ``deleted``; or ``missing``, ``altered`` at the last check."""
        return self._rms.home.status(self._rms.id) or "current"

    @property
    def content(self) -> pathlib.Path:
        """The path."""
        return pathlib.Path(self.path)

    @property
    def files(self) -> list[FileResource]:
        """The files of the same task, this one among them."""
        return super().files or [self]

    def _rms_value(self) -> pathlib.Path:
        return pathlib.Path(self.path)

    def _rms_input(self) -> str:
        return self.path

    def __repr__(self) -> str:
        return f"<file {self.path} #{self._rms.record.digest[:8]}>"

    def __str__(self) -> str:
        return self.path


_file_class = with_abilities(FileResource, abilities_of(pathlib.Path))
_native_classes: dict[type, type] = {}


def resource_of(state: State) -> Any:
    """Make the handle that fits a resource: a file, a number or text that is one, or a proxy."""
    record = state.record
    if record.kind == "file":
        return _with_state(object.__new__(_file_class), state)
    if record.format == "json":
        value = state.value = record.value
        kind = type(value)
        if kind in _NATIVE:
            return _with_state(kind.__new__(_native_class(kind), value), state)
        letters = abilities_of(kind)
    elif record.type in _NUMPY_SCALARS:
        kind = type(value := state.load())
        return _with_state(kind.__new__(_native_class(kind), value), state)
    else:
        letters = record.can or abilities_of(type(state.value))
    cls = with_abilities(ProxyResource, letters)
    return _with_state(object.__new__(cls), state)


_set = object.__setattr__


def _with_state(handle: Any, state: State) -> Any:
    _set(handle, "_rms", state)
    return handle


_BITS = {"float": (16, 32, 64), "int": (8, 16, 32, 64), "uint": (8, 16, 32, 64), "complex": (64, 128)}
_NUMPY_SCALARS = {f"numpy.{kind}{bits}" for kind, sizes in _BITS.items() for bits in sizes} | {"numpy.str_"}


def _native_class(kind: type) -> type:
    """Derive a class from a number's or text's own type: libraries in C look no further than that.

    Called like the type itself it gives a plain value.
    """
    cls = _native_classes.get(kind)
    if cls is None:
        members = {
            "__module__": Resource.__module__,
            "__doc__": Resource.__doc__,
            "__str__": lambda self: str(self._rms.value),
            "__format__": lambda self, spec: format(self._rms.value, spec),
            "__setattr__": Proxy.__setattr__,
            "__new__": lambda cls, *args: kind(*args),
            "__hash__": kind.__hash__,
            "__deepcopy__": lambda self, memo: copy.copy(self._rms.value),
            "__copy__": lambda self: self._rms.value,
        }
        cls = _native_classes[kind] = type("Resource", (Resource, kind), members)
    return cls


def _refuse_hidden(resource: Resource, name: str) -> None:
    if name in resource._rms.record.hides:
        raise RmsError(
            f".{name} could mean the {resource._rms.record.type}'s or the resource's",
            hint=f"write rms.value(r).{name} or r['{name}'] for the value's, rms.info(r).{name} for the resource's",
        )


def _itself(value: Any) -> Any:
    return value
