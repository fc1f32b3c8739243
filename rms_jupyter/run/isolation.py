"""How does a task run in a process of its own, that can be stopped, and whose death harms nobody?

A child is started on first use and runs one batch after the other, so that only the first pays for its start. It ends
with the process that started it. What it prints goes to a file until its result is there: if it dies, that is what is
left of it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from typing import IO, NamedTuple

_LENGTH = struct.Struct("<Q")
_MOST_TEXT = 100_000


class Died(NamedTuple):
    """How a child came to its end: what to say of it, whether it ran out of time, and what it had printed."""

    message: str
    timed_out: bool
    printed: str
    seconds: float


class Child:
    """A process that runs batches."""

    def __init__(self) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        from_us, to_child = os.pipe()
        from_child, to_us = os.pipe()
        path = os.pathsep.join(filter(None, sys.path))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rms_jupyter.run.child", str(from_us), str(to_us)],
            pass_fds=(from_us, to_us),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
        )
        os.close(from_us)
        os.close(to_us)
        self._requests: IO[bytes] = os.fdopen(to_child, "wb")
        self._replies = from_child

    def run(self, data: bytes, timeout: float = 0.0) -> bytes | Died:
        """Run a packed batch (see `worker.run_batch`); waits at most `timeout` seconds for it if that is not 0.

        Whatever interrupts the wait stops the child.
        """
        began = time.monotonic()
        try:
            with contextlib.suppress(BrokenPipeError):
                self._requests.write(_LENGTH.pack(len(data)) + data)
                self._requests.flush()
            reply = self._reply(began + timeout if timeout else None)
        except BaseException:
            self.kill()
            raise
        seconds = time.monotonic() - began
        if isinstance(reply, bytes):
            self._log.seek(0)
            self._log.truncate()
            return reply
        self.signal()
        self._process.wait()
        text = f"took longer than its timeout of {timeout:g} s" if reply is TimeoutError else self._end()
        died = Died(text, reply is TimeoutError, self._printed(), seconds)
        self.close()
        return died

    def signal(self) -> None:
        """Kill the child and all it has started."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """Kill the child, and let go of it."""
        self.signal()
        self._process.wait()
        self.close()

    def close(self) -> None:
        """Let the child end."""
        with contextlib.suppress(OSError):
            self._requests.close()
        if self._replies >= 0:
            os.close(self._replies)
            self._replies = -1
        self._log.close()

    def _reply(self, until: float | None) -> bytes | type[Exception]:
        head = self._read(_LENGTH.size, until)
        if not isinstance(head, bytes):
            return head
        return self._read(_LENGTH.unpack(head)[0], until)

    def _read(self, size: int, until: float | None) -> bytes | type[Exception]:
        parts = bytearray()
        while len(parts) < size:
            left = None if until is None else max(0.0, until - time.monotonic())
            if not select.select([self._replies], [], [], left)[0]:
                return TimeoutError
            part = os.read(self._replies, min(1 << 20, size - len(parts)))
            if not part:
                return EOFError
            parts += part
        return bytes(parts)

    def _end(self) -> str:
        code = self._process.returncode
        if code is None or code >= 0:
            return f"its process exited with code {code}"
        return f"its process was killed by {signal.Signals(-code).name}"

    def _printed(self) -> str:
        self._log.seek(0)
        return self._log.read()[-_MOST_TEXT:].decode("utf-8", "replace")


_idle: list[Child] = []
_busy: dict[Child, str] = {}
_lock = threading.Lock()


def run_isolated(data: bytes, timeout: float = 0.0, owner: str = "") -> bytes | Died:
    """Run a packed batch in a process of its own, and wait for it.

    Parameters
    ----------
    data : bytes
        See `worker.run_batch`.
    timeout : float
        Seconds; 0 for none.
    owner : str
        Who can stop it, see `kill_busy`.
    """
    with _lock:
        child = _idle.pop() if _idle else None
    child = child or Child()
    _busy[child] = owner
    try:
        result = child.run(data, timeout)
    finally:
        del _busy[child]
    if isinstance(result, bytes):
        with _lock:
            _idle.append(child)
    return result


def kill_busy(owner: str) -> None:
    """Stop the children that run something for an owner: whoever waits for them hears that they were killed."""
    for child, own in list(_busy.items()):
        if own == owner:
            child.signal()


@atexit.register
def close_idle() -> None:
    """Let the children end that wait for work."""
    with _lock:
        children, _idle[:] = list(_idle), []
    for child in children:
        child.close()
        child._process.wait()
