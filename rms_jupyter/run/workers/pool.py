"""Who runs the batches of a plan?  An executor; what is sent to it, and what is done when its workers die."""

from __future__ import annotations

import itertools
import pickle
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from pathlib import Path

from rms_jupyter.errors import RmsError
from rms_jupyter.figures.styles import FigureSettings
from rms_jupyter.fingerprint.originals import NotDefinedHere, OriginalMark, class_of
from rms_jupyter.fingerprint.values import SCALARS
from rms_jupyter.interrupts import not_inherited
from rms_jupyter.model import Reference, ResourceRecord
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.call.demand import Demand
from rms_jupyter.run.call.handed_over import asides_of, known_paths, watched_paths
from rms_jupyter.run.call.surroundings import Prepared
from rms_jupyter.run.workers import child_process, threads
from rms_jupyter.run.workers.dask_executor import ClusterExecutor
from rms_jupyter.run.workers.kernel_state import kernel_state
from rms_jupyter.run.workers.machine import memory
from rms_jupyter.run.workers.threads import run_in_thread
from rms_jupyter.run.workers.wire import Batch, Job, NotShippable, encode, pack_arguments, pack_function
from rms_jupyter.run.workers.worker import run_alone, run_apart, run_batch
from rms_jupyter.store import content
from rms_jupyter.store.objects import Objects
from rms_jupyter.store.store import Store

Jobs = dict[int, Prepared]
_PATIENCE = 1.0  # Seconds.
_CHANGED_IN_PLACE = (list, dict, set, bytearray)
_numbers = itertools.count()
_tokens = itertools.count(-1, -1)  # Of all pools: several runs may go on at once.


class Pool:
    """Sends batches to an executor, and gives back what has ended.

    Parameters
    ----------
    store : Store
    executor : Executor or None
        None if only isolated tasks are sent, and all others run in this process.
    renew : callable, optional
        Gives another executor when this one is broken; without it, processes of the pool's own go on.
    workers : int
        How many batches run at once.
    """

    def __init__(
        self, store: Store, executor: Executor | None, workers: int, renew: Callable[[], Executor] | None = None
    ) -> None:
        self._store, self._executor, self._workers, self._renew = store, executor, workers, renew
        self._cluster = executor if isinstance(executor, ClusterExecutor) else None
        self._room = Demand(workers, memory())
        self._threads: ThreadPoolExecutor | None = None
        self._name = f"pool {next(_numbers)}"
        self._spooled: tempfile.TemporaryDirectory[str] | None = None
        self._spooled_names: dict[int, list[str]] = {}
        self._functions: dict[int, bytes] = {}
        self._classes: dict[type, bytes] = {}
        self._in_flight: dict[Future[bytes], tuple[int, Jobs]] = {}
        self._first: Future[int] | None = None  # What our workers do first, while they start.

    @property
    def running(self) -> int:
        """How many batches run."""
        return len(self._in_flight)

    @property
    def is_starting(self) -> bool:
        """Whether no worker of ours is there yet."""
        return self._first is not None and not self._first.done()

    @property
    def is_here(self) -> bool:
        """Whether tasks run in this process, but for isolated ones."""
        return self._executor is None

    @property
    def room(self) -> Demand:
        """Cores and memory for tasks; that of a cluster changes while workers come and go."""
        return self._room if self._cluster is None else self._cluster.capacity

    def pack(self, number: int, definition: Definition, prepared: Prepared) -> Job:
        """Describe a task for a worker.

        Raises
        ------
        NotShippable
            If its function or an argument cannot travel.
        """
        call = prepared.call
        self._function(definition)
        args, kwargs = definition.binder.call_arguments(call.values)
        if call.is_plain:
            return Job(number, call.key, pickle.dumps((args, kwargs)), declared=prepared.declared)
        if call.inputs.wrapped or not SCALARS.issuperset(map(type, call.values)):
            arguments = pack_arguments(args, kwargs, self._store.has, self._spool, self._define)
        else:
            arguments = pickle.dumps((args, kwargs))
        asides, watched = asides_of(call, definition), watched_paths(call)
        held = [name for name, value in call.globals.items() if type(value) in _CHANGED_IN_PLACE]
        return Job(number, call.key, arguments, watched, prepared.declared, asides, known_paths(call), held)

    def send(
        self, definition: Definition, travelling: Sequence[Job], jobs: Jobs, alone: bool, figures: FigureSettings
    ) -> None:
        """Let a worker run tasks of one pipe; `alone`: one task, in a process of its own."""
        token = next(_tokens)
        notes = b"\n".join(prepared.writing.note() for prepared in jobs.values())
        self._store.running.start(self._store.writer, token, notes)
        contract, objects = definition.contract, str(self._store.layout.objects)
        function = self._function(definition)
        batch = Batch(function, list(travelling), objects, kernel_state(), definition.volatile, contract.allow_empty)
        batch.is_trusted = self._store.is_trusted
        batch.cores, batch.memory = contract.cores, contract.memory
        batch.pipe, batch.figures = definition.name, figures
        batch.classes = list(self._classes.values())
        alone = alone or definition.is_isolated
        try:
            data = encode(batch)
            future = self._submit_alone(data, contract.timeout) if alone else self._submit(data)
        except BaseException:
            self._in_flight[Future()] = token, jobs
            raise
        self._in_flight[future] = token, jobs

    def define(self, mark: OriginalMark) -> None:
        """Send a class of the notebook along with all batches from now on.

        Raises
        ------
        NotShippable
            If it cannot be sent, or is not defined here either.
        """
        try:
            self._define(class_of(mark))
        except NotDefinedHere as error:
            raise NotShippable(str(error)) from error

    def ended(self, timeout: float | None) -> list[tuple[Jobs, bytes | BaseException]]:
        """Wait for batches; gives what came of each: a packed list of `Result`, or how its worker was lost."""
        done = wait(self._in_flight, timeout, FIRST_COMPLETED).done
        return [self._take(future) for future in done]

    def stop(self) -> Jobs:
        """Stop what runs; gives the tasks that were stopped."""
        stopped = {number: prepared for _, jobs in self._in_flight.values() for number, prepared in jobs.items()}
        if self._in_flight and hasattr(self._executor, "terminate"):
            self._wait_for_loky()
            self._executor.terminate(kill_workers=True)  # type: ignore[union-attr]
        for future in self._in_flight:
            future.cancel()
        if self._in_flight:
            threads.stop(self)
            self._end_children()
        for token, _ in self._in_flight.values():
            self._store.running.lose(token)
        self._in_flight.clear()
        return stopped

    def _wait_for_loky(self) -> None:
        """Wait until loky has taken up what was sent: ended before, its thread dies, and workers live on."""
        until = time.monotonic() + _PATIENCE
        while not all(future.running() or future.done() for future in self._in_flight) and time.monotonic() < until:
            time.sleep(0.001)

    def close(self) -> None:
        """Let go of what was started here."""
        self._end_children()
        if self._threads is not None:
            self._threads.shutdown()
        if self._spooled is not None:
            self._spooled.cleanup()

    def _end_children(self) -> None:
        child_process.end(self._name)
        if self._cluster is not None:
            self._cluster.shutdown()

    def _submit(self, data: bytes) -> Future[bytes]:
        assert self._executor is not None
        try:
            if isinstance(self._executor, ThreadPoolExecutor):
                return self._executor.submit(run_in_thread, data, self)
            if self._renew is None:
                return self._executor.submit(run_batch, data)
            with not_inherited():
                self._first = self._first or self._executor.submit(int)
                return self._executor.submit(run_batch, data)
        except Exception:
            if self._renew is None:
                return self._own_threads().submit(run_apart, data, 0.0, self._name)
            self._executor = self._renew()
            with not_inherited():
                return self._executor.submit(run_batch, data)

    def _submit_alone(self, data: bytes, timeout: float) -> Future[bytes]:
        """Let a thread of ours wait for a process of the task's own; on a cluster, a worker waits for it there."""
        return (self._cluster or self._own_threads()).submit(run_alone, data, timeout, self._name)

    def _spool(self, reference: Reference) -> tuple[ResourceRecord, str]:
        """Keep a volatile value for the time of the run, where workers share it; see `pack_arguments`."""
        self._spooled = self._spooled or tempfile.TemporaryDirectory(prefix="rms-run-")
        objects, ref = Objects(Path(self._spooled.name)), reference._rms_ref()
        try:
            kept = content.keep(reference._rms_input(), ref.digest, objects)
        except (content.Unpicklable, RmsError) as error:
            raise NotShippable(f"an argument is not kept in the store ({error})") from error
        self._spooled_names[ref.id] = content.object_names(kept)
        return kept, self._spooled.name

    def forget(self, idents: Iterable[int]) -> None:
        """Remove volatile values, by the ids of the resources, that no task of the run needs any more."""
        for ident in idents:
            for name in self._spooled_names.pop(ident, ()):
                assert self._spooled is not None
                Objects(Path(self._spooled.name)).remove(name)

    def _define(self, cls: type) -> None:
        if cls not in self._classes:
            self._classes[cls] = pack_function(cls)

    def _own_threads(self) -> ThreadPoolExecutor:
        self._threads = self._threads or ThreadPoolExecutor(self._workers, "rms-pool")
        return self._threads

    def _take(self, future: Future[bytes]) -> tuple[Jobs, bytes | BaseException]:
        token, jobs = self._in_flight.pop(future)
        try:
            outcome = future.result()
        except BaseException as error:
            self._store.running.lose(token)
            return jobs, error
        self._store.running.end(token)
        return jobs, outcome

    def _function(self, definition: Definition) -> bytes:
        data = self._functions.get(id(definition))
        if data is None:
            data = self._functions[id(definition)] = pack_function(definition.function)
        return data
