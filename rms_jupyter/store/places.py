"""How do paths in records stay right when the project is moved?  On disk they are places, in memory absolute."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw

from rms_jupyter.fingerprint.project import Project
from rms_jupyter.model import Record, ResourceRecord, Run, TaskRecord
from rms_jupyter.odd_text import decoder, encoder

Change = Callable[[str], str]

_encode = encoder(msgspec.json.Encoder().encode)
_decode = decoder(msgspec.json.Decoder(dict[str, Any]).decode)


@functools.lru_cache(maxsize=16)
def _as_json(folder: str) -> bytes:
    """How text that begins with a path begins in JSON."""
    return _encode(folder)[:-1]


def to_disk(record: Record, project: Project) -> Record:
    """Return a record as it is written: what lies in the project by its place."""
    if type(record) is TaskRecord:
        return _changed_task(_arguments_placed(record, project), project.place)
    return _changed(record, project.place)


def from_disk(record: Record, project: Project) -> Record:
    """Return a record as it is used: every path absolute."""
    if type(record) is TaskRecord:
        return _changed_task(_arguments_absolute(record, project) if record.placed else record, project.absolute)
    return _changed(record, project.absolute)


def _changed(record: Record, change: Change) -> Record:
    kind = type(record)
    if kind is ResourceRecord and record.path:  # type: ignore[union-attr]
        return _changed_resource(record, change)  # type: ignore[arg-type]
    if kind is Run and record.folder:  # type: ignore[union-attr]
        return msgspec.structs.replace(record, folder=change(record.folder))  # type: ignore[union-attr]
    return record


def _changed_task(task: TaskRecord, change: Change) -> TaskRecord:
    if not task.files and not task.given and (not task.out or (len(task.out) == 1 and not task.out[0].path)):
        return task  # As most are.
    return msgspec.structs.replace(
        task,
        files=tuple((change(path), content) for path, content in task.files),
        out=tuple(_changed_resource(out, change) for out in task.out),
        given=tuple(_changed_resource(given, change) for given in task.given),
    )


def _changed_resource(resource: ResourceRecord, change: Change) -> ResourceRecord:
    return msgspec.structs.replace(resource, path=change(resource.path)) if resource.path else resource


def _arguments_placed(task: TaskRecord, project: Project) -> TaskRecord:
    if _as_json(project.folder) not in bytes(task.args):
        return task
    args = _decode(task.args)
    new = {name: project.place(value) for name, value in args.items() if type(value) is str}
    placed = tuple(name for name, place in new.items() if place != args[name])
    return msgspec.structs.replace(task, args=Raw(_encode(args | new)), placed=placed) if placed else task


def _arguments_absolute(task: TaskRecord, project: Project) -> TaskRecord:
    args = _decode(task.args)
    new = {name: project.absolute(args[name]) for name in task.placed if type(args.get(name)) is str}
    return msgspec.structs.replace(task, args=Raw(_encode(args | new)), placed=())
