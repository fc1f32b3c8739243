"""How is a task stopped that runs in a thread of this process?

In the main thread as Ctrl-C does, which ends a sleep too. In another one, Python raises the exception: a task that
waits in a library is stopped when that comes back.
"""

from __future__ import annotations

import ctypes
import signal
import threading

from rms_jupyter.run.worker import run_batch

_running: dict[int, object] = {}
_lock = threading.Lock()


class stoppable:
    """Let the owner `stop` what runs in a ``with`` block."""

    __slots__ = ("_owner", "_thread")

    def __init__(self, owner: object) -> None:
        self._owner, self._thread = owner, threading.get_ident()

    def __enter__(self) -> None:
        with _lock:
            _running[self._thread] = self._owner

    def __exit__(self, *error: object) -> None:
        with _lock:
            _running.pop(self._thread, None)


def stop(owner: object) -> None:
    """Raise KeyboardInterrupt in the threads that run something for an owner."""
    with _lock:
        for thread in [thread for thread, own in _running.items() if own is owner]:
            del _running[thread]
            if thread == threading.main_thread().ident and hasattr(signal, "pthread_kill"):
                signal.pthread_kill(thread, signal.SIGINT)
            else:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(KeyboardInterrupt))


def run_in_thread(data: bytes, owner: object) -> bytes:
    """Run a batch (see `run_batch`) in the thread that calls."""
    with stoppable(owner):
        return run_batch(data)
