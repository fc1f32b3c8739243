"""What does a worker process do with a batch of tasks?"""

from __future__ import annotations

import functools
import os
import pickle
import sys
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.run.execute import Outcome, execute
from rms_jupyter.run.made import Made, describe_made
from rms_jupyter.run.shipping import Job, unpack_arguments
from rms_jupyter.store.objects import Objects


class Batch(NamedTuple):
    """Tasks of one pipe, as they travel."""

    function: bytes
    jobs: list[Job]
    objects: str
    folder: str
    volatile: bool
    allow_empty: bool


class Result(NamedTuple):
    """What came of one task: its number, what it made as JSON, and its exception, pickled if it can be."""

    number: int
    made: bytes
    error: bytes


def run_batch(batch: Batch) -> list[Result]:
    """Run the tasks of a batch one after the other."""
    if os.getcwd() != batch.folder:
        os.chdir(batch.folder)
    function = _load(batch.function)
    objects, files = Objects(Path(batch.objects)), FileDigests()
    return [_run(function, job, batch, objects, files) for job in batch.jobs]


def _run(function: Any, job: Job, batch: Batch, objects: Objects, files: FileDigests) -> Result:
    outcome = Outcome()
    try:
        args, kwargs = unpack_arguments(job.arguments, objects)
        outcome = execute(function, args, kwargs, job.watched, job.declared, batch.allow_empty, echo=False)
        made = describe_made(outcome, job.key, job.declared, job.asides, batch.volatile, objects, files)
    except Exception as error:
        outcome = Outcome(error=error, started=outcome.started, seconds=outcome.seconds)
        made = describe_made(outcome, job.key, [], (), False, objects, files)
    return Result(job.number, msgspec.json.encode(made), _pickled(outcome.error))


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


def made_of(result: Result) -> Made:
    """Read what a result says was made."""
    return msgspec.json.decode(result.made, type=Made)
