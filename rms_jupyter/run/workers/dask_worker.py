"""What does a Dask worker do with a batch, on a machine that may not have the session's disk?

It runs it in a child process, so that the worker, which others may share, neither dies by a task nor is left with what
one does to its process; and so that a task can be stopped.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import weakref
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from rms_jupyter.odd_text import decoder
from rms_jupyter.run.call.demand import Demand
from rms_jupyter.run.workers.reservation import Room
from rms_jupyter.run.workers.wire import Batch, Job, Result, decode_packed, decode_results, encode, is_packed
from rms_jupyter.run.workers.worker import run_alone, run_apart
from rms_jupyter.store.content import object_names
from rms_jupyter.store.objects import Objects

# Dask gives up a worker that cannot unpickle what it is sent, so that goes as text: the import can fail in the task.
RUN_PARCEL = f"__import__({__name__!r}, fromlist=['run']).run_parcel(parcel, sent)"


class Parcel(msgspec.Struct, array_like=True):
    """A batch on its way to another machine, and what to do with it there.

    `alone`: one task, which may be what kills its process; `timeout`, `owner`: see `run_isolated`. `objects` are those
    that its arguments describe, and the folder of each ('': the store's); `token` is a file in the store that holds
    `secret`; `folders` are those of its files on the store's disk, with their inodes; `complete`: all objects were sent
    along.
    """

    batch: Batch
    alone: bool
    timeout: float
    owner: str
    objects: dict[str, str]
    token: str
    secret: str
    folders: dict[str, int]
    complete: bool


class Returned(msgspec.Struct):
    """What comes back: results, or that objects are missing.

    From a worker that does not see the store, `objects` come with them; from one that does, the `folders` of the files
    that were written on the store's disk, with their inodes.
    """

    results: list[Result] = []
    objects: dict[str, bytes] = {}
    folders: dict[str, int] = {}
    missing: bool = False


decode_returned = decoder(msgspec.msgpack.Decoder(Returned).decode)
_decode_parcel = msgspec.msgpack.Decoder(Parcel).decode
_rooms: weakref.WeakKeyDictionary[Any, Room] = weakref.WeakKeyDictionary()  # A process may have several workers.


def run_parcel(data: bytes, sent: Mapping[str, bytes]) -> bytes:
    """Run a batch on a worker.

    Parameters
    ----------
    data : bytes
        A packed `Parcel`.
    sent : mapping of str to bytes
        Objects and buffers by name.

    Returns
    -------
    bytes
        A packed `Returned`.

    Raises
    ------
    WorkerDied
        If its process died, and any of several tasks may have killed it.
    """
    from distributed import get_worker

    parcel, worker = _decode_parcel(data), get_worker()
    is_wanted = _asker(worker)
    need = Demand(parcel.batch.cores, parcel.batch.memory)
    there = Demand(worker.state.nthreads, int(worker.memory_manager.memory_limit or 0))
    with _rooms.setdefault(worker, Room()).held(need, there, is_wanted):
        return _run(parcel, sent, is_wanted)


def _asker(worker: Any) -> Callable[[], bool]:
    """Give a function that tells whether Dask still wants the task of this thread: its session may have died."""
    tasks, key = worker.state.tasks, worker.get_current_task()
    return lambda: (task := tasks.get(key)) is not None and task.state != "cancelled"


def _run(parcel: Parcel, sent: Mapping[str, bytes], is_wanted: Callable[[], bool]) -> bytes:
    shared = _holds(parcel.token, parcel.secret)
    with tempfile.TemporaryDirectory(prefix="rms-") as scratch:
        store = Path(parcel.batch.objects if shared else f"{scratch}/made")
        places = {name: Objects(Path(folder) if folder else store) for name, folder in parcel.objects.items()}
        if not parcel.complete and any(objects.lacks(name) for name, objects in places.items()):
            return encode(Returned(missing=True))
        brought = Objects(Path(scratch, "brought"))
        for name in parcel.objects.keys() & sent.keys():
            brought.take_in(name, sent[name])
        batch = msgspec.structs.replace(parcel.batch, objects=str(store), brought=f"{scratch}/brought")
        batch.jobs = [_with_buffers(job, sent) for job in batch.jobs]
        if shared:
            _allow_changes(batch, parcel)
        run = run_alone if parcel.alone else run_apart
        results = decode_results(run(encode(batch), parcel.timeout, parcel.owner, is_wanted))
        if shared:
            written = [path for result in results for path in files_written(result)]
            return encode(Returned(results, folders=folders_of(written, Path(parcel.token))))
        names = [name for result in results for name in _objects_of(result)]
        return encode(Returned(results, {name: Objects(store).read(name) for name in names}))


def with_buffers_apart(job: Job, take: Callable[[bytes], str]) -> Job:
    """Take large buffers out of a task's arguments: they travel for themselves, by the name that `take` gives."""
    packed = decode_packed(job.arguments)
    names = [take(buffer) for buffer in packed.buffers]
    return msgspec.structs.replace(job, arguments=encode(msgspec.structs.replace(packed, buffers=[], names=names)))


def _with_buffers(job: Job, sent: Mapping[str, bytes]) -> Job:
    """Undo `with_buffers_apart`."""
    packed = decode_packed(job.arguments) if is_packed(job.arguments) else None
    if packed is None or not packed.names:
        return job
    packed.buffers = [sent[name] for name in packed.names]
    return msgspec.structs.replace(job, arguments=encode(packed))


def _allow_changes(batch: Batch, parcel: Parcel) -> None:
    """Do not take a file for another one that is written to while the batch is on its way."""
    same = parcel.folders.items() & folders_of(batch.files, Path(parcel.token)).items()
    for path, file in batch.files.items():
        file.may_change = os.path.dirname(path) in dict(same)


def folders_of(paths: Iterable[str], token: Path) -> dict[str, int]:
    """Inodes of those folders of files that are on the disk of a token: where they agree, it is the same folder."""
    disk = token.stat().st_dev
    found = {}
    for folder in set(map(os.path.dirname, paths)):
        with contextlib.suppress(OSError):
            if (state := os.stat(folder)).st_dev == disk:
                found[folder] = state.st_ino
    return found


def files_written(result: Result) -> dict[str, int]:
    """Sizes of the files that a task has written, by path."""
    return {resource.path: resource.size for resource in result.made.out if resource.kind == "file"}


def _holds(token: str, secret: str) -> bool:
    try:
        return Path(token).read_text() == secret
    except OSError:
        return False


def _objects_of(result: Result) -> list[str]:
    names = [name for resource in result.made.out for name in object_names(resource)]
    return [*names, f"{result.made.shown}.json"] if result.made.shown else names
