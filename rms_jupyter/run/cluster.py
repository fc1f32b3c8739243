"""How do tasks get to a Dask cluster, and what they made back?

A worker that sees the store's disk (a token that the session has written there) reads and writes its objects. To one
that does not, the objects that its tasks need are sent, and it sends back those that it made; the first such worker
says that it lacks them, and from then on they are sent at once. What is large is sent to the cluster once, and goes
from worker to worker, for as long as tasks under way need it.
"""

from __future__ import annotations

import contextlib
import math
import platform
import secrets
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from xxhash import xxh3_128_hexdigest

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.files import existing_file
from rms_jupyter.run.shipping import (
    LARGE,
    Batch,
    Job,
    Result,
    decode_batch,
    decode_packed,
    decode_results,
    encode,
    failed,
    is_packed,
)
from rms_jupyter.run.worker import missing_files, run_alone, run_batch
from rms_jupyter.store.content import object_names
from rms_jupyter.store.objects import Objects

# Dask gives up a worker that cannot unpickle what it is sent, so that goes as text: the import can fail in the task.
_CALL = "__import__('rms_jupyter.run.cluster', fromlist=['run']).run_parcel(parcel, sent)"
_TRIES = 5
_ASK_AGAIN = 1.0
_RETURN = 60.0  # Seconds until a cluster that has lost all its workers is given up; for the first one waits in a queue.


class Parcel(msgspec.Struct, array_like=True):
    """A batch on its way to another machine, and what to do with it there.

    `objects` are those that its arguments describe, and the folder of each ('': the store's); `token` is a file in the
    store that holds `secret`; `complete`: all objects were sent along.
    """

    run: str
    options: list[Any]
    batch: Batch
    objects: dict[str, str]
    token: str
    secret: str
    complete: bool


class Returned(msgspec.Struct):
    """What comes back: results and, from a worker that does not see the store, objects; or that objects are missing."""

    results: list[Result] = []
    objects: dict[str, bytes] = {}
    missing: bool = False


_RUNS: dict[str, Callable[..., bytes]] = {run.__name__: run for run in (run_batch, run_alone)}
_decode_parcel = msgspec.msgpack.Decoder(Parcel).decode
_decode_returned = msgspec.msgpack.Decoder(Returned).decode


def run_parcel(data: bytes, sent: Mapping[str, bytes]) -> bytes:
    """Run a batch on a worker, which may be on a machine without the store.

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
    """
    parcel = _decode_parcel(data)
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
        results = decode_results(_RUNS[parcel.run](encode(batch), *parcel.options))
        names = [] if shared else [name for result in results for name in _objects_of(result)]
        return encode(Returned(results, {name: Objects(store).read(name) for name in names}))


class ClusterExecutor(Executor):
    """Runs batches on the workers of a Dask cluster.

    Parameters
    ----------
    client : distributed.Client
    inner : distributed.cfexecutor.ClientExecutor, optional
        One with options of its own.

    Raises
    ------
    RmsError
        If there are no workers and none are coming, or they run another Python or have no rms_jupyter.
    """

    def __init__(self, client: Any, inner: Any = None) -> None:
        self._client, self._inner = client, inner or client.get_executor()
        self._receiver = ThreadPoolExecutor(1, "rms-results")
        self._on_its_way: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
        self._sending = threading.Lock()
        self._token: Path | None = None
        self._secret = secrets.token_hex(16)
        self._all_share = True
        self._is_new = True
        self._asked = -math.inf
        self._threads = 1
        check_workers(client)
        if not self.workers:
            raise RmsError(
                f"no workers at {client.scheduler.address}, and none asked for",
                hint="start some: cluster.scale(jobs=2), or: dask worker ADDRESS",
            )

    @property
    def workers(self) -> int:
        """How many tasks run at once when all workers that were asked for are there; looked up once a second."""
        if time.monotonic() - self._asked > _ASK_AGAIN:
            self._threads = max(sum(self._client.nthreads().values()), _asked_for(self._client.cluster))
            self._asked = time.monotonic()
        return self._threads

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a batch, by `run_batch` or `run_alone`, whose first argument it is."""
        trip = _Trip(fn.__name__, decode_batch(args[0]), list(args[1:]))
        try:
            self._send(trip)
        except Exception as error:
            trip.fail(error)
        return trip.future

    # There ---------------------------------------------------------------------------------------------------------

    def _send(self, trip: _Trip) -> None:
        if self._client.status != "running":
            raise RmsError("the connection to the Dask scheduler is lost", hint="make a new Client, and run again")
        with self._sending:
            sent: dict[str, Any] = {}
            needs: dict[str, str] = {}
            jobs = [self._lighten(job, sent, needs) for job in trip.batch.jobs]
            batch = msgspec.structs.replace(trip.batch, jobs=jobs, files=_files_of(jobs))
            complete = not self._all_share
            if complete:
                self._add_objects(needs, Path(batch.objects), sent)
            token = self._token_in(Path(batch.objects).parent)
            parcel = encode(Parcel(trip.run, trip.options, batch, needs, *token, complete))
            given = {"parcel": self._once("", parcel), "sent": sent}
            inner = self._inner.submit(eval, _CALL, given, key=f"rms-batch-{secrets.token_hex(8)}", pure=False)
        trip.future.add_done_callback(lambda future: future.cancelled() and inner.cancel())
        inner.add_done_callback(lambda inner: self._receiver.submit(self._receive, trip, inner, sent))

    def _lighten(self, job: Job, sent: dict[str, Any], needs: dict[str, str]) -> Job:
        """Take large buffers out of a task's arguments: they travel for themselves, by name."""
        if not is_packed(job.arguments):
            return job
        packed = decode_packed(job.arguments)
        needs.update(packed.objects)
        if not packed.buffers:
            return job
        names = [xxh3_128_hexdigest(buffer) for buffer in packed.buffers]
        for name, buffer in zip(names, packed.buffers, strict=True):
            sent[name] = self._once(name, buffer)
        return msgspec.structs.replace(job, arguments=encode(msgspec.structs.replace(packed, buffers=[], names=names)))

    def _add_objects(self, needs: dict[str, str], store: Path, sent: dict[str, Any]) -> None:
        for name, folder in needs.items():
            objects = Objects(Path(folder) if folder else store)
            with contextlib.suppress(FileNotFoundError):  # The task says what it lacks.
                sent[name] = self._under_way(name) or self._once(name, objects.read(name))

    def _once(self, name: str, data: bytes) -> Any:
        """Give small data as it is; bring large data to the cluster, if it is not on its way, and give its future."""
        if len(data) <= LARGE:
            return data
        if (known := self._under_way(name)) is not None:
            return known
        self._client.wait_for_workers(1, timeout=None if self._is_new else _RETURN)
        self._is_new = False
        future = self._client.scatter(data, hash=False)
        if name:
            self._on_its_way[name] = future
        return future

    def _under_way(self, name: str) -> Any:
        """Give the future of large data that is in the cluster; None if there is none, or it was lost there."""
        future = self._on_its_way.get(name)
        return None if future is None or future.status in ("cancelled", "lost") else future

    def _token_in(self, store: Path) -> tuple[str, str]:
        if self._token is None:
            self._token = store / f".shared-{secrets.token_hex(8)}"
            self._token.write_text(self._secret)
            weakref.finalize(self, self._token.unlink, missing_ok=True)
        return str(self._token), self._secret

    # And back ------------------------------------------------------------------------------------------------------

    def _receive(self, trip: _Trip, inner: Future[bytes], sent: dict[str, Any]) -> None:
        """Take in what a batch made; the cluster keeps what was `sent` until here."""
        try:
            if trip.future.cancelled():
                trip.future.set_running_or_notify_cancel()
            elif inner.cancelled():
                self._send_again(trip)
            elif (returned := _decode_returned(inner.result())).missing:
                self._all_share = False
                self._send(trip)
            else:
                trip.end(self._keep(trip.batch, returned))
        except Exception as error:
            trip.fail(_not_importable("a worker", error) if isinstance(error, ImportError) else error)

    def _send_again(self, trip: _Trip) -> None:
        """Send what the cluster gave up: it does so when the only worker that held large inputs has died."""
        trip.tries += 1
        if trip.tries >= _TRIES:
            raise RmsError(f"the cluster gave it up {_TRIES} times", hint="see the logs of the Dask scheduler")
        self._send(trip)

    def _keep(self, batch: Batch, returned: Returned) -> list[Result]:
        objects = Objects(Path(batch.objects))
        for name, data in returned.objects.items():
            objects.take_in(name, data)
        written = {result.number: _files_written(result) for result in returned.results}
        missing = missing_files({path: {"st_size": size} for files in written.values() for path, size in files.items()})
        jobs = {job.number: job for job in batch.jobs}
        return [
            failed(jobs[result.number], _on_another_disk(lost))
            if (lost := missing & written[result.number].keys())
            else result
            for result in returned.results
        ]


@dataclass
class _Trip:
    """A batch, there and back; `future` is what the driver waits for."""

    run: str
    batch: Batch
    options: list[Any]
    future: Future[bytes] = field(default_factory=Future)
    tries: int = 0

    def end(self, results: list[Result]) -> None:
        if self.future.set_running_or_notify_cancel():
            self.future.set_result(encode(results))

    def fail(self, error: Exception) -> None:
        """End it by an error: of ours, each task fails with it; any other is that of a worker that died."""
        if isinstance(error, RmsError):
            self.end([failed(job, error) for job in self.batch.jobs])
        elif self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)


def check_workers(client: Any) -> None:
    """Refuse a cluster on which nothing could run.

    Raises
    ------
    RmsError
        If a worker runs another minor version of Python, or cannot import rms_jupyter.
    """
    here = platform.python_version()
    for address, version in client.run(eval, "__import__('platform').python_version()", on_error="return").items():
        if isinstance(version, str) and version.split(".")[:2] != here.split(".")[:2]:
            raise RmsError(
                f"the worker {address} runs Python {version}, this session {here}",
                hint="start it with the session's version of Python",
            )
    for address, found in client.run(eval, "bool(__import__('rms_jupyter.run.cluster'))", on_error="return").items():
        if isinstance(found, ImportError):
            raise _not_importable(f"the worker {address}", found)


def _not_importable(place: str, error: ImportError) -> RmsError:
    return RmsError(
        f"{place} cannot import {error.name}", hint="start it in an environment that has rms-jupyter and what it needs"
    )


def _asked_for(cluster: Any) -> int:
    """How many tasks the workers that a cluster object has asked for will run at once."""
    if cluster is None:
        return 0
    per_worker = _threads_of(getattr(cluster, "new_spec", None))
    most = getattr(getattr(cluster, "_adaptive", None), "maximum", 0)
    specs = getattr(cluster, "worker_spec", {}).values()
    return max(sum(map(_threads_of, specs)), int(most * per_worker) if math.isfinite(most) else per_worker)


def _threads_of(spec: Any) -> int:
    options = spec.get("options", {}) if isinstance(spec, dict) else {}
    return int(options.get("cores") or options.get("nthreads") or 1)


def _holds(token: str, secret: str) -> bool:
    try:
        return Path(token).read_text() == secret
    except OSError:
        return False


def _with_buffers(job: Job, sent: Mapping[str, bytes]) -> Job:
    """Undo `ClusterExecutor._lighten`."""
    packed = decode_packed(job.arguments) if is_packed(job.arguments) else None
    if packed is None or not packed.names:
        return job
    packed.buffers = [sent[name] for name in packed.names]
    return msgspec.structs.replace(job, arguments=encode(packed))


def _files_of(jobs: list[Job]) -> dict[str, tuple[int, int]]:
    found = {path: existing_file(path) for job in jobs for path in job.watched}
    return {path: (stat.st_size, stat.st_mtime_ns) for path, stat in found.items() if stat is not None}


def _objects_of(result: Result) -> list[str]:
    names = [name for resource in result.made.out for name in object_names(resource)]
    return [*names, f"{result.made.shown}.json"] if result.made.shown else names


def _files_written(result: Result) -> dict[str, int]:
    return {resource.path: resource.size for resource in result.made.out if resource.kind == "file"}


def _on_another_disk(paths: set[str]) -> RmsError:
    return RmsError(
        f"{', '.join(sorted(paths))} was written on the worker's disk, which this machine does not see",
        hint="write to a disk that is shared, or return the content",
    )
