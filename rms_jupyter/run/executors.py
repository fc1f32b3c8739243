"""Where do tasks run?  Any `concurrent.futures.Executor`; by default joblib's processes."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

from rms_jupyter.errors import RmsError
from rms_jupyter.run.capacity import cores


def executor_for(n_jobs: int | None, executor: Any) -> tuple[Executor | None, int]:
    """Choose the executor (None: one task after the other in this process), and say how many tasks it runs at once.

    Parameters
    ----------
    n_jobs : int, optional
        Processes; all cores if None or -1.
    executor : Executor, optional
        One to use instead.

    Raises
    ------
    RmsError
        If it is not an executor, or `n_jobs` is not a number of processes.
    """
    if executor is not None:
        if not hasattr(executor, "submit"):
            raise RmsError(
                f"{type(executor).__name__} is not an executor",
                hint="pass a concurrent.futures.Executor, or leave it out",
            )
        workers = getattr(executor, "_max_workers", None) or n_jobs or cores()
        return executor, workers
    count = cores() if n_jobs is None or n_jobs == -1 else n_jobs
    if count < 1:
        raise RmsError(f"n_jobs is {n_jobs!r}", hint="give a number of processes, or -1 for all cores")
    if count == 1:
        return None, 1
    from joblib.executor import get_memmapping_executor

    return get_memmapping_executor(count), count
