"""What did a task make?  Described where it ran, in the kernel or in a worker, so that only descriptions travel."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct

from rms_jupyter.errors import RmsError, StoreError, TimedOut
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.fingerprint.holding import found_otherwise
from rms_jupyter.fingerprint.nesting import everything
from rms_jupyter.fingerprint.preview import preview, type_name
from rms_jupyter.fingerprint.recipes import is_lost
from rms_jupyter.fingerprint.scalar_items import scalar_items
from rms_jupyter.fingerprint.values import Undigestable, digest, examined, reads_once, tagged
from rms_jupyter.interrupts import interruptible
from rms_jupyter.model import Failure, ResourceRecord, TaskStatus, Unheard
from rms_jupyter.run.task.execute import Outcome
from rms_jupyter.run.task.open_figures import FIGURES
from rms_jupyter.run.task.shown import keep_messages, shows
from rms_jupyter.store import content
from rms_jupyter.store.objects import Objects
from rms_jupyter.working_folder import in_short


class Made(Struct, array_like=True, omit_defaults=True, gc=False):
    """A task's results, described and kept.

    `written_aside` are files that were written and are no outputs; `problem` says why the value is not kept, if it
    should have been. `is_seen` says whether what it has shown is to be seen for certain, `unsaved` why a figure that it
    made is not saved, if so. `logs` are those of `written_aside` that it only adds to.
    """

    started: int
    seconds: float
    status: TaskStatus = "done"
    out: tuple[ResourceRecord, ...] = ()
    declared: int = 0
    written_aside: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    asked: dict[str, str] = {}
    read: tuple[ResourceRecord, ...] = ()
    failure: Failure | None = None
    printed: str = ""
    shown: str = ""
    problem: str = ""
    cpu: float = 0.0
    memory: int = 0
    changes: tuple[tuple[str, int], ...] = ()
    aliases: tuple[tuple[Any, ...], ...] = ()
    draws: tuple[tuple[str, str], ...] = ()
    uncached: str = ""
    unheard: Unheard | None = None
    is_seen: bool = False
    unsaved: str = ""
    logs: tuple[str, ...] = ()
    origins: dict[str, tuple[tuple[int, int], ...]] = {}

    def add_change(self, label: str, value: Any, objects: Objects) -> None:
        """Add what an argument or a global is after the call, as an output."""
        described, problem = _value(value, lambda: "", False, objects)
        if problem or not described.format:
            self.uncached = self.uncached or f"what it makes of {label} cannot be kept"
            return
        self._add_output(label, described)

    def add_figures(self, figures: Sequence[Any], key: str, objects: Objects) -> None:
        """Add figures that were left open, as an output."""
        try:
            kept = content.keep(list(figures), by_origin(f"{key} {FIGURES}", self.read, self.asked), objects)
        except content.Unpicklable:
            self.uncached = self.uncached or "a figure that it leaves open cannot be kept"
            return
        self._add_output(FIGURES, msgspec.structs.replace(kept, by_origin=True))

    def _add_output(self, label: str, output: ResourceRecord) -> None:
        self.out = (*self.out, output)
        self.changes = (*self.changes, (label, len(self.out)))


@interruptible
def describe_made(
    outcome: Outcome,
    key: str,
    declared: list[str],
    asides: Collection[str],
    volatile: bool,
    objects: Objects,
    files: FileDigests,
) -> Made:
    """Describe and keep what a task made.

    Parameters
    ----------
    outcome : Outcome
    key : str
        Of the call; it identifies values that have no digest of their own.
    declared : list of str
        Paths that the pipe declares to write, in order.
    asides : collection of str
        Watched paths that are no outputs if they are written.
    volatile : bool
        Whether the value is not to be kept.
    objects, files
        Where content goes, and who knows the digests of files.
    """
    made = Made(outcome.started, outcome.seconds, printed=outcome.printed, cpu=outcome.cpu, memory=outcome.memory)
    made.unheard, made.unsaved = outcome.unheard, outcome.unsaved
    if outcome.displays:
        made.is_seen = shows(outcome.displays)
        try:
            made.shown = keep_messages(objects, outcome.displays)
        except StoreError as error:
            made.uncached = f"what it shows is not kept: {error.message}"
    if outcome.read:
        made.read = tuple(_file_if_there(path, files) for path in outcome.read)
    if asides or outcome.shared:
        aside = [path for path in outcome.written if path not in declared and _is_aside(path, asides)]
        behind = [path for path in aside if path not in outcome.rewritten]
        made.written_aside = tuple(dict.fromkeys((*behind, *outcome.shared)))
        inside = [path for path in outcome.rewritten if path not in outcome.written and _is_aside(path, behind)]
        outcome.written = [*(path for path in outcome.written if path not in behind), *inside]
    made.listed, made.asked = tuple(outcome.listed), outcome.asked
    is_log = {path: only_at_end and _is_aside(path, asides) for path, only_at_end in outcome.added_to.items()}
    made.logs = tuple(path for path, aside in is_log.items() if aside)
    if added_to := [path for path, aside in is_log.items() if not aside]:
        made.uncached = f"it adds to {in_short(added_to[0])}"
    made.uncached = made.uncached or outcome.done_each_time
    if outcome.drew_into_open:
        made.uncached = "it draws into an open figure"
    if outcome.error is not None:
        made.status, made.failure = _status_of(outcome.error), outcome.failure()
    else:
        made.declared = len(declared)
        origin = partial(by_origin, key, made.read, made.asked)
        made.out, made.problem = _outputs(outcome, origin, declared, volatile, objects, files)
        if outcome.figures:
            made.add_figures(outcome.figures, key, objects)
    return made


def file_resource(path: str, files: FileDigests) -> ResourceRecord:
    """Describe a file or folder as it is now.

    Raises
    ------
    RmsError
        If it is missing or cannot be read.
    """
    state = files.state(path)
    kind = "folder" if os.path.isdir(path) else "file"
    return ResourceRecord(digest=state.digest, kind="file", type=kind, size=state.size, path=path, state=state)


def _outputs(
    outcome: Outcome,
    origin: Callable[[], str],
    declared: list[str],
    volatile: bool,
    objects: Objects,
    files: FileDigests,
) -> tuple[tuple[ResourceRecord, ...], str]:
    if not outcome.written:
        value, problem = _value(outcome.value, origin, volatile, objects)
        return (value,), problem
    written = [*declared, *(path for path in outcome.written if path not in declared)]
    for path in written:
        files.forget(path)
    made = tuple(file_resource(path, files) for path in written)
    if outcome.value is None and declared:
        return made, ""
    value, problem = _value(outcome.value, origin, volatile, objects)
    return (value, *made), problem


def _value(value: Any, origin: Callable[[], str], volatile: bool, objects: Objects) -> tuple[ResourceRecord, str]:
    if content.is_small_scalar(value) and not volatile:
        return content.scalar_resource(value), ""
    is_by_origin, doubtful = volatile, False
    try:
        described, doubtful = (b"", False) if volatile else examined(value)
        name = described.hex() or origin()
    except Undigestable:
        name, is_by_origin = origin(), True
        volatile = any(reads_once(type(part)) for part in everything(value))
    kept, problem = None, ""
    if is_by_origin and not volatile and any(map(is_lost, everything(value))):
        problem = f"{type_name(value)} cannot be kept exactly: read back, it is another"
    elif not volatile:
        try:
            kept = content.keep(value, name, objects, verify=doubtful)
        except content.ReadBackOtherwise as error:
            if found_otherwise(type(value)):  # As the first of its class would have shown.
                return _value(value, origin, volatile, objects)
            problem = str(error)
        except content.Unpicklable as error:
            problem = str(error)
    about = _about(value, kept or ResourceRecord(digest=name))
    return msgspec.structs.replace(about, by_origin=is_by_origin), problem


def describe_value(value: Any) -> ResourceRecord:
    """Describe a value without keeping it."""
    try:
        name = digest(value).hex()
    except Undigestable:
        name = "0" * 32
    return _about(value, ResourceRecord(digest=name))


def is_recorded_as(value: Any, resource: ResourceRecord) -> bool:
    """Whether a value that was made again is the recorded one, as far as that can be known."""
    return resource.by_origin or describe_value(value).digest == resource.digest


def _about(value: Any, resource: ResourceRecord) -> ResourceRecord:
    return msgspec.structs.replace(
        resource,
        type=type_name(value),
        preview=preview(value),
        items=scalar_items(value),
    )


def by_origin(key: str, read: Collection[ResourceRecord] = (), asked: Mapping[str, str] | None = None) -> str:
    """Identify a value that has no digest of its own by the call that makes it, and what that knows of files."""
    known = [(file.path, file.digest) for file in read] + list((asked or {}).items())
    contents = sorted(f"{path}\0{content}".encode("utf-8", "surrogateescape") for path, content in known)
    return tagged("made by", [key.encode(), *contents]).hex()


def _is_aside(path: str, asides: Collection[str]) -> bool:
    """Whether a path, or the folder that it lies in, is named behind the back of the arguments only."""
    return any(path == aside or path.startswith(aside + os.sep) for aside in asides)


def _file_if_there(path: str, files: FileDigests) -> ResourceRecord:
    try:
        return file_resource(path, files)
    except RmsError:
        return ResourceRecord(digest="0" * 32, kind="file", type="file", path=path)


def _status_of(error: BaseException) -> TaskStatus:
    if isinstance(error, TimedOut):
        return "timed_out"
    return "cancelled" if isinstance(error, KeyboardInterrupt) else "failed"
