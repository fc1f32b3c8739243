"""How is a task stopped that runs in a thread of this process?"""

from __future__ import annotations

import threading

from rms_jupyter.interrupts import begin_thread, end_thread, interrupt
from rms_jupyter.run.workers.worker import run_batch

_running: dict[int, object] = {}
_lock = threading.Lock()


class stoppable:
    """Let the owner `stop` what runs in a ``with`` block."""

    __slots__ = ("_owner", "_thread")

    def __init__(self, owner: object) -> None:
        self._owner, self._thread = owner, threading.get_ident()

    def __enter__(self) -> None:
        begin_thread()
        with _lock:
            _running[self._thread] = self._owner

    def __exit__(self, *error: object) -> None:
        with _lock:
            _running.pop(self._thread, None)
        end_thread()


def stop(owner: object) -> None:
    """Raise KeyboardInterrupt in the threads that run something for an owner."""
    with _lock:
        for thread in [thread for thread, own in _running.items() if own is owner]:
            del _running[thread]
            interrupt(thread)


def run_in_thread(data: bytes, owner: object) -> bytes:
    """Run a batch (see `run_batch`) in the thread that calls."""
    with stoppable(owner):
        return run_batch(data)
