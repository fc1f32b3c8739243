"""A real Dask cluster on the loopback: a scheduler and worker processes, also on a 'machine' without the store's disk."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path


class Dask:
    """A scheduler with workers.

    Parameters
    ----------
    logs : Path
        Where their output and their scratch files go.
    workers : int
    hidden : Path, optional
        A folder in which workers find nothing: another machine has no such disk.
    env : dict, optional
        Environment variables of the workers; those of the scheduler begin with ``DASK_``.
    nanny : bool
        Whether a worker that dies is started again.
    threads : int
        Of each worker.
    memory : str
        What each worker may use.
    """

    def __init__(
        self, logs: Path, workers=2, hidden: Path | None = None, env=None, nanny=False, threads=1, memory="auto"
    ) -> None:
        self._logs, self._hidden, self._env, self._nanny = logs, hidden, env or {}, nanny
        self._size = ["--nthreads", str(threads), "--memory-limit", memory]
        self._wanted = workers
        self.workers: list[subprocess.Popen] = []

    def __enter__(self) -> Dask:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        host, port = self.address.split(":")
        settings = {name: value for name, value in self._env.items() if name.startswith("DASK_")}
        options = ["--host", host, "--port", port, "--no-dashboard", "--dashboard-address", ":0"]
        self._scheduler = self._start("scheduler", ["distributed.cli.dask_scheduler", *options], settings)
        for number in range(self._wanted):
            self.add_worker(number)
        self._wait()
        return self

    def __exit__(self, *error: object) -> None:
        for process in (*self.workers, self._scheduler):
            process.terminate()
        for process in (*self.workers, self._scheduler):
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @property
    def is_whole(self) -> bool:
        """Whether all its processes are alive."""
        return all(process.poll() is None for process in (*self.workers, self._scheduler))

    def add_worker(self, number: int, env: dict[str, str] | None = None) -> None:
        """Start a worker."""
        options = [*self._size, "--no-dashboard", "--local-directory", str(self._logs / f"scratch{number}")]
        command = ["distributed.cli.dask_worker", f"tcp://{self.address}", *options]
        command.append("--nanny" if self._nanny else "--no-nanny")
        self.workers.append(self._start(f"worker{number}", command, env or self._env, self._hidden))

    def _start(self, name: str, module: list[str], env: dict[str, str], hidden: Path | None = None) -> subprocess.Popen:
        command = [sys.executable, "-m", *module]
        if hidden is not None:
            script = f"mount -t tmpfs none {shlex.quote(str(hidden))} && exec {shlex.join(command)}"
            command = ["unshare", "-m" if os.getuid() == 0 else "-rm", "sh", "-c", script]
        with open(self._logs / f"{name}.log", "w") as log:
            return subprocess.Popen(command, env={**os.environ, **env}, cwd="/", stdout=log, stderr=log)

    def _wait(self) -> None:
        from distributed import Client

        with Client(f"tcp://{self.address}", timeout=30, set_as_default=False) as client:
            until = time.monotonic() + 30
            while len(client.nthreads()) < self._wanted:
                assert time.monotonic() < until, self.log()
                time.sleep(0.05)

    def log(self) -> str:
        """What they all have said."""
        return "\n".join(f"== {path.name}\n{path.read_text()}" for path in sorted(self._logs.glob("*.log")))
