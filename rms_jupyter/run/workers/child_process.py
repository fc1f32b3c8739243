"""How does a task run in a process of its own, that can be stopped, and whose death harms nobody?

A child is started on first use and runs one batch after the other, so that only the first pays for its start. It runs
those of one owner (a run), and ends with it, or with the process that started it. What it prints goes to a file until
its result is there: if it dies, that is what is left of it.
"""

from __future__ import annotations

import atexit
import contextlib
import math
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import IO, NamedTuple

from rms_jupyter.run.workers.offspring import kill_with_offspring, killed_by

OWN_PATH = "RMS_OWN_PYTHONPATH"  # What PYTHONPATH is here, for what tasks start there.
_LENGTH = struct.Struct("<Q")
_MOST_TEXT = 100_000
_GETTING_READY = 60.0  # Seconds that a child may take to start, and to import what a task needs.
_FAREWELL = 2.0  # Seconds that a child has to end in.
_LOOK_EVERY = 0.5  # Seconds until it is noticed that nobody wants what a child is doing.


def _always() -> bool:
    return True


class Died(NamedTuple):
    """How a child came to its end: what to say of it, whether it ran out of time, and what it had printed."""

    message: str
    timed_out: bool
    printed: str
    seconds: float


class Child:
    """A process that runs batches of one owner."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        from_us, to_child = os.pipe()
        from_child, to_us = os.pipe()
        self._logs, logs = socket.socketpair()
        self._logs.setblocking(False)
        theirs = from_us, to_us, logs.fileno()
        path = os.pathsep.join(filter(None, sys.path))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rms_jupyter.run.workers.child_main", *map(str, theirs)],
            pass_fds=theirs,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, "PYTHONPATH": path, OWN_PATH: os.environ.get("PYTHONPATH", "")},
            start_new_session=True,
        )
        os.close(from_us)
        os.close(to_us)
        logs.close()
        self._requests: IO[bytes] = os.fdopen(to_child, "wb")
        self._replies = from_child

    def run(self, data: bytes, timeout: float = 0.0, is_wanted: Callable[[], bool] = _always) -> bytes | Died:
        """Run a packed batch; see `run_isolated`.

        Whatever interrupts the wait stops the child.
        """
        began, timeout = time.monotonic(), timeout or math.inf
        try:
            with contextlib.suppress(BrokenPipeError):
                self._requests.write(_LENGTH.pack(len(data)) + data)
                self._requests.flush()
            reply = self._reply(began + _GETTING_READY + timeout, is_wanted)
            if reply == b"":  # It is ready: the task begins.
                began = time.monotonic()
                reply = self._reply(began + timeout, is_wanted)
        except BaseException:
            self.kill()
            raise
        seconds = time.monotonic() - began
        if isinstance(reply, bytes):
            self._follow()
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
            kill_with_offspring(self._process.pid)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)  # What is left of its group, which bears its number.

    def kill(self) -> None:
        """Kill the child, and let go of it."""
        self.signal()
        self._process.wait()
        self.close()

    def await_end(self) -> None:
        """Wait until the child, which has been told to, has ended."""
        try:
            self._process.wait(_FAREWELL)
        except subprocess.TimeoutExpired:
            self.signal()
            self._process.wait()

    def close(self) -> None:
        """Let the child end."""
        with contextlib.suppress(OSError):
            self._requests.close()
        if self._replies >= 0:
            os.close(self._replies)
            self._replies = -1
        self._log.close()
        self._logs.close()

    def _follow(self) -> None:
        """Take over the file that the child prints to by now."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while files := socket.recv_fds(self._logs, 1, 1)[1]:
                self._log.close()
                self._log = os.fdopen(files[0], "r+b")

    def _reply(self, until: float, is_wanted: Callable[[], bool]) -> bytes | type[Exception]:
        while not select.select([self._replies], [], [], max(0.0, min(until - time.monotonic(), _LOOK_EVERY)))[0]:
            if time.monotonic() > until:
                return TimeoutError
            if not is_wanted():
                return EOFError
        head = self._read(_LENGTH.size)
        return head if not isinstance(head, bytes) else self._read(_LENGTH.unpack(head)[0])

    def _read(self, size: int) -> bytes | type[Exception]:
        parts = bytearray()
        while len(parts) < size:
            part = os.read(self._replies, min(1 << 20, size - len(parts)))
            if not part:
                return EOFError
            parts += part
        return bytes(parts)

    def _end(self) -> str:
        code = self._process.returncode
        if code is None or code >= 0:
            return f"its process exited with code {code}"
        return f"its process {killed_by(-code)}"

    def _printed(self) -> str:
        self._follow()
        self._log.seek(0)
        return self._log.read()[-_MOST_TEXT:].decode("utf-8", "replace")


_idle: list[Child] = []
_busy: set[Child] = set()
_ended: set[str] = set()
_lock = threading.Lock()


def run_isolated(
    data: bytes, timeout: float = 0.0, owner: str = "", is_wanted: Callable[[], bool] = _always
) -> bytes | Died:
    """Run a packed batch in a process of its own, and wait for it.

    Parameters
    ----------
    data : bytes
        See `worker.run_batch`.
    timeout : float
        Seconds; 0 for none.
    owner : str
        Whose it is, see `end`.
    is_wanted : callable
        Asked now and then; the batch is stopped when it says no.

    Raises
    ------
    InterruptedError
        If the owner has ended.
    """
    child = _take(owner)
    try:
        result = child.run(data, timeout, is_wanted)
    finally:
        with _lock:
            _busy.discard(child)
    if isinstance(result, bytes):
        with _lock:
            _idle.append(child)
        if owner in _ended:
            end(owner)
    return result


def _take(owner: str) -> Child:
    with _lock:
        if owner in _ended:
            raise InterruptedError(f"{owner} has ended")
        child = next((child for child in _idle if child.owner == owner), None)
        if child is None:
            child = Child(owner)
        else:
            _idle.remove(child)
        _busy.add(child)
        return child


def end(owner: str) -> None:
    """Stop what runs for an owner, and begin nothing more for it.

    Whoever waits for it hears that it was killed.
    """
    with _lock:
        _ended.add(owner)
        children = [child for child in (*_busy, *_idle) if child.owner == owner]
        for child in children:
            if child in _busy:
                child.signal()
            else:
                _idle.remove(child)
                child.close()
    for child in children:
        child.await_end()


@atexit.register
def _end_all() -> None:
    for owner in {child.owner for child in (*_idle, *_busy)}:
        end(owner)
