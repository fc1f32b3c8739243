"""Where goes what a task writes below Python: C libraries, and commands that it starts?

In a process that runs one task at a time and nothing else (a worker), the file descriptors 1 and 2 go to a temporary
file, and what Python prints goes there too, so that all is in order. What a C library holds back in a buffer of its own
comes when the task ends. In the kernel, and in workers that run several tasks in threads, the descriptors are left
alone: there, text is kept that goes through `sys.stdout` and `sys.stderr`.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator

_BLOCK = 1 << 20
_TO_START_ONE = 0.0001  # Seconds; a command takes several times as long to start.
_CONTINUATION = bytes(range(0x80, 0xC0))


def _nobody(file: int) -> None:
    """Tell nobody of a file."""


class Spool:
    """The descriptors 1 and 2, going to a file.

    Parameters
    ----------
    file : int
        The file's descriptor, if 1 and 2 go to one already.
    tell : callable
        Told the descriptor of each other file, before anything goes there; may raise `OSError`: then it is not begun.
    """

    def __init__(self, file: int = -1, tell: Callable[[int], object] = _nobody) -> None:
        self._file, self._tell, self._asked = file, tell, 0.0
        self._flush_c = ctypes.CDLL(None).fflush
        self._saved = (os.dup(1), os.dup(2))
        self._flush()
        if file < 0:
            self._renew()

    def write(self, text: str) -> None:
        """Put text behind what is there."""
        data = memoryview(text.encode("utf-8", "backslashreplace"))
        while data:
            data = data[os.write(self._file, data) :]

    def take(self, most: int) -> tuple[str, int]:
        """Give what was written since the last time: the text up to a number of characters, and how many came after."""
        size = self.size()
        text, total = self._read(size, most) if size else ("", 0)
        if not (self._may_have_children() and _has_children() and self._renew()) and size:
            os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)
        return text, total - len(text)

    def _may_have_children(self) -> bool:
        """Tell whether enough time has passed since the last question for a process to have been started."""
        now = time.perf_counter()
        is_due = now - self._asked > _TO_START_ONE
        if is_due:
            self._asked = now
        return is_due

    def look(self, start: int, end: int) -> bytes:
        """Give the bytes from one place to another, as far as they are there."""
        return os.pread(self._file, max(0, end - start), start)

    def size(self) -> int:
        """Return how many bytes were written so far."""
        self._flush()
        return os.lseek(self._file, 0, os.SEEK_END)

    def close(self) -> None:
        """Let the descriptors go where they went before."""
        self._flush()
        for number, saved in enumerate(self._saved, 1):
            os.dup2(saved, number)
            os.close(saved)
        os.close(self._file)

    def _renew(self) -> bool:
        """Begin another file, if it can be told: commands that a task has left running go on writing to the old one."""
        file, path = tempfile.mkstemp(prefix="rms-")
        os.unlink(path)
        try:
            self._tell(file)
        except OSError:
            os.close(file)
            return False
        if self._file >= 0:
            os.close(self._file)
        os.dup2(file, 1)
        os.dup2(file, 2)
        self._file = file
        return True

    def _flush(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            try:  # noqa: SIM105 - Each task pays for this.
                stream.flush()
            except (OSError, ValueError, AttributeError):  # Closed, or put in its place by a task.
                pass
        self._flush_c(None)

    def _read(self, size: int, most: int) -> tuple[str, int]:
        text = os.pread(self._file, 4 * most, 0).decode("utf-8", "replace")
        if len(text) <= most and size <= 4 * most:
            return text, len(text)
        blocks = (os.pread(self._file, _BLOCK, start) for start in range(0, size, _BLOCK))
        return text[:most], sum(len(block.translate(None, _CONTINUATION)) for block in blocks)


current: Spool | None = None


def is_worker() -> bool:
    """Tell whether this is a process of an executor."""
    return multiprocessing.parent_process() is not None


def is_apart() -> bool:
    """Whether this process only runs tasks: one of an executor, or an isolated one."""
    return is_worker() or current is not None


@contextlib.contextmanager
def spooled() -> Iterator[None]:
    """Spool the tasks that run in a block, where this process is a worker that runs one at a time."""
    global current
    if current is not None or not is_worker() or threading.current_thread() is not threading.main_thread():
        yield
        return
    current = Spool()
    try:
        yield
    finally:
        current.close()
        current = None


def spool_from_now_on(tell: Callable[[int], object]) -> None:
    """Spool all tasks of this process, whose descriptors 1 and 2 go to a file already; `tell`: see `Spool`."""
    global current
    current = Spool(os.dup(1), tell)


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
