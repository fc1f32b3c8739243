"""What does a worker process do with a batch of tasks?"""

from __future__ import annotations

import functools
import os
import pickle
import sys
import time
from pathlib import Path
from typing import Any

from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.model import Failure, TaskStatus
from rms_jupyter.run import descriptors
from rms_jupyter.run.execute import Outcome, execute
from rms_jupyter.run.isolation import run_isolated
from rms_jupyter.run.made import Made, describe_made
from rms_jupyter.run.messages import take_levels
from rms_jupyter.run.shipping import Batch, Job, Result, decode_batch, encode, unpack_arguments
from rms_jupyter.store.objects import Objects

LONGEST_BATCH = 0.5  # seconds


def run_batch(data: bytes, echo: bool = False) -> bytes:
    """Run the tasks of a batch (a packed `Batch`) one after the other; gives a packed list of `Result`.

    A batch that takes longer than was thought ends early, so that others can take what is left of it.
    """
    batch = decode_batch(data)
    if os.getcwd() != batch.folder:
        os.chdir(batch.folder)
    take_levels(batch.log_levels)
    function = _load(batch.function)
    objects, files = Objects(Path(batch.objects)), FileDigests()
    results, began = [], time.monotonic()
    with descriptors.spooled():
        for job in batch.jobs:
            results.append(_run(function, job, batch, objects, files, echo))
            if time.monotonic() - began > LONGEST_BATCH:
                break
    return encode(results)


def run_alone(data: bytes, timeout: float, owner: str = "") -> bytes:
    """Run a batch of one task in a process of its own; if that dies or is too slow, the task has failed.

    Parameters
    ----------
    data : bytes
        A packed `Batch`.
    timeout : float
        Seconds; 0 for none.
    owner : str
        Who can stop it.
    """
    began = time.time_ns() // 1000
    result = run_isolated(data, timeout, owner)
    if isinstance(result, bytes):
        return result
    [job] = decode_batch(data).jobs
    failure = Failure("TimeoutError" if result.timed_out else "WorkerDied", result.message)
    status: TaskStatus = "timed_out" if result.timed_out else "failed"
    made = Made(began, result.seconds, status, failure=failure, printed=result.printed)
    return encode([Result(job.number, made)])


def _run(function: Any, job: Job, batch: Batch, objects: Objects, files: FileDigests, echo: bool) -> Result:
    outcome = Outcome()
    try:
        args, kwargs = unpack_arguments(job.arguments, objects)
        outcome = execute(function, args, kwargs, job.watched, job.declared, batch.allow_empty, echo)
        made = describe_made(outcome, job.key, job.declared, job.asides, batch.volatile, objects, files)
    except Exception as error:
        printed = outcome.printed + descriptors.rest()
        outcome = Outcome(error=error, started=outcome.started, seconds=outcome.seconds, printed=printed)
        made = describe_made(outcome, job.key, [], (), False, objects, files)
    return Result(job.number, made, _pickled(outcome.error))


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
