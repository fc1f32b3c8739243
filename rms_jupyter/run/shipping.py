"""How do functions and arguments travel to a worker, and results back?

A function is pickled once a run (by value where it comes from the notebook); workers keep what they have loaded.
Resources travel as descriptions, and the worker reads their content from the store's objects, arrays memory-mapped.
All else is packed as bytes here, so that the executor has nothing to do but to move them.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cloudpickle
import msgspec

from rms_jupyter import model
from rms_jupyter.model import Reference
from rms_jupyter.run.made import Made
from rms_jupyter.store import content
from rms_jupyter.store.objects import Objects

_as_json = msgspec.json.Encoder().encode
_resource = msgspec.json.Decoder(model.Resource).decode


class Job(msgspec.Struct, array_like=True):
    """One task as it travels: its number in the plan, its key, its arguments, and its files (see `describe_made`)."""

    number: int
    key: str
    arguments: bytes
    watched: list[str] = []
    declared: list[str] = []
    asides: list[str] = []


class Batch(msgspec.Struct, array_like=True):
    """Tasks of one pipe, as they travel."""

    function: bytes
    jobs: list[Job]
    objects: str
    folder: str
    volatile: bool
    allow_empty: bool
    log_levels: dict[str, int] = {}


class Result(msgspec.Struct, array_like=True):
    """What came of one task: its number, what it made, and its exception, pickled if it can be."""

    number: int
    made: Made
    error: bytes = b""


encode = msgspec.msgpack.Encoder().encode
decode_batch = msgspec.msgpack.Decoder(Batch).decode
decode_results = msgspec.msgpack.Decoder(list[Result]).decode


class NotShippable(TypeError):
    """Something cannot travel to a worker; the task runs in the kernel instead."""


def pack_function(function: Any) -> bytes:
    """Pickle a function, by value if no import can find it.

    Raises
    ------
    NotShippable
    """
    try:
        return bytes(cloudpickle.dumps(function))
    except Exception as error:
        raise NotShippable(f"the function cannot be sent to a worker ({error})") from error


Spool = Callable[[Reference], tuple[model.Resource, str]]


def pack_arguments(args: Sequence[Any], kwargs: dict[str, Any], spool: Spool) -> bytes:
    """Pickle arguments with descriptions in place of resources.

    Parameters
    ----------
    args, kwargs
    spool : callable
        Keeps the value of a resource that the store does not keep, for the time of the run; gives its description and
        the folder of the objects.

    Raises
    ------
    NotShippable
    """
    buffer = io.BytesIO()
    try:
        _Packer(buffer, spool).dump((args, kwargs))
        return buffer.getvalue()
    except NotShippable:
        raise
    except Exception as error:
        raise NotShippable(f"an argument cannot be sent to a worker ({error})") from error


def unpack_arguments(data: bytes, objects: Objects) -> tuple[Sequence[Any], dict[str, Any]]:
    """Give the arguments back, with the content of resources read from the objects."""
    args, kwargs = _Unpacker(io.BytesIO(data), objects).load()
    return args, kwargs


class _Packer(cloudpickle.Pickler):  # type: ignore[misc]
    def __init__(self, file: io.BytesIO, spool: Spool) -> None:
        super().__init__(file, protocol=5)
        self._spool = spool

    def persistent_id(self, value: Any) -> tuple[bytes, str] | bytes | str | None:
        if not issubclass(type(value), Reference):
            return None
        record: model.Resource = value._rms.record
        if record.kind == "file":
            return record.path
        if not record.format:
            kept, folder = self._spool(value)
            return _as_json(kept), folder
        return _as_json(record)


class _Unpacker(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, objects: Objects) -> None:
        super().__init__(file)
        self._objects = objects

    def persistent_load(self, description: tuple[bytes, str] | bytes | str) -> Any:
        if isinstance(description, str):
            return description
        if isinstance(description, bytes):
            return content.restore(_resource(description), self._objects)
        return content.restore(_resource(description[0]), Objects(Path(description[1])))
