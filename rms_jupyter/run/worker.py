"""What does a worker process do with a batch of tasks?"""

from __future__ import annotations

import functools
import os
import pickle
import platform
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.files import FileDigests, existing_file
from rms_jupyter.run.execute import Outcome, execute
from rms_jupyter.run.made import describe_made
from rms_jupyter.run.shipping import Batch, Job, Result, decode_batch, encode, unpack_arguments
from rms_jupyter.store.objects import Objects

_LAG = 5.0  # Seconds until a network disk shows on one machine what was written on another.


def run_batch(data: bytes) -> bytes:
    """Run the tasks of a batch (a packed `Batch`) one after the other; gives a packed list of `Result`."""
    return encode(run_jobs(decode_batch(data)))


def run_jobs(batch: Batch, sent: Mapping[str, bytes] = {}) -> list[Result]:
    """Run the tasks of a batch.

    Parameters
    ----------
    batch : Batch
    sent : mapping of str to bytes
        Buffers of arguments that were sent by name.
    """
    _go_to(batch.folder)
    objects, files = Objects(Path(batch.objects)), FileDigests()
    return [_run(job, batch, sent, objects, files) for job in batch.jobs]


def appears(path: str, is_it: Mapping[str, int], patience: float = _LAG) -> bool:
    """Wait until a file has the given ``st_…`` values here; false if that does not happen in time."""
    until = time.monotonic() + patience
    while True:
        found = existing_file(path)
        if found is not None and all(getattr(found, name) == value for name, value in is_it.items()):
            return True
        if time.monotonic() > until:
            return False
        time.sleep(0.1)


def _run(job: Job, batch: Batch, sent: Mapping[str, bytes], objects: Objects, files: FileDigests) -> Result:
    outcome = Outcome()
    try:
        function = _function(batch)
        _find_files(job, batch)
        args, kwargs = unpack_arguments(job.arguments, objects, sent)
        outcome = execute(function, args, kwargs, job.watched, job.declared, batch.allow_empty, echo=False)
        made = describe_made(outcome, job.key, job.declared, job.asides, batch.volatile, objects, files)
    except Exception as error:
        outcome = Outcome(error=error, started=outcome.started, seconds=outcome.seconds)
        made = describe_made(outcome, job.key, [], (), False, objects, files)
    return Result(job.number, made, _pickled(outcome.error))


def _go_to(folder: str) -> None:
    """Work where the session works; on a machine without that folder, stay."""
    try:
        if os.getcwd() != folder:
            os.chdir(folder)
    except OSError:
        return
    if folder not in sys.path and "" not in sys.path:
        sys.path.append(folder)  # Modules beside the notebook are imported here as they are there.


def _find_files(job: Job, batch: Batch) -> None:
    for path in job.watched:
        if path in batch.files:
            size, mtime = batch.files[path]
            if not appears(path, {"st_size": size, "st_mtime_ns": mtime}):
                state = "another file" if existing_file(path) else "not there"
                raise RmsError(
                    f"{path} is {state} on the worker's machine, {platform.node()}",
                    hint="put it on a disk that the workers share, or pass its content instead of its path",
                )


def _function(batch: Batch) -> Any:
    if batch.python.split(".")[:2] != list(platform.python_version_tuple()[:2]):
        raise RmsError(
            f"the worker on {platform.node()} runs Python {platform.python_version()}, the session {batch.python}",
            hint="start the workers with the session's version of Python",
        )
    try:
        return _load(batch.function)
    except ImportError as error:
        raise RmsError(
            f"the worker on {platform.node()} cannot load the function: {error}",
            hint="install what it imports where the workers run, or put the module in the working directory",
        ) from error


@functools.lru_cache(maxsize=64)
def _load(data: bytes) -> Any:
    function = pickle.loads(data)
    for value in getattr(function, "__globals__", {}).values():
        if isinstance(value, type) and value.__module__ == "__main__":
            # So that instances are pickled by name, and the kernel finds its own class when it reads them.
            setattr(sys.modules["__main__"], value.__name__, value)
    return function


def _pickled(error: BaseException | None) -> bytes:
    if error is None:
        return b""
    try:
        data = pickle.dumps(error)
        pickle.loads(data)
        return data
    except Exception:
        return b""
