"""What is the handle on a result?  It gives the value, and knows where that came from; it is not the value."""

from __future__ import annotations

import copy
import io
import pathlib
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, Self

import msgspec

from rms_jupyter import model
from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.nesting import everything
from rms_jupyter.fingerprint.preview import preview, type_name
from rms_jupyter.fingerprint.remembered import module_of
from rms_jupyter.fingerprint.values import Undigestable, digest, reads_once, tagged
from rms_jupyter.handles.awaiting import Awaitable
from rms_jupyter.handles.refusing import Refusing
from rms_jupyter.harmless import fits_console, harmless
from rms_jupyter.model import Ref, Reference
from rms_jupyter.naming import Called
from rms_jupyter.store import content
from rms_jupyter.views.figures import forget_figure

if TYPE_CHECKING:
    from rms_jupyter.handles.task import Task

UNLOADED: Any = object()
_BUFFERS = (io.BytesIO, io.StringIO)
_COMPARED = (int, float, complex, str, bytes, list, tuple, dict, set, frozenset)


class ResourceHost(Protocol):
    """What a resource asks of the session it belongs to."""

    def load(self, record: model.ResourceRecord, task: model.TaskRecord | None, task_id: int) -> Any:
        """Read the content back, or make it again."""

    def maker(self, ident: int) -> Called | None:
        """Return the call that made a value on record, if a call did."""

    def track(self, value: Any, ref: Ref) -> None:
        """Remember that an object is the content of a resource."""

    def status(self, ident: int) -> str:
        """Return the status given to a record."""

    def task_handle(self, task_id: int, task: model.TaskRecord, hit: bool, reason: str) -> Task:
        """Make a handle on a task."""

    def files_of(self, task_id: int, task: model.TaskRecord) -> list[FileResource]:
        """Return the files that a task wrote."""

    def displayed(self, resource: Resource) -> None:
        """Note that a resource was shown in the notebook."""


class ResourceState:
    """What a handle knows of its resource.

    Attributes
    ----------
    value : object
        The content as recorded, or `UNLOADED`.
    handed_out : object
        What the user got as ``r.content``, or `UNLOADED`.
    exposed : bool
        A user or a function may have changed the content: it is checked before it serves as an input.
    consumed : bool
        What can be read once was read.
    """

    value: Any = UNLOADED
    handed_out: Any = UNLOADED
    exposed = consumed = False

    def __init__(
        self,
        home: ResourceHost,
        ident: int,
        record: model.ResourceRecord,
        task_id: int = 0,
        task: model.TaskRecord | None = None,
        hit: bool = False,
        reason: str = "",
    ) -> None:
        self.home, self.id, self.record = home, ident, record
        self.task_id, self.task, self.hit, self.reason = task_id, task, hit, reason

    @property
    def is_once(self) -> bool:
        """Whether the content can be read only once (a generator), or holds something that can."""
        if self.record.format or self.record.kind == "file":
            return False
        return any(reads_once(type(part)) for part in everything(self.load()))

    def load(self) -> Any:
        """Return the recorded content."""
        if self.value is UNLOADED:
            self.value = self.home.load(self.record, self.task, self.task_id)
            self.exposed = False
            forget_figure(self.value)
        return self.value

    def take(self) -> Any:
        """Return the content to the user, who may change it."""
        if self.handed_out is UNLOADED or type(self.handed_out) in _BUFFERS:
            if self.is_once:
                return self._take_once()
            self.handed_out = self._lend(self.load())
            self.home.track(self.handed_out, self.ref())
        return self.handed_out

    def give(self) -> Any:
        """Return the content to a function as an argument, which may change it."""
        value = self.load()
        if self.is_once:
            self.value = UNLOADED
            return self.home.load(self.record, self.task, self.task_id) if self.consumed else value
        if self.exposed and not self._is_as_recorded():
            self.value = UNLOADED
            value = self.load()
        return copy_of(value) if self.record.kind == "given" else self._lend(value)

    def release(self) -> None:
        """Let go of content that was not kept; it is made again if it is asked for."""
        if not self.record.format:
            self.value = self.handed_out = UNLOADED
            self.consumed = False

    def born(self, value: Any) -> None:
        """Take the value that a function has just returned; others may still hold it and change it."""
        if self.record.format in {"json", *content.ARRAYS}:
            return  # At hand in the record; or read back when needed: memory-mapped, and nobody else's.
        self.value = _copied_cheaply(value)
        self.exposed = self.value is value and _is_mutable(value)

    def ref(self) -> Ref:
        """Describe the resource as an input."""
        record = self.record
        shown = record.value if record.format == "json" else record.path or f"<{record.preview.strip('<>')}>"
        return Ref(self.id, record.digest, self.task.site if self.task else 0, record.path, shown)

    def _take_once(self) -> Any:
        if self.consumed:
            raise RmsError(
                f"the {self.record.type} was read already: it can be read only once",
                hint="call the pipe again, or keep what it yields: list(r.content)",
            )
        self.consumed = True
        return self.value

    def _lend(self, value: Any) -> Any:
        """Return something that may be changed without harm to what is recorded."""
        if self.record.format.endswith("npy"):
            self.value = UNLOADED
            return value if not self.exposed else self.home.load(self.record, self.task, self.task_id)
        lent = _copied_cheaply(value)
        self.exposed = self.exposed or (lent is value and _is_mutable(value))
        return lent

    def _is_as_recorded(self) -> bool:
        if not self.record.format:
            return True
        try:
            return digest(self.value).hex() == self.record.digest
        except Undigestable:
            return True


class PartState(ResourceState):
    """What a handle on an item of a list or dict knows: it counts by its own content.

    Parameters
    ----------
    whole : State
    item : int or str
        Its index or key.
    value : object
        What stands there.
    """

    def __init__(self, whole: ResourceState, item: int | str, value: Any) -> None:
        record = _described_part(whole.record, item, value)
        super().__init__(whole.home, whole.id, record, whole.task_id, whole.task, whole.hit, whole.reason)
        self.item, self.value = item, value
        self._ref: Ref | None = None

    def load(self) -> Any:
        """Return the item."""
        return self.value

    def give(self) -> Any:
        """Return a copy of the item: others hold what it is a part of."""
        return self.value if self.record.format == "json" else copy_of(self.value)

    take = give

    def ref(self) -> Ref:
        """Describe the item as an input."""
        if self._ref is None:
            self._ref = msgspec.structs.replace(super().ref(), item=self.item)
        return self._ref


def _described_part(whole: model.ResourceRecord, item: int | str, value: Any) -> model.ResourceRecord:
    if content.is_small_scalar(value):
        return content.scalar_resource(value)
    try:
        part, by_origin = digest(value).hex(), False
    except Undigestable:
        part, by_origin = tagged("part", [bytes.fromhex(whole.digest), digest(item)]).hex(), True
    return model.ResourceRecord(part, type=type_name(value), preview=preview(value), by_origin=by_origin)


def copy_of(value: Any) -> Any:
    """Copy what came from the notebook: a function may write into it."""
    try:
        return copy.deepcopy(value)
    except Exception:
        return _copied_cheaply(value)


def _copied_cheaply(value: Any) -> Any:
    """Return something that may be changed without harm to `value`; `value` itself where that is not cheap."""
    kind = type(value)
    if kind in _BUFFERS:
        return copy.copy(value)
    root = module_of(kind).partition(".")[0]
    if root == "pandas" and hasattr(kind, "attrs"):
        import pandas as pd

        lazy = int(pd.__version__.partition(".")[0]) >= 3 or pd.get_option("mode.copy_on_write") is True
        return value.copy(deep=not lazy)
    return value.copy() if root == "numpy" and hasattr(kind, "__array_finalize__") else value


def _is_mutable(value: Any) -> bool:
    if module_of(type(value)) == "numpy":
        return bool(getattr(getattr(value, "flags", None), "writeable", False))
    return not issubclass(type(value), (int, float, complex, str, bytes, frozenset, type(None)))


class Resource(Refusing, Awaitable, Reference):
    """A handle on the result of a call: its value, task, digest and files.

    Where the value itself is expected, write ``r.content``. Pipes take handles as they take values.

    Examples
    --------
    >>> import rms_jupyter as rms, tempfile
    >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
    >>> def add(i, j=2):
    ...     return i + j
    >>> add_ = s.register_pipe(add)
    >>> r = add_(1)
    >>> r.content, r.task.pipe.name, add_(r, 4).content
    (3, 'add', 7)
    >>> s.close()
    """

    __slots__ = ("__weakref__", "_rms")
    _rms: ResourceState

    def __init__(self, state: ResourceState) -> None:
        object.__setattr__(self, "_rms", state)

    @property
    def content(self) -> Any:
        """The value. It may be changed without harm to the resource."""
        return self._rms.take()

    @property
    def id(self) -> int:
        """Where the record is: one number in the space of tasks and resources."""
        return self._rms.id

    @property
    def digest(self) -> str:
        """Digest of the value (xxh3-128) or of the file (BLAKE3), 32 hex digits."""
        return self._rms.record.digest

    @property
    def task(self) -> Task | None:
        """The task that made it; None for what was registered."""
        state = self._rms
        if state.task is None:
            return None
        return state.home.task_handle(state.task_id, state.task, state.hit, state.reason)

    @property
    def files(self) -> list[FileResource]:
        """The files that the same task wrote, in declared order."""
        state = self._rms
        return state.home.files_of(state.task_id, state.task) if state.task else []

    def _rms_ref(self) -> Ref:
        return self._rms.ref()

    def _rms_called(self) -> Called | None:
        if self._rms.ref().item is not None and self._rms.record.format == "json":
            return None  # One item of several is known by what it is.
        return self._rms.home.maker(self._rms.id)

    def _rms_value(self) -> Any:
        return self._rms.take()

    def _rms_input(self) -> Any:
        return self._rms.give()

    def _rms_part(self, item: int | str, value: Any = UNLOADED) -> Resource:
        """Make a handle on an item of the value; it can be given, if it is at hand."""
        return Resource(PartState(self._rms, item, self._rms.load()[item] if value is UNLOADED else value))

    def _rms_call(self) -> str:
        task = self.task
        return task.call if task else self._rms.record.path

    def _rms_refuse(self, use: str) -> NoReturn:
        raise TypeError(f"{self!r} is a handle, not the value ({use}): write .content for the value")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(f"{self!r} is a handle and has no {name!r}: the value's is .content.{name}")

    def __setattr__(self, name: str, value: Any) -> None:
        self._rms_refuse(f".{name} = …")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _COMPARED):
            self._rms_refuse("==")
        return self._rms.id == other._rms.id if isinstance(other, Resource) and self._rms.id else self is other

    def __hash__(self) -> int:
        return hash(self._rms.id) if self._rms.id else id(self)

    @fits_console
    def __repr__(self) -> str:
        record = self._rms.record
        shown = repr(record.value) if record.format == "json" else record.preview or record.path or record.type
        call = self._rms_call()
        shown = harmless(shown[:80])
        return f"<{call} = {shown}>" if call else f"<{shown}>"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _itself, (self._rms_input(),)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        from rms_jupyter.views.display import mimebundle

        self._rms.home.displayed(self)
        return mimebundle(self)


class FileResource(Resource):
    """A file on record. It is path-like, and reaches a function as its path."""

    __slots__ = ()

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

    def __fspath__(self) -> str:
        return self.path

    def __str__(self) -> str:
        return self.path

    @fits_console
    def __repr__(self) -> str:
        return f"<file {harmless(self.path)} #{self._rms.record.digest[:8]}>"


def resource_of(state: ResourceState) -> Any:
    """Make the handle that fits a resource."""
    return FileResource(state) if state.record.kind == "file" else Resource(state)


def _itself(value: Any) -> Any:
    return value
