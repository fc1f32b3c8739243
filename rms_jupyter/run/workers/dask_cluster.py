"""Which workers does a Dask cluster have, and which can come?"""

from __future__ import annotations

import contextlib
import math
import time
import warnings
from typing import Any

from rms_jupyter.errors import RmsError, RmsWarning
from rms_jupyter.run.call.demand import Demand

RETURN = 60.0  # Seconds until a cluster that has lost all its workers is given up; for the first one waits in a queue.
_ENDED = {"closing", "closing_gracefully", "closed", "stopping", "stopped", "failed"}
_TIMES = 5  # That the workers of one run are started again.


class ClusterWorkers:
    """The workers of a cluster, for the time of one run.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Any) -> None:
        self._client, self._seen, self._times = client, time.monotonic(), 0

    def capacity(self) -> Demand:
        """Add up cores and memory of all, those asked for included.

        Raises
        ------
        RmsError
            If all are gone, and none can be expected.
        """
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        if workers:
            self._seen = time.monotonic()
        else:
            self._await_some(self._client.cluster)
        cores = sum(worker["nthreads"] for worker in workers)
        limits = [worker["memory_limit"] for worker in workers]
        most = max(cores, _asked_for(self._client.cluster))
        memory = sum(limits) * most // cores if all(limits) and cores else 0
        return Demand(most, memory)

    def _await_some(self, cluster: Any) -> None:
        """Have those that a cluster object has lost started again: it does not do so by itself."""
        lost = _lost_by(cluster)
        self._times += bool(lost)
        are_waited_for = getattr(cluster, "_adaptive", None) or len(getattr(cluster, "workers", ())) > len(lost)
        may_come = lost or are_waited_for or time.monotonic() - self._seen < RETURN
        if self._times > _TIMES or not may_come:
            raise RmsError(
                f"all workers at {self._client.scheduler.address} have ended",
                hint="start some, and run again: a new cluster, or: dask worker ADDRESS",
            )
        _start_again(cluster, lost)


def _lost_by(cluster: Any) -> list[Any]:
    """Name the workers that a cluster object was asked for and that have ended."""
    workers = getattr(cluster, "workers", {})
    wanted = {name: workers.get(name) for name in getattr(cluster, "worker_spec", ())}
    return [name for name, worker in wanted.items() if getattr(getattr(worker, "status", None), "name", "") in _ENDED]


def _start_again(cluster: Any, lost: list[Any]) -> None:
    from distributed import SpecCluster

    if lost:
        were = "a worker of the cluster had" if len(lost) == 1 else f"{len(lost)} workers of the cluster had"
        why = "Ctrl-C in a terminal ends those started there, too"
        warnings.warn(f"{were} ended ({why}): started again", RmsWarning, stacklevel=2)
    for name in lost:
        cluster.loop.add_callback(_end, cluster.workers.pop(name))
    if isinstance(cluster, SpecCluster) and cluster.worker_spec.keys() - cluster.workers.keys():
        SpecCluster.scale(cluster, len(cluster.worker_spec))


async def _end(worker: Any) -> None:
    """End what is about to end: a cluster that is closed meanwhile takes it for a fault."""
    with contextlib.suppress(Exception):
        await worker.close()


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
