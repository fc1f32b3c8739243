"""How do functions and arguments travel to a worker, and results back?

A function is pickled once a run (by value where it comes from the notebook); workers keep what they have loaded.
Resources travel as descriptions, and the worker reads their content from the store's objects, arrays memory-mapped.
All else is packed as bytes here, so that the executor has nothing to do but to move them. Large buffers (of arrays and
frames) lie beside the pickle of the arguments: `run.workers.dask_executor` sends one that several tasks use once.
"""

from __future__ import annotations

import io
import os
import pickle
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from rms_jupyter import model
from rms_jupyter.errors import words_of
from rms_jupyter.figures.styles import FigureSettings
from rms_jupyter.fingerprint import pickling
from rms_jupyter.fingerprint.originals import OriginalMark
from rms_jupyter.model import Reference
from rms_jupyter.odd_text import decoder, encoder
from rms_jupyter.run.task.execute import Outcome
from rms_jupyter.run.task.outputs import Made
from rms_jupyter.run.workers.kernel_state import KernelState
from rms_jupyter.store import content
from rms_jupyter.store.objects import Objects

LARGE = 1_000_000  # Bytes.

_as_json = encoder(msgspec.json.Encoder().encode)
_resource = decoder(msgspec.json.Decoder(model.ResourceRecord).decode)


class Job(msgspec.Struct, array_like=True, gc=False):
    """One task as it travels: its number in the plan, key, arguments and files (see `describe_made` and `execute`).

    `held` are the globals that are inputs of the call and that it could change in place, by name.
    """

    number: int
    key: str
    arguments: bytes
    watched: list[str] = []
    declared: list[str] = []
    asides: list[str] = []
    known: list[str] = []
    held: list[str] = []


class SentFile(msgspec.Struct, array_like=True):
    """How a file was when a batch was sent; `may_change`: it may have been written to since."""

    size: int
    modified: int
    may_change: bool = False

    def is_this(self, found: os.stat_result) -> bool:
        """Tell whether a file that was found is the one."""
        is_same = (found.st_size, found.st_mtime_ns) == (self.size, self.modified)
        return is_same or (self.may_change and found.st_mtime_ns > self.modified)


class Batch(msgspec.Struct, array_like=True):
    """Tasks of one pipe, as they travel.

    `objects` is the folder of the store's, and `is_trusted` says whether all that lies there may be read: of the
    arguments, only what may is sent (see `store.upkeep.trust`).
    `kernel` is how the kernel stood; `cores` and `memory` are what a task asks for; `python` is the interpreter that
    pickled the function. For another machine, `files` are the watched files that it must see, and `brought` is the
    folder there of what was sent. `classes` are those of the notebook that arguments and content in the store name
    (see `Result.lacks`). `figures` are the formats in which those that its tasks make are saved, with the name of the
    `pipe`.
    """

    function: bytes
    jobs: list[Job]
    objects: str
    kernel: KernelState
    volatile: bool
    allow_empty: bool
    cores: int = 1
    memory: int = 0
    python: str = msgspec.field(default_factory=platform.python_version)
    files: dict[str, SentFile] = {}
    brought: str = ""
    classes: list[bytes] = []
    is_trusted: bool = True
    pipe: str = ""
    figures: FigureSettings = FigureSettings()


class Packed(msgspec.Struct, array_like=True):
    """Arguments: their pickle; the objects it describes and the folder of each ('': the store's); large buffers.

    Buffers that travel for themselves are left out, and have `names`.
    """

    pickled: bytes
    objects: dict[str, str]
    buffers: list[bytes] = []
    names: list[str] = []


class Result(msgspec.Struct, array_like=True, gc=False):
    """What came of one task: its number, what it made, and its exception, pickled if it can be.

    `value` is its value, pickled, that the disk had no room for.
    `gone` tells that content which its arguments need had gone from the store when it was to be read: it did not run.
    `lacks` is the mark of a class that its arguments need, and that the worker does not know: it did not run.
    """

    number: int
    made: Made
    error: bytes = b""
    lacks: OriginalMark | None = None
    value: bytes = b""
    gone: bool = False


encode = encoder(msgspec.msgpack.Encoder().encode)
decode_batch = decoder(msgspec.msgpack.Decoder(Batch).decode)
decode_results = decoder(msgspec.msgpack.Decoder(list[Result]).decode)
decode_packed = msgspec.msgpack.Decoder(Packed).decode


class Gone(LookupError):
    """Content was removed from the store while a task that needs it was on its way."""


class NotShippable(TypeError):
    """Something cannot travel to a worker; the task runs in the kernel instead."""


def pack_function(function: Any) -> bytes:
    """Pickle a function, by value if no import can find it.

    Raises
    ------
    NotShippable
    """
    try:
        return pickling.dumps(function)
    except Exception as error:
        raise NotShippable(f"the function cannot be sent to a worker ({words_of(error)})") from error


IsKept = Callable[[model.ResourceRecord], bool]
Spool = Callable[[Reference], tuple[model.ResourceRecord, str]]
Define = Callable[[type], None]


def pack_arguments(args: Sequence[Any], kwargs: dict[str, Any], is_kept: IsKept, spool: Spool, define: Define) -> bytes:
    """Pickle arguments with descriptions in place of resources.

    Parameters
    ----------
    args, kwargs
    is_kept : callable
        Whether the store has the content of a resource, sound.
    spool : callable
        Keeps the value of a resource that the store does not keep, for the time of the run; gives its description and
        the folder of the objects.
    define : callable
        Sends a class of the notebook along, which the arguments only name.

    Raises
    ------
    NotShippable
    """
    buffer = io.BytesIO()
    try:
        packer = _Packer(buffer, is_kept, spool, define)
        packer.dump((args, kwargs))
        return encode(Packed(buffer.getvalue(), packer.objects, packer.buffers))
    except NotShippable:
        raise
    except Exception as error:
        raise NotShippable(f"an argument cannot be sent to a worker ({words_of(error)})") from error


def is_packed(arguments: bytes) -> bool:
    """Tell packed arguments from a mere pickle, in which numbers travel."""
    return not arguments.startswith(pickle.PROTO)


def unpack_arguments(data: bytes, objects: Objects, brought: Objects | None = None) -> tuple[Any, dict[str, Any]]:
    """Give the arguments back.

    Parameters
    ----------
    data : bytes
    objects : Objects
        The store's, from which the content of resources is read.
    brought : Objects, optional
        Those that were sent here: they come first.
    """
    if is_packed(data):
        args, kwargs = _Unpacker(decode_packed(data), objects, brought).load()
    else:
        args, kwargs = pickle.loads(data)
    return args, kwargs


def failed(job: Job, error: Exception) -> Result:
    """Give the result of a task that could not run."""
    outcome = Outcome(error=error, started=time.time_ns() // 1000)
    made = Made(outcome.started, outcome.seconds, status="failed", failure=outcome.failure())
    return Result(job.number, made, pickle.dumps(error))


class _Packer(pickling.CodePickler):
    def __init__(self, file: io.BytesIO, is_kept: IsKept, spool: Spool, define: Define) -> None:
        super().__init__(file, protocol=5, buffer_callback=self._lay_aside)
        self._is_kept, self._spool, self._define = is_kept, spool, define
        self.objects: dict[str, str] = {}
        self.buffers: list[bytes] = []

    def persistent_id(self, value: Any) -> tuple[bytes, str] | str | None:
        if not issubclass(type(value), Reference):
            return None
        record: model.ResourceRecord = value._rms.record
        if record.kind == "file":
            return record.path
        kept, folder = (record, "") if self._is_kept(record) else self._spool(value)
        self.objects.update(dict.fromkeys(content.object_names(kept), folder))
        return _as_json(kept), folder

    def class_reduced(self, cls: type) -> Any:
        """Name a class of the notebook, and send it along."""
        if (reduced := pickling.named(cls)) is None:
            return super().class_reduced(cls)
        self._define(cls)
        return reduced

    def _lay_aside(self, buffer: pickle.PickleBuffer) -> bool:
        """Keep a large buffer out of the pickle; pickle takes in those for which this is true."""
        raw = buffer.raw()
        if raw.nbytes <= LARGE:
            return True
        self.buffers.append(bytes(raw))
        return False


class _Unpacker(pickle.Unpickler):
    def __init__(self, packed: Packed, objects: Objects, brought: Objects | None) -> None:
        super().__init__(io.BytesIO(packed.pickled), buffers=map(bytearray, packed.buffers))
        self._objects, self._brought = objects, brought

    def persistent_load(self, description: tuple[bytes, str] | str) -> Any:
        if isinstance(description, str):
            return description
        resource, folder = _resource(description[0]), description[1]
        if self._brought is not None and not any(map(self._brought.lacks, content.object_names(resource))):
            return content.restore(resource, self._brought)
        try:
            return content.restore(resource, Objects(Path(folder)) if folder else self._objects)
        except LookupError as error:
            raise Gone(*error.args) from None
