"""What is recorded?  Frozen records, each one line of a journal; no I/O.

An id is the place of its record: ``writer << 32 | offset`` for the record itself, and the numbers that follow it for
the resources inside it. So an id says where to read, needs no index, and fits one BIGINT.

Records hold no cycles, so the garbage collector need not visit them (`gc=False`): a plan may hold 100,000.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from rms_jupyter.naming import Called
from rms_jupyter.odd_text import decoder, encoder

CHANGED = "changed in the notebook"  # The role of the edge from a resource to what the notebook made of it.

TaskStatus = Literal["done", "failed", "timed_out", "cancelled", "cut_off"]
RunKind = Literal["calls", "plan"]
Invariant = Literal["function", "parameter", "file_time", "file_checksum"]
ResourceKind = Literal["value", "file", "given"]

EMPTY = Raw(b"{}")


class FileState(Struct, frozen=True, omit_defaults=True, gc=False):
    """What a file or folder held, and the stat it had when it was read (bytes, ns, inode number).

    `stats` is a digest of the stats of all its files, where there are several; a `database` may have files beside it
    that count. Earlier records have no `ctime_ns`:
    their files are read again.
    """

    digest: str
    size: int
    mtime_ns: int
    inode: int
    settled: bool = True
    ctime_ns: int = 0
    stats: str = ""
    database: bool = False


class ResourceRecord(Struct, frozen=True, omit_defaults=True, gc=False, tag="resource", tag_field="record"):
    """A value or file. Inside a task it is an output or a given; on a line of its own, a registered file.

    `format` tells how the content is kept: ``json`` in `value`, another format in `data` or, when that is empty,
    as the object named by the digest; an empty format means that the content is not kept. `by_origin` tells that the
    digest says which call made the value and from which files, because the value has none of its own or is not kept.
    `items` are scalars that it holds by name, to be shown in tables.
    """

    digest: str
    kind: ResourceKind = "value"
    type: str = ""
    size: int = 0
    format: str = ""
    value: Any = None
    data: bytes = b""
    preview: str = ""
    path: str = ""
    state: FileState | None = None
    k: int = 0
    by_origin: bool = False
    items: dict[str, bool | int | float | str | None] | None = None


class Failure(Struct, frozen=True, omit_defaults=True, gc=False):
    """An exception as text; it never stops a record from being read."""

    type: str
    message: str
    traceback: str = ""


class Unheard(Struct, frozen=True, omit_defaults=True, gc=False):
    """What a task has said and nobody heard, as loggers and the filters of warnings were.

    `loggers` were not enabled for a level that it logged at: the highest such level of each. Of `warnings` there is
    what the filters did (``ignore``, ``error``), the text, the category, the nearest of its categories that Python has
    itself, and the module.
    """

    loggers: dict[str, int] = {}
    warnings: tuple[tuple[str, str, str, str, str], ...] = ()


def resource_id(target: int, record: int) -> int:
    """Return the id of a resource that a record names: below 2**32 it counts the resources of the record itself.

    Examples
    --------
    >>> resource_id(2, 7 << 32) == (7 << 32) + 2, resource_id(9 << 32, 7 << 32) == 9 << 32
    (True, True)
    """
    return target if target >> 32 else record + target


class TaskRecord(Struct, frozen=True, omit_defaults=True, gc=False, tag="task", tag_field="record"):
    """One pipe applied to given inputs.

    `reason` says why it ran, compared with the task `earlier` (0: with none).

    `used` holds (resource id, role); see `resource_id`. `files` is the
    trace to verify: (absolute path, content digest) of each file named by a plain path (no digest: written, do not
    verify), and `traced` is the key that counts those contents too. `exact` restores the arguments (and globals, as
    ``global:NAME``) that JSON does not hold exactly. Of the files in `out`, the first `declared` ones were declared by
    the pipe. `derived` holds (id counted as in `used`, resource id): a value that came from the notebook, and the
    resource that it was before the notebook changed it. `changes` names the arguments (and globals, as ``global:NAME``)
    that it changed in place, and the slots of `out` that hold what they are now; of generators of random numbers, as
    ``random:NAME``, their states. `aliases` are the parts of the result that are arguments (see `run.call.effects`),
    `origins` say which objects of the changed ones are the caller's (see `run.task.twins`),
    `draws` the draws of random numbers that it made (see `run.call.draws`). `uncached` says why it never answers a
    call, if so.
    `unheard` is what it has logged and warned and nobody heard.
    `placed` names the arguments that are written as places in the project (see `store.places`), and `mentions` is the
    project's folder where something that the task made mentions it: elsewhere it answers nothing.
    `cpu` (seconds of processor time) and `memory` (the peak, in bytes) are 0 where they were not measured.
    """

    key: str
    pipe: int
    k: int = 0
    traced: str = ""
    site: int = 0
    run: int = 0
    args: Raw = EMPTY
    globals: Raw = EMPTY
    exact: dict[str, Any] = {}
    used: tuple[tuple[int, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    out: tuple[ResourceRecord, ...] = ()
    declared: int = 0
    given: tuple[ResourceRecord, ...] = ()
    derived: tuple[tuple[int, int], ...] = ()
    changes: tuple[tuple[str, int], ...] = ()
    aliases: tuple[tuple[Any, ...], ...] = ()
    origins: dict[str, tuple[tuple[int, int], ...]] = {}
    draws: tuple[tuple[str, str], ...] = ()
    uncached: str = ""
    unheard: Unheard | None = None
    seconds: float = 0.0
    started: int = 0
    status: TaskStatus = "done"
    error: Failure | None = None
    reason: str = ""
    earlier: int = 0
    printed: str = ""
    shown: str = ""
    cached: bool = True
    cpu: float = 0.0
    memory: int = 0
    placed: tuple[str, ...] = ()
    mentions: str = ""


class Piece(Struct, frozen=True, omit_defaults=True):
    """A function, class or module of the user's, so that it can be written down again elsewhere.

    `names` says of each global name in `text` what it stands for: ``{"piece": label}``, ``{"import": module, "name":
    attribute}``, ``{"read": global}`` (an input of the call), ``{"logger": name}``, a value as in `Task.exact`, or
    ``{"lost": why}``. Of a partial (its function under ``''``) or a method
    they are its parts, of a module its attributes.
    """

    kind: Literal["function", "class", "module", "file", "partial", "method", "lost"]
    text: str = ""
    names: dict[str, dict[str, Any]] = {}


class PipeRecord(Struct, frozen=True, omit_defaults=True, gc=False, tag="pipe", tag_field="record"):
    """One code version of a registered function.

    `pieces` is the code it rests on, itself first; `kinds` are the kinds of its parameters that are not plain, as
    `inspect` names them.
    """

    name: str
    version: str
    module: str = ""
    parts: dict[str, str] = {}
    sources: dict[str, str] = {}
    contract: dict[str, Any] = {}
    pieces: dict[str, Piece] = {}
    kinds: dict[str, str] = {}
    k: int = 0


class Environment(Struct, frozen=True, omit_defaults=True, gc=False, tag="environment", tag_field="record"):
    """What code finds installed, once for all runs that find the same; `digest` names it.

    `packages` are those of Python by name, `conda` is the name of the conda environment, and `conda_packages` are its
    packages with their builds.
    """

    digest: str
    python: str = ""
    platform: str = ""
    packages: dict[str, str] = {}
    conda: str = ""
    conda_packages: dict[str, str] = {}
    k: int = 0


class Checkout(Struct, frozen=True, omit_defaults=True, gc=False, tag="checkout", tag_field="record"):
    """The git commit of the project when a run began, and whether files that git tracks were changed since."""

    run: int
    commit: str
    dirty: bool = False
    k: int = 0


class Run(Struct, frozen=True, omit_defaults=True, gc=False, tag="run", tag_field="record"):
    """One request: a plan, or the direct calls of one notebook cell; relative paths start at `folder`.

    `environment` is the digest of the one that it found, `rule` the name of the rule whose calls they are.
    """

    kind: RunKind = "calls"
    notebook: str = ""
    cell: str = ""
    count: int = 0
    code: str = ""
    started: int = 0
    folder: str = ""
    environment: str = ""
    rule: str = ""
    k: int = 0


class StatusChange(Struct, frozen=True, omit_defaults=True, gc=False, tag="status", tag_field="record"):
    """A change of status of what is already recorded, or (without a status) a note or tag on it.

    `cause` is the record that the user named, where others share its status because they were made from it.
    """

    ids: tuple[int, ...]
    status: str = ""
    note: str = ""
    tag: str = ""
    cause: int = 0
    changed: int = 0
    k: int = 0


class Eviction(Struct, frozen=True, omit_defaults=True, gc=False, tag="eviction", tag_field="record"):
    """Content that is removed from the store, by the names of its objects; what was recorded of it stays."""

    objects: tuple[str, ...]
    why: str = ""
    changed: int = 0
    k: int = 0


class Accept(Struct, frozen=True, omit_defaults=True, gc=False, tag="accept", tag_field="record"):
    """Results of `older` code versions of the pipe `name` count for `version`, says the user; or takes it back."""

    name: str
    version: str
    older: tuple[str, ...] = ()
    undone: bool = False
    changed: int = 0
    k: int = 0


class TemplateRecord(Struct, frozen=True, omit_defaults=True, gc=False, tag="template", tag_field="record"):
    """A template of the name `name`: the source of a function. The last one of a name counts."""

    name: str
    text: str
    changed: int = 0
    k: int = 0


class FlowRecord(Struct, frozen=True, omit_defaults=True, gc=False, tag="flow", tag_field="record"):
    """A flow of the name `name`: its graph as DOT, and the pipes of its segments. The last one of a name counts."""

    name: str
    text: str
    pipes: dict[str, str]
    changed: int = 0
    k: int = 0


class TrackedRecord(Struct, frozen=True, omit_defaults=True, gc=False, tag="tracked", tag_field="record"):
    """A script or notebook that is tracked: its place in the project, its pipe, and the ways in which it is run.

    The last one of a path counts; without a way to run it, it is tracked no more.
    """

    path: str
    name: str
    configs: tuple[str, ...] = ()
    changed: int = 0
    k: int = 0


class Writer(Struct, frozen=True, omit_defaults=True, gc=False, tag="writer", tag_field="record"):
    """The process that wrote a journal: its first line, which `unique` makes like no other."""

    host: str
    pid: int
    python: str
    version: str
    started: int
    notebook: str = ""
    unique: str = ""
    k: int = 0


Record = (
    TaskRecord
    | ResourceRecord
    | PipeRecord
    | Run
    | Environment
    | Checkout
    | StatusChange
    | Eviction
    | Accept
    | TemplateRecord
    | FlowRecord
    | TrackedRecord
    | Writer
)

encode = encoder(msgspec.json.Encoder().encode)
decode = decoder(msgspec.json.Decoder(Record).decode)


class Contract(Struct, frozen=True, omit_defaults=True):
    """What a pipe declares about itself; the options of ``@rms.pipe``.

    `cores` and `memory` (bytes, or text as ``"4 GB"``) are what a task needs while it runs; `timeout` (seconds) stops
    it, `retries` runs it again after a failure, waiting longer each time; `isolate` runs it in a process of its own.
    Arguments and globals that are `secret` count, and are written and shown as ``***``.
    Results older than `expires_after` (seconds, or text as ``"7 days"``) are made again.
    The files of a `temporary` pipe are removed when all tasks of a plan that use them have succeeded, and made again
    only when a task needs them.
    `invariants` are the changes that make it run again, all of them by default: ``function``, its code; ``parameter``,
    the plain globals it reads; ``file_time`` and ``file_checksum``: with both, a file is read again when its size or
    time has changed, and its content decides; with one, the time alone, or the content (always read again); with
    neither, files count by their paths.
    """

    name: str = ""
    outputs: tuple[str, ...] = ()
    returns: Literal["resource", "value"] | None = None
    volatile: bool = False
    deterministic: bool = True
    version: str = ""
    ignore: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    allow_empty: bool = False
    overwrite: bool = False
    cores: int = 1
    memory: int = 0
    timeout: float = 0.0
    retries: int = 0
    isolate: bool = False
    temporary: bool = False
    expires_after: float = 0.0
    invariants: tuple[Invariant, ...] = ("function", "parameter", "file_time", "file_checksum")

    def given(self) -> dict[str, Any]:
        """The options that differ from their defaults."""
        defaults = type(self)()
        return {n: v for n in self.__struct_fields__ if (v := getattr(self, n)) != getattr(defaults, n)}


class Ref(Struct, frozen=True):
    """A resource as an input of a call: enough to identify it and to draw an edge to it.

    `item` is the index or key of the part of it that is meant; None for all of it.
    """

    id: int
    digest: str
    site: int = 0
    path: str = ""
    shown: Any = None
    item: int | str | None = None


class Selection:
    """Base of a list or dict that leaves out some of what it was chosen from; what it leaves out is part of its value.

    Attributes
    ----------
    left_out : tuple of str
        Calls, in words.
    taken, total : int
        How many are in, and how many there were to choose from.
    """

    left_out: tuple[str, ...] = ()
    taken = total = 0

    def _rms_summary(self) -> str:
        named = ", ".join(self.left_out[:3]) + (f" and {len(self.left_out) - 3:,} more" * (len(self.left_out) > 3))
        return f"<{self.taken:,} of {self.total:,}, left out: {named}>"


class Reference:
    """Base of what stands for a resource in the arguments of a call."""

    __slots__ = ()

    def _rms_ref(self) -> Ref:
        raise NotImplementedError

    def _rms_shown(self) -> Any:
        """What stands for it in the JSON of arguments."""
        return self._rms_ref().shown

    def _rms_called(self) -> Called | None:
        """The call that makes it, where that is what a person knows it by."""
        return None

    def _rms_value(self) -> Any:
        """The value, for reading."""
        raise NotImplementedError

    def _rms_input(self) -> Any:
        """The value, for a function that gets it as an argument."""
        return self._rms_value()

    def _rms_part(self, item: int | str) -> Reference:
        """What stands for an item of it."""
        raise NotImplementedError
