"""Is a record that others have written one at all?  Asked before anything in it names a file or goes into a query."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rms_jupyter.model import PipeRecord, Record, ResourceRecord, TaskRecord

_DIGEST = re.compile(r"[0-9a-f]{32,64}")
_FORMAT = re.compile(r"([a-z]{2,10}(\.[a-z]{2,10})?)?", re.ASCII)
_MOST = 1 << 63


def refuse_forged(record: Record) -> None:
    """Refuse a record whose digests, formats, paths or ids are none.

    Raises
    ------
    LookupError
    """
    resources = _resources(record)
    digests = [*filter(None, _digests(record)), *(resource.digest for resource in resources)]
    formats = [resource.format for resource in resources]
    paths = [resource.path for resource in resources]
    ids: list[int] = []
    if isinstance(record, TaskRecord):
        paths += [path for path, _ in record.files]
        ids = [record.pipe, record.run, *(ident for ident, _ in record.used)]
    is_sound = (
        all(map(_DIGEST.fullmatch, digests))
        and all(map(_FORMAT.fullmatch, formats))
        and not any("\0" in path for path in paths)
        and all(0 <= ident < _MOST for ident in ids)
    )
    if not is_sound:
        raise LookupError("it is no record that rms_jupyter has written")


def _digests(record: Record) -> Iterator[str]:
    if isinstance(record, TaskRecord):
        yield from (record.key, record.traced, record.shown)
    elif isinstance(record, PipeRecord):
        yield record.version


def _resources(record: Record) -> list[ResourceRecord]:
    if isinstance(record, TaskRecord):
        return [*record.out, *record.given]
    return [record] if isinstance(record, ResourceRecord) else []
