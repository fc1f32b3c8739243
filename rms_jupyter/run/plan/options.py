"""How is a draft to be run?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from rms_jupyter.run.plan.progress import Watch


@dataclass(frozen=True)
class RunOptions:
    """How a draft is run.

    Attributes
    ----------
    n_jobs : int, optional
        Processes; all cores by default, 1 runs in this process.
    executor : str, concurrent.futures.Executor, distributed.Client or Dask cluster, optional
        Where to run instead; see `run.workers.executors`.
    stop_on_error : bool
        Start nothing new after the first failure.
    watch : callable, optional
        Gets snapshots of the progress.
    wanted : collection of int, optional
        Only these tasks take part; all, and those that are added, if not given.
    pruned : mapping of int to str
        These do not, nor what depends on them, and why.
    """

    n_jobs: int | None = None
    executor: Any = None
    stop_on_error: bool = False
    watch: Watch | None = None
    wanted: Collection[int] | None = None
    pruned: Mapping[int, str] = field(default_factory=dict)
