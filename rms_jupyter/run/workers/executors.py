"""Where do tasks run?

===================================  =============================================================================
``plan.run(executor=...)``,          what it is
``%%rms run --on ...``
===================================  =============================================================================
``loky`` (or nothing)                processes on this machine, as many as ``n_jobs``; all cores by default
``threads``                          threads of this process: for functions that wait, or that release the lock
``serial``                           one task after the other, in this process
``dask://host:port``                 the workers of the Dask scheduler there
a ``distributed.Client``             its workers
a Dask cluster                       its workers; ``dask_jobqueue.SLURMCluster(...)`` has them on SLURM
a ``concurrent.futures.Executor``    whatever it does
===================================  =============================================================================

Behind ``--on`` the last three are names of variables. Of Dask's workers, see `run.workers.dask_executor`.
"""

from __future__ import annotations

import random
import signal
import sys
import threading
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from rms_jupyter.errors import RmsError
from rms_jupyter.interrupts import hold, let_go
from rms_jupyter.run.workers.machine import cores
from rms_jupyter.working_folder import working_folder

LOKY = "loky"
NAMES = (LOKY, "threads", "serial")
DASK = "dask://"
_CONNECT = "10s"
_JOBQUEUE = "dask_jobqueue.runner"
_DRAWING = ("distributed.comm.core", "distributed.scheduler", "distributed.utils_comm")

_clients: dict[str, Any] = {}


def executor_for(n_jobs: int | None, executor: Any) -> tuple[Executor | None, int]:
    """Choose the executor (None: one task after the other in this process), and say how many tasks it runs at once.

    Parameters
    ----------
    n_jobs : int, optional
        Processes or threads on this machine; all cores if None or -1.
    executor : str, Executor, distributed.Client or Dask cluster, optional
        Where to run instead; see above.

    Raises
    ------
    RmsError
        If it is none of these, it has no workers, or `n_jobs` is not a number of processes.

    Examples
    --------
    >>> executor_for(4, "serial")
    (None, 1)
    >>> executor_for(4, "threads")[1]
    4
    """
    _take_interrupts_back()
    if isinstance(executor, str):
        if not is_name(executor):
            raise RmsError(
                f"there is no executor named {executor!r}", hint=f"use one of {', '.join(NAMES)}, dask://HOST:PORT"
            )
        if executor.startswith(DASK):
            return _on_dask(_client_at(executor.removeprefix(DASK)))
        return _here(1 if executor == "serial" else _count(n_jobs), threads=executor == "threads")
    if executor is None:
        return _here(_count(n_jobs))
    if "distributed" in sys.modules and (found := _dask(executor)):
        return _on_dask(*found)
    if not isinstance(executor, Executor) and not hasattr(executor, "submit"):
        raise RmsError(
            f"{type(executor).__name__} is not an executor",
            hint="pass a concurrent.futures.Executor, a Dask Client or cluster, a name, or leave it out",
        )
    return executor, getattr(executor, "_max_workers", None) or n_jobs or cores()


def _take_interrupts_back() -> None:
    """Let an interrupt be a KeyboardInterrupt again, where importing dask_jobqueue has made a SystemExit of it.

    Its module for processes that MPI or ``srun`` starts lets SIGINT end them, and every import of the package loads it.
    What was there before is not known: it is Python's own handler, unless somebody has set another.
    """
    holds = let_go()  # So that the user's handler is in place.
    try:
        handler = signal.getsignal(signal.SIGINT)
        if getattr(handler, "__module__", "") == _JOBQUEUE and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.default_int_handler)
    finally:
        if holds:
            hold()


def _leave_random_numbers() -> None:
    """Let Dask, which draws in a thread of its own whenever it connects or gathers, draw from a generator of its own.

    Else the numbers that a notebook has seeded would depend on where, and when, a plan is run.
    """
    for name in _DRAWING:
        module = sys.modules.get(name)
        if getattr(module, "random", None) is random:
            vars(module)["random"] = random.Random()


def is_name(text: str) -> bool:
    """Tell whether a text names an executor by itself."""
    return text in NAMES or text.startswith(DASK)


def _count(n_jobs: int | None) -> int:
    count = cores() if n_jobs is None or n_jobs == -1 else n_jobs
    if count < 1:
        raise RmsError(f"n_jobs is {n_jobs!r}", hint="give a number of processes, or -1 for all cores")
    return count


def _here(count: int, threads: bool = False) -> tuple[Executor | None, int]:
    if threads:
        return ThreadPoolExecutor(count, "rms"), count
    if count == 1:
        return None, 1
    if not working_folder():
        raise RmsError("no worker can start: the working directory is gone", hint="go elsewhere: %cd; or n_jobs=1")
    from joblib.executor import get_memmapping_executor

    return get_memmapping_executor(count), count


def _dask(executor: Any) -> tuple[Any, Any] | None:
    """Give the client that something of Dask's stands for, and its executor if it is one; None for all else."""
    from distributed import Client
    from distributed.cfexecutor import ClientExecutor
    from distributed.deploy import Cluster

    if isinstance(executor, Client):
        return executor, None
    if isinstance(executor, ClientExecutor):
        return executor._client, executor
    if isinstance(executor, Cluster):
        return _client(executor.scheduler_address, executor), None
    return None


def _on_dask(client: Any, inner: Any = None) -> tuple[Executor, int]:
    from rms_jupyter.run.workers.dask_executor import ClusterExecutor

    if client.asynchronous or client.status != "running":
        state = "asynchronous" if client.asynchronous else client.status
        raise RmsError(f"the Dask client is {state}", hint="make a new one: Client(ADDRESS), or Client(cluster)")
    _leave_random_numbers()
    executor = ClusterExecutor(client, inner)
    return executor, executor.capacity.cores


def _client_at(address: str) -> Any:
    try:
        return _client(f"tcp://{address}", f"tcp://{address}")
    except ImportError as error:
        raise RmsError(f"{DASK}{address} needs {error.name}", hint="pip install 'rms-jupyter[cluster]'") from error
    except (OSError, ValueError) as error:
        raise RmsError(
            f"no Dask scheduler answers at {address}", hint="check host and port; start one: dask scheduler"
        ) from error


def _client(address: str, target: Any) -> Any:
    """Connect to a scheduler, once for as long as the connection lives.

    A client that is of no use is closed here. Left to the garbage collector, it would close itself wherever that runs,
    which may be the thread that starts the next client's loop: both wait for one lock of Dask's then.
    """
    from distributed import Client

    _leave_random_numbers()
    client = _clients.get(address)
    if client is not None:
        if client.status == "running":
            return client
        client.close()
    client = Client.__new__(Client)
    try:
        client.__init__(target, timeout=_CONNECT, set_as_default=False)
    except BaseException:
        if client.status == "connecting":  # Before that there is nothing to close.
            client.close()
        raise
    _clients[address] = client
    return client
