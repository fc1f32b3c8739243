"""What a call that is answered here needs of its session, and what is prepared of one that must run."""

from __future__ import annotations

from typing import Any, Protocol

from msgspec import Struct

from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.model import Ref
from rms_jupyter.run.call.cell_runtime import Cell
from rms_jupyter.run.call.numeric import PlainWriting
from rms_jupyter.run.call.record import RecordWriting
from rms_jupyter.staleness import Reason


class Prepared(Struct, frozen=True, gc=False):
    """A call that must run, checked, its record begun; `declared` are the absolute paths it must write."""

    call: Call
    writing: RecordWriting | PlainWriting
    declared: list[str]
    reason: Reason


class ValueTracker(Protocol):
    """Knows which plain values came out of resources."""

    scalars: set[int]  # The `id` of each number among them.

    def lookup(self, value: Any) -> Ref | None:
        """Find the resource whose content an object is, or was when it was handed out."""

    def track(self, value: Any, ref: Ref) -> None:
        """Remember that an object is the content of a resource."""


class CallSurroundings(Protocol):
    """What a call needs to know of where it happens."""

    cell: Cell
    epoch: object  # The notebook cell being run: code is described anew when it changes.

    def run_id(self) -> int:
        """The run on record that the cell's calls belong to."""

    def tell(self, message: str, once: str = "") -> None:
        """Let the user know something; a message with the same `once` is not repeated."""
