"""Which files and objects are on record, and so must be on disk?

What was recorded before this session opened comes from the database, asked once; what is recorded since is taken in
as it goes by. So looking after a thousand files costs little more than a thousand stats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from rms_jupyter.model import Record, ResourceRecord, TaskRecord
from rms_jupyter.store.content import object_names

ReadResource = Callable[[int], ResourceRecord]


class Held(NamedTuple):
    """A resource that has something on disk, with its id."""

    id: int
    resource: ResourceRecord


class Holdings:
    """Files by path, and objects by the name of their file; the latest on record of each.

    Attributes
    ----------
    complete : bool
        Whether what was recorded before is in it, too.
    """

    def __init__(self, complete: bool) -> None:
        self.complete = complete
        self.files: dict[str, Held] = {}
        self.objects: dict[str, Held] = {}

    def absorb(self, ident: int, record: Record) -> None:
        """Take in a record that was written or read."""
        for held in _held_by(ident, record):
            self._put(held)

    def absorb_earlier(self, ids: Iterable[int], read: ReadResource) -> None:
        """Take in the resources with these ids, which are older than everything absorbed so far."""
        later = self.files, self.objects
        self.files, self.objects = {}, {}
        for ident in ids:
            try:
                self._put(Held(ident, read(ident)))
            except LookupError:
                continue
        self.files |= later[0]
        self.objects |= later[1]
        self.complete = True

    def _put(self, held: Held) -> None:
        resource = held.resource
        if resource.path:
            self.files[resource.path] = held
        elif is_object(resource):
            self.objects[f"{resource.digest}.{resource.format}"] = held


def is_object(resource: ResourceRecord) -> bool:
    """Tell whether a resource's content is a file of the store's own."""
    return bool(object_names(resource))


def _held_by(ident: int, record: Record) -> Iterator[Held]:
    if type(record) is TaskRecord:
        if record.given or len(record.out) != 1 or record.out[0].format != "json":
            for slot, resource in enumerate((*record.out, *record.given), 1):
                yield Held(ident + slot, resource)
    elif type(record) is ResourceRecord:
        yield Held(ident, record)
