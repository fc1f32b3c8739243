"""Who computes a key that several kernels want at once?

The one that holds the byte ``key mod 2**62`` of the file ``claims`` locked. The lock is an open-file-description
lock, so it dies with its holder and threads of one process are told apart by a table of their own. Where a platform
has none, POSIX locks serve: the file is opened only once by each process.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rms_jupyter import interrupts
from rms_jupyter.store.modes import open_file

_FLOCK = struct.Struct("hhqqi4x")
_HAS_OFD = hasattr(fcntl, "F_OFD_SETLK")
_PLACES = (1 << 62) - 1
_PAUSE = 0.002
LONG_WAIT = 5.0  # Seconds after which it is said who is waited for.
_BUSY = (errno.EAGAIN, errno.EACCES)


class Claims:
    """Byte-range locks on one file.

    Parameters
    ----------
    path : Path
        The file, made on first use.

    Attributes
    ----------
    on_long_wait : callable
        Told the key that is waited for, once that has taken a while.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.on_long_wait: Callable[[int], None] = lambda key: None
        self._opening = threading.Lock()
        self._fd = -1
        self._held: dict[int, object] = {}

    @contextmanager
    def held(self, key: int) -> Iterator[None]:
        """Hold a key for the time of a block; waits while another thread or process holds it."""
        begins = interrupts.hold()
        try:
            self.take(key, wait=True)
            try:
                yield
            finally:
                self.release(key)
        finally:
            if begins:
                interrupts.let_go()

    def is_held_here(self, key: int) -> bool:
        """Whether this process holds a key."""
        return key & _PLACES in self._held

    def take(self, key: int, wait: bool) -> bool:
        """Try to take a key; with `wait`, until it is free."""
        place, began = key & _PLACES, time.monotonic()
        while not self._try(place):
            if not wait:
                return False
            if began and time.monotonic() - began > LONG_WAIT:
                self.on_long_wait(key)
                began = 0.0
            interrupts.hear()
            time.sleep(_PAUSE)
        return True

    def _try(self, place: int) -> bool:
        mine = object()
        if self._held.setdefault(place, mine) is not mine:
            return False
        try:
            if self._fd < 0:
                with suppress(OSError):
                    self._open()
            if self._fd >= 0:
                self._lock(place, fcntl.F_WRLCK)
        except OSError as error:
            if error.errno in _BUSY:
                del self._held[place]
                return False
            # The disk is full or not writable: threads are told apart, and other processes may compute it, too.
        except BaseException:
            del self._held[place]
            raise
        return True

    def _open(self) -> None:
        """Open the file, once for all threads: what one descriptor has locked no other one can let go."""
        with self._opening:
            if self._fd < 0:
                self._fd = open_file(self._path, os.O_RDWR)

    def release(self, key: int) -> None:
        """Give a key up."""
        place = key & _PLACES
        if self._fd >= 0:
            with suppress(OSError):
                self._lock(place, fcntl.F_UNLCK)
        self._held.pop(place, None)  # In a process that was forked meanwhile, it is not there.

    def close(self) -> None:
        """Give everything up."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def abandon(self) -> None:
        """After a fork, in the child: what the parent holds is not ours."""
        self._opening = threading.Lock()
        self.close()
        self._held = {}

    if _HAS_OFD:

        def _lock(self, place: int, kind: int) -> None:
            fcntl.fcntl(self._fd, fcntl.F_OFD_SETLK, _FLOCK.pack(kind, os.SEEK_SET, place, 1, 0))

    else:

        def _lock(self, place: int, kind: int) -> None:
            command = fcntl.LOCK_UN if kind == fcntl.F_UNLCK else fcntl.LOCK_EX | fcntl.LOCK_NB
            fcntl.lockf(self._fd, command, 1, place)
