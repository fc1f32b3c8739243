"""Who runs what a view has put into the queue?  ``rms work``, as a process beside the kernel, which it ends with."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from rms_jupyter.run.workers.program import ended_with_us

_FAREWELL = 10.0  # Seconds that it may take to stop what it runs.


class QueueWorker:
    """Works the queue of a store until it is empty; it can be begun again.

    Parameters
    ----------
    store, folder : Path
        The store, and where the process works.
    """

    def __init__(self, store: Path, folder: Path) -> None:
        self._store, self._folder = store, folder
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = ExitStack()

    @property
    def is_running(self) -> bool:
        """Whether it works now."""
        return self._process is not None and self._process.poll() is None

    def begin(self) -> None:
        """Work, if it does not."""
        if self.is_running:
            return
        self._ending.close()
        words = [sys.executable, "-m", "rms_jupyter", "work", "--until-empty", "--store", str(self._store)]
        nothing = subprocess.DEVNULL
        self._process = subprocess.Popen(
            words, cwd=self._folder, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
        )
        self._ending.enter_context(ended_with_us(self._process.pid))

    def stop(self) -> None:
        """Stop what it runs, which waits again, and end."""
        if self._process is not None and self.is_running:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(_FAREWELL)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._ending.close()
