"""Is what others have written a record at all?  Asked before it counts, names a file or goes into a query."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from msgspec import Raw, Struct

from rms_jupyter import model
from rms_jupyter.model import Accept, Environment, Eviction, PipeRecord, Record, ResourceRecord, Run, TaskRecord

_DIGEST = re.compile(r"[0-9a-f]{32}")
_FORMAT = re.compile(r"([a-z]{2,10}(\.[a-z]{2,10})?)?", re.ASCII)
_OBJECT = re.compile(r"[0-9a-f]{32}\.[a-z.]{2,21}")
_MOST = 1 << 63
_LIMITS = {  # What comes after a tick or a time is one, too; others are as wide as in the database.
    "k": 1 << 62, "started": 1 << 57, "changed": 1 << 57, "seconds": 1 << 33, "cpu": 1 << 60,
    "count": 1 << 31, "pid": 1 << 31,
}  # fmt: skip
_FREE = {"value", "data", "exact", "aliases", "contract", "state"}  # A value of the user's, or what a disk says.


class ForgedRecord(LookupError):
    """A line is no record that this package writes, whatever its checksum says."""


def read_record(json: bytes, is_trusted: bool) -> Record:
    """Read the record of a line; what others may have written is looked at closely.

    Raises
    ------
    ForgedRecord
        Also for records of a kind that only later versions know.

    Examples
    --------
    >>> read_record(b'{"record":"checkout","run":7,"commit":"c0ffee"}', False).commit
    'c0ffee'
    >>> read_record(b'{"record":"checkout","run":-7,"commit":"c0ffee"}', False)
    Traceback (most recent call last):
    rms_jupyter.store.upkeep.forged.ForgedRecord: it is not a record that rms_jupyter writes
    """
    try:
        record: Record = model.decode(json)
        if is_trusted or _is_sound(record):
            return record
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    raise ForgedRecord("it is not a record that rms_jupyter writes")


def _is_sound(record: Record) -> bool:
    """Whether digests, formats, paths, names and numbers are what they are to be."""
    parts = list(_parts(record))
    resources = [part for part in parts if isinstance(part, ResourceRecord)]
    digests = [*_digests(record), *_digests_of(resources)]
    return (
        all(0 <= getattr(record, field, 0) < limit for field, limit in _LIMITS.items())
        and all(map(_DIGEST.fullmatch, digests))
        and all(_FORMAT.fullmatch(resource.format) for resource in resources)
        and all(map(_OBJECT.fullmatch, record.objects if isinstance(record, Eviction) else ()))
        and not any("\0" in path for path in _paths_and_names(record, resources))
        and all(0 <= part < _MOST for part in parts if type(part) is int)
        and all(type(msgspec.json.decode(part)) is dict for part in parts if isinstance(part, Raw))
    )


def _parts(value: object) -> Iterator[object]:
    """List what a record is made of, at any depth, but for values of the user's."""
    yield value
    if isinstance(value, Struct):
        for name in value.__struct_fields__:
            if name not in _FREE:
                yield from _parts(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _parts(item)


def _digests(record: Record) -> Iterator[str]:
    if isinstance(record, TaskRecord):
        yield record.key
        yield from filter(None, (record.traced, record.shown))
    elif isinstance(record, PipeRecord | Accept):
        yield record.version
    elif isinstance(record, Run) and record.environment:
        yield record.environment
    elif isinstance(record, Environment):
        yield record.digest


def _digests_of(resources: list[ResourceRecord]) -> Iterator[str]:
    for resource in resources:
        yield resource.digest
        if resource.state is not None:
            yield resource.state.digest


def _paths_and_names(record: Record, resources: list[ResourceRecord]) -> Iterator[str]:
    yield from (resource.path for resource in resources)
    yield from (getattr(record, field) for field in ("name", "path", "folder") if hasattr(record, field))
    if isinstance(record, TaskRecord):
        yield from (path for path, _ in record.files)
