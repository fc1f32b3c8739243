"""How do tasks get to a Dask cluster, and what they made back?

A worker that sees the store's disk (a token that the session has written there) reads and writes its objects. To one
that does not, the objects that its tasks need are sent, and it sends back those that it made; the first such worker
says that it lacks them, and from then on they are sent at once. What is large is sent to the cluster once, and goes
from worker to worker, for as long as tasks under way need it.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
import platform
import secrets
import stat
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from xxhash import xxh3_128_hexdigest

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.trees import existing
from rms_jupyter.run.call.demand import Demand
from rms_jupyter.run.workers.dask_cluster import RETURN, ClusterWorkers
from rms_jupyter.run.workers.dask_worker import (
    RUN_PARCEL,
    Parcel,
    Returned,
    decode_returned,
    files_written,
    folders_of,
    with_buffers_apart,
)
from rms_jupyter.run.workers.wire import (
    LARGE,
    Batch,
    Job,
    Result,
    SentFile,
    decode_batch,
    decode_packed,
    encode,
    failed,
    is_packed,
)
from rms_jupyter.run.workers.worker import missing_files, run_alone
from rms_jupyter.store.objects import Objects

_TRIES = 5
_ANY = -1
_ASK_AGAIN = 1.0
_PATIENCE = 10  # Seconds for workers to answer, which may be busy with what others run there.


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
        self._name = f"run {secrets.token_hex(16)}"
        self._on_its_way: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
        self._sending = threading.Lock()
        self._token: Path | None = None
        self._secret = secrets.token_hex(16)
        self._all_share = True
        self._is_new = True
        self._has_ended = False
        self._asked = -math.inf
        self._capacity, self._workers = Demand(0), ClusterWorkers(client)
        check_workers(client)
        if not self.capacity.cores:
            raise RmsError(
                f"no workers at {client.scheduler.address}, and none asked for",
                hint="start some: cluster.scale(jobs=2), or: dask worker ADDRESS",
            )

    @property
    def capacity(self) -> Demand:
        """Cores and memory of all workers, those asked for included; looked up once a second: they come and go.

        Raises
        ------
        RmsError
            If all are gone, and none is expected back.
        """
        if time.monotonic() - self._asked > _ASK_AGAIN and self._client.status == "running":
            self._asked = time.monotonic()
            with contextlib.suppress(OSError, TimeoutError):  # Of a lost connection, the tasks will hear.
                found = self._workers.capacity()
                self._capacity = found if found.cores else self._capacity  # All gone, they are expected back.
        return self._capacity

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a batch, by `run_batch` or `run_alone`, whose first argument it is."""
        data, timeout = (*args, 0.0)[:2]
        trip = _Trip(decode_batch(data), fn is run_alone, timeout)
        try:
            self._send(trip)
        except Exception as error:
            trip.fail(error)
        return trip.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop what runs there, and let the processes end that were started for it."""
        if self._client.status == "running" and not self._has_ended:
            self._has_ended = True
            ending = f"__import__('rms_jupyter.run.workers.child_process', fromlist=['end']).end({self._name!r})"
            with contextlib.suppress(OSError, TimeoutError):
                self._client.run(eval, ending, on_error="ignore", callback_timeout=_PATIENCE)

    # There ---------------------------------------------------------------------------------------------------------

    def _send(self, trip: _Trip) -> None:
        if self._client.status != "running":
            raise RmsError("the connection to the Dask scheduler is lost", hint="make a new Client, and run again")
        with self._sending:
            sent: dict[str, Any] = {}
            needs: dict[str, str] = {}
            jobs = [self._lighten(job, sent, needs) for job in trip.batch.jobs]
            files = _files_of(jobs)
            batch = msgspec.structs.replace(trip.batch, jobs=jobs, files=files)
            complete = not self._all_share
            if complete:
                self._add_objects(needs, Path(batch.objects), sent)
            token = self._token_in(Path(batch.objects).parent)
            how = trip.alone, trip.timeout, self._name
            folders = folders_of(files, token)
            parcel = encode(Parcel(batch, *how, needs, str(token), self._secret, folders, complete))
            given = {"parcel": self._once("", parcel), "sent": sent}
            inner = self._inner.submit(eval, RUN_PARCEL, given, key=f"rms-batch-{secrets.token_hex(8)}", pure=False)
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

        def take(buffer: bytes) -> str:
            name = xxh3_128_hexdigest(buffer)
            sent[name] = self._once(name, buffer)
            return name

        return with_buffers_apart(job, take)

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
        self._client.wait_for_workers(1, timeout=None if self._is_new else RETURN)
        self._is_new = False
        future = self._client.scatter(data, hash=False)
        if name:
            self._on_its_way[name] = future
        return future

    def _under_way(self, name: str) -> Any:
        """Give the future of large data that is in the cluster; None if there is none, or it was lost there."""
        future = self._on_its_way.get(name)
        return None if future is None or future.status in ("cancelled", "lost") else future

    def _token_in(self, store: Path) -> Path:
        if self._token is None:
            self._token = store / f".shared-{secrets.token_hex(8)}"
            self._token.write_text(self._secret)
            weakref.finalize(self, self._token.unlink, missing_ok=True)
        return self._token

    # And back ------------------------------------------------------------------------------------------------------

    def _receive(self, trip: _Trip, inner: Future[bytes], sent: dict[str, Any]) -> None:
        """Take in what a batch made; the cluster keeps what was `sent` until here."""
        try:
            if trip.future.cancelled():
                trip.future.set_running_or_notify_cancel()
            elif inner.cancelled():
                self._send_again(trip)
            elif (returned := decode_returned(inner.result())).missing:
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
        objects = Objects(Path(batch.objects), batch.is_trusted)
        for name, data in returned.objects.items():
            objects.take_in(name, data)
        written = {result.number: files_written(result) for result in returned.results}
        sizes = {path: size for files in written.values() for path, size in files.items()}
        missing = _not_here(sizes, returned.folders, self._token_in(Path(batch.objects).parent))
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

    batch: Batch
    alone: bool
    timeout: float
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
    for address, version in _on_each(client, "__import__('platform').python_version()").items():
        if isinstance(version, str) and version.split(".")[:2] != here.split(".")[:2]:
            raise RmsError(
                f"the worker {address} runs Python {version}, this session {here}",
                hint="start it with the session's version of Python",
            )
    for address, found in _on_each(client, "bool(__import__('rms_jupyter.run.workers.dask_worker'))").items():
        if isinstance(found, ImportError):
            raise _not_importable(f"the worker {address}", found)


def _on_each(client: Any, expression: str) -> dict[str, Any]:
    """Evaluate an expression on each worker; gives values and exceptions, of none if some do not answer."""
    try:
        found: dict[str, Any] = client.run(eval, expression, on_error="return", callback_timeout=_PATIENCE)
    except (OSError, TimeoutError):
        return {}
    return found


def _not_importable(place: str, error: ImportError) -> RmsError:
    return RmsError(
        f"{place} cannot import {error.name}", hint="start it in an environment that has rms-jupyter and what it needs"
    )


def _files_of(jobs: list[Job]) -> dict[str, SentFile]:
    found = {path: existing(path) for job in jobs for path in job.watched}
    return {path: _sent(state) for path, state in found.items() if state is not None}


def _sent(found: os.stat_result) -> SentFile:
    return SentFile(found.st_size, found.st_mtime_ns, may_change=stat.S_ISDIR(found.st_mode))


def _not_here(written: dict[str, int], folders: dict[str, int], token: Path) -> set[str]:
    """Tell which of the files that a worker has written (their sizes, by path) this machine does not see."""
    same = dict(folders_of(written, token).items() & folders.items())  # Others may have written there since.
    expected = {path: _ANY if os.path.dirname(path) in same else size for path, size in written.items()}
    return missing_files({path: functools.partial(_has_size, size) for path, size in expected.items()})


def _has_size(size: int, found: os.stat_result) -> bool:
    return size in (_ANY, found.st_size) or stat.S_ISDIR(found.st_mode)


def _on_another_disk(paths: set[str]) -> RmsError:
    return RmsError(
        f"{', '.join(sorted(paths))} was written on the worker's disk, which this machine does not see",
        hint="write to a disk that is shared, or return the content",
    )
