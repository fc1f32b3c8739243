"""What does a worker process do with a batch of tasks?"""

from __future__ import annotations

import contextlib
import functools
import os
import pickle
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from rms_jupyter.errors import NotRecomputable, RmsError
from rms_jupyter.figures.saving import Saving
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.fingerprint.origin import add_project
from rms_jupyter.fingerprint.originals import Copies, NotDefinedHere, OriginalMark, copying, name_copies
from rms_jupyter.fingerprint.trees import existing
from rms_jupyter.interrupts import hear_from_now_on
from rms_jupyter.kept.arguments import is_parameter
from rms_jupyter.model import Failure, TaskStatus
from rms_jupyter.run.call.draws import shared_generators
from rms_jupyter.run.call.effects import digests_of
from rms_jupyter.run.task import descriptors
from rms_jupyter.run.task.capture import capturing
from rms_jupyter.run.task.execute import Outcome, execute_captured
from rms_jupyter.run.task.outputs import Made, describe_made
from rms_jupyter.run.workers.child_process import run_isolated
from rms_jupyter.run.workers.edited_modules import forget_edited
from rms_jupyter.run.workers.kernel_state import stand_like
from rms_jupyter.run.workers.offspring import end_with_parent, leave_soon
from rms_jupyter.run.workers.wire import Batch, Gone, Job, Result, decode_batch, encode, failed, unpack_arguments
from rms_jupyter.store import content
from rms_jupyter.store.layout import Layout
from rms_jupyter.store.live import remove_texts_of
from rms_jupyter.store.objects import Objects

LONGEST_BATCH = 0.5  # seconds
_LAG = 2.0  # Seconds until a network disk shows on one machine what was written on another.


def run_batch(data: bytes, echo: bool = False, begin: Callable[[], None] = lambda: None) -> bytes:
    """Run the tasks of a batch (a packed `Batch`) one after the other; gives a packed list of `Result`.

    A batch that takes longer than was thought ends early, so that others can take what is left of it; one that is
    interrupted, too. `echo`: see `execute`; `begin` is called when all is ready for the first task.
    """
    batch = decode_batch(data)
    if descriptors.is_worker():
        hear_from_now_on()
        end_with_parent()
    if descriptors.is_apart():
        stand_like(batch.kernel)
    if descriptors.is_worker() and forget_edited():
        _load.cache_clear()
    try:
        function, copies = _function(batch)
    except Exception as error:
        return encode([failed(job, error) for job in batch.jobs])
    add_project(Path(batch.objects).parent.parent)
    here = _here(batch, function)
    begin()
    results, began = [], time.monotonic()
    with descriptors.spooled(), capturing(echo) as captured, copying(copies):
        for job in batch.jobs:
            captured.turn_to((here.running, job.key))
            results.append(_run(job, here, captured))
            if results[-1].made.status == "cancelled" or time.monotonic() - began > LONGEST_BATCH:
                break
            if not _load.cache_info().currsize:
                break  # The function's globals are not those of the notebook any more.
    if descriptors.is_worker():
        leave_soon()
    return encode(results)


class WorkerDied(Exception):
    """The process in which a batch ran has died."""


def run_apart(
    data: bytes, timeout: float = 0.0, owner: str = "", is_wanted: Callable[[], bool] = lambda: True
) -> bytes:
    """Run a batch in a process of its own, and wait for it.

    Parameters
    ----------
    data : bytes
        A packed `Batch`.
    timeout, owner, is_wanted
        See `run_isolated`.

    Raises
    ------
    WorkerDied
        If the process died: any of the tasks may have killed it.
    """
    result = run_isolated(data, timeout, owner, is_wanted)
    if isinstance(result, bytes):
        return result
    raise WorkerDied(result.message)


def run_alone(
    data: bytes, timeout: float = 0.0, owner: str = "", is_wanted: Callable[[], bool] = lambda: True
) -> bytes:
    """Run a batch of one task in a process of its own; if that dies or is too slow, the task has failed.

    Parameters
    ----------
    data : bytes
        A packed `Batch`.
    timeout, owner, is_wanted
        See `run_isolated`.
    """
    began = time.time_ns() // 1000
    result = run_isolated(data, timeout, owner, is_wanted)
    if isinstance(result, bytes):
        return result
    batch = decode_batch(data)
    [job] = batch.jobs
    remove_texts_of(_layout(batch).running, [job.key])
    failure = Failure("TimeoutError" if result.timed_out else "WorkerDied", result.message)
    status: TaskStatus = "timed_out" if result.timed_out else "failed"
    made = Made(began, result.seconds, status, failure=failure, printed=result.printed)
    return encode([Result(job.number, made)])


def missing_files(expected: Mapping[str, Callable[[os.stat_result], bool]]) -> set[str]:
    """Tell which files are not as expected here, also after waiting a little.

    Parameters
    ----------
    expected : mapping of str to callable
        What must hold of a file, by path.
    """
    until = time.monotonic() + _LAG
    while missing := {path for path, is_right in expected.items() if not _is_file(path, is_right)}:
        if time.monotonic() > until:
            break
        time.sleep(0.1)
        for folder in {os.path.dirname(path) for path in missing}:
            with contextlib.suppress(OSError):
                os.scandir(folder).close()  # A network disk is asked again for a folder that is opened.
    return missing


def _is_file(path: str, is_right: Callable[[os.stat_result], bool]) -> bool:
    found = existing(path)
    return found is not None and is_right(found)


def _layout(batch: Batch) -> Layout:
    """The store's folders; on a machine that does not see the store, nothing is there."""
    return Layout(Path(batch.objects).parent)


class _Here(Struct):
    """What the tasks of a batch have in common where they run."""

    batch: Batch
    function: Any
    objects: Objects
    read_from: tuple[Objects, Objects | None]
    files: FileDigests
    missing: set[str]
    running: str
    figures: str

    def saving(self, key: str) -> Saving | None:
        """How the figures of a task are saved, if they are."""
        wanted = self.batch.figures
        return Saving(self.figures, wanted, self.batch.pipe, key) if wanted else None


def _here(batch: Batch, function: Any) -> _Here:
    folder, layout = Path(batch.objects), _layout(batch)
    return _Here(
        batch,
        function,
        Objects(folder, batch.is_trusted),
        (Objects(folder), Objects(Path(batch.brought)) if batch.brought else None),
        FileDigests(),
        missing_files({path: file.is_this for path, file in batch.files.items()}),
        str(layout.running),
        str(layout.figures),
    )


def _run(job: Job, here: _Here, captured: capturing) -> Result:
    outcome, batch, function = Outcome(), here.batch, here.function
    try:
        if job.watched or job.declared:
            _refuse_other_disk(job, batch.kernel.folder, here.missing)
        args, kwargs = unpack_arguments(job.arguments, *here.read_from)
        marks, before = shared_generators().marks(), digests_of(args, kwargs)
        held = _globals_now(function, job.held) if descriptors.is_apart() else {}
        outcome = execute_captured(
            captured,
            function,
            args,
            kwargs,
            job.watched,
            job.declared,
            batch.allow_empty,
            job.known,
            here.saving(job.key),
        )
        made = describe_made(outcome, job.key, job.declared, job.asides, batch.volatile, here.objects, here.files)
        made.draws = tuple((name, "") for name in shared_generators().drawn(marks))
        if digests_of(args, kwargs) != before:
            made.uncached = "it changes an argument in place, which does not reach the notebook from a worker"
        now = _globals_now(function, list(held))
        if name := next((name for name in held if now.get(name) != held[name]), ""):
            made.uncached = f"it changes {name} in place, which does not reach the notebook from a worker"
            _load.cache_clear()
    except Exception as error:
        outcome = Outcome(error=error, started=outcome.started, seconds=outcome.seconds)
        made = describe_made(outcome, job.key, [], (), False, here.objects, here.files)
    made.printed = captured.take_printed()
    value = _pickled_value(outcome.value) if made.problem and outcome.error is None else b""
    gone = isinstance(outcome.error, Gone)
    return Result(job.number, made, _pickled(outcome.error), _lacking(outcome.error), value, gone)


def _globals_now(function: Any, names: Sequence[str]) -> dict[str, Any]:
    """Describe globals of a function, small lists, dicts and sets by what they hold, large ones by their lengths."""
    all_of_them = getattr(function, "__globals__", {})
    held = {name: all_of_them[name] for name in names if name in all_of_them}
    return {name: digests_of((value,), {})[0] if is_parameter(value) else len(value) for name, value in held.items()}


def _lacking(error: BaseException | None) -> OriginalMark | None:
    cause = error.__cause__ if isinstance(error, NotRecomputable) else None
    return cause.mark if isinstance(cause, NotDefinedHere) else None


def _refuse_other_disk(job: Job, folder: str, missing: set[str]) -> None:
    if any(path.startswith(folder + os.sep) for path in job.declared) and not os.path.isdir(folder):
        raise RmsError(
            f"the working directory {folder} is not there on the worker's machine, {platform.node()}",
            hint="work on a disk that the workers share, or return the content instead of writing a file",
        )
    for path in job.watched:
        if path in missing:
            state = "another file" if existing(path) else "not there"
            raise RmsError(
                f"{path} is {state} on the worker's machine, {platform.node()}",
                hint="put it on a disk that the workers share, or pass its content instead of its path",
            )


def _function(batch: Batch) -> tuple[Any, Copies]:
    here = platform.python_version()
    if batch.python.split(".")[:2] != here.split(".")[:2]:
        raise RmsError(
            f"the worker on {platform.node()} runs Python {here}, the session {batch.python}",
            hint="start the workers with the session's version of Python",
        )
    try:
        function, copies = _load(batch.function, tuple(batch.classes))
    except ImportError as error:
        raise RmsError(
            f"the worker on {platform.node()} cannot load the function: {error}",
            hint="install what it imports where the workers run, or put the module in the working directory",
        ) from error

    if descriptors.is_apart():
        name_copies(copies)
    return function, {**copies}


@functools.lru_cache(maxsize=64)
def _load(data: bytes, classes: tuple[bytes, ...]) -> tuple[Any, Copies]:
    copies: Copies = {}
    with copying(copies):
        function = pickle.loads(data)
        for definition in classes:
            pickle.loads(definition)
    return function, copies


def _pickled_value(value: Any) -> bytes:
    try:
        return content.dumps(value)
    except content.Unpicklable:
        return b""


def _pickled(error: BaseException | None) -> bytes:
    if error is None:
        return b""
    try:
        data = content.dumps(error)
        pickle.loads(data)
        return data
    except Exception:
        return b""
