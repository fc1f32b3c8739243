"""Which calls did the arguments of a call come from?  So that it is named by what a person knows: the first files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from rms_jupyter.errors import StoreError
from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.fingerprint.preview import shown as as_shown
from rms_jupyter.model import Record, ResourceRecord, TaskRecord
from rms_jupyter.naming import Called, first_item, length_shown

_NOT_SHOWN = object()  # An item of a list of which only the length is shown.


class _Kept(msgspec.Struct):
    """An argument that is kept as a result on record, or as a part of one."""

    resource: int
    item: int | str | None = None

    @classmethod
    def of(cls, exact: Any) -> _Kept | None:
        """Read what a record says of an argument."""
        try:
            return msgspec.convert(exact, cls)
        except msgspec.ValidationError:
            return None


class Origins:
    """The calls on record as they are known, each with those that its arguments came from.

    Parameters
    ----------
    record : callable
        Reads the record that an id stands for, with its own id; raises LookupError if there is none.
    pipe_name : callable
        Returns the name of a pipe by the id of its record.
    """

    def __init__(self, record: Callable[[int], tuple[int, Record]], pipe_name: Callable[[int], str]) -> None:
        self._record = record
        self._pipe_name = pipe_name

    def of_task(self, task: TaskRecord) -> Called:
        """Return a recorded call."""
        return Called(self._pipe_name(task.pipe), task.args, lambda: self._into(task))

    def of_call(self, call: Call) -> Called:
        """Return an identified call that need not be on record."""
        args = call.args_json()
        shown = _named_by_origin(msgspec.json.decode(args))
        used = [(ref, role) for ref, role in call.inputs.used if role in shown]
        makers = {role: maker for ref, role in used if (maker := self.maker(ref.id, ref.item)) is not None}
        return Called(call.pipe_name, args, lambda: makers)

    def maker(self, ident: int, item: int | str | None = None) -> Called | None:
        """Return the call that made a value; None for files, which are known by their paths, and for what was given."""
        found = self._made(ident)
        return msgspec.structs.replace(self.of_task(found[0]), item=item) if found else None

    def _into(self, task: TaskRecord) -> dict[str, Called]:
        """Return the calls whose results went into another, by the names of its arguments.

        Of plain values, and of what lists hold, the record does not say whether they are a part: they are known by what
        they are.
        """
        shown = _named_by_origin(msgspec.json.decode(task.args))
        makers = {}
        for ident, role in task.used:
            if not (ident >> 32 and role in shown and (made := self._made(ident))):
                continue
            maker, resource = made
            if (kept := _Kept.of(task.exact.get(role))) and kept.resource == ident:
                makers[role] = msgspec.structs.replace(self.of_task(maker), item=kept.item)
            elif _is_shown_as(resource, shown[role]):
                makers[role] = self.of_task(maker)
        return makers

    def _made(self, ident: int) -> tuple[TaskRecord, ResourceRecord] | None:
        try:
            place, record = self._record(ident)
        except (LookupError, StoreError):
            return None
        if not isinstance(record, TaskRecord) or not 0 < ident - place <= len(record.out):
            return None
        out = record.out[ident - place - 1]
        return None if out.path else (record, out)


def _named_by_origin(args: dict[str, Any]) -> dict[str, Any]:
    """Return what of arguments may be named by the call that it came from, by role: each, and of lists the first."""
    lists = {name: value for name, value in args.items() if length_shown(value)}
    return args | {
        first_item(name): value[0] if isinstance(value, list) else _NOT_SHOWN for name, value in lists.items()
    }


def _is_shown_as(resource: ResourceRecord, shown: Any) -> bool:
    """Whether an argument that is shown so can be all of a resource."""
    if shown is _NOT_SHOWN:
        return True
    preview = resource.preview if resource.preview.startswith("<") else f"<{resource.preview}>"
    return shown == preview or (resource.format == "json" and shown in (resource.value, as_shown(resource.value)))
