"""How do the sessions of one process take turns at a database?  Locks of files keep only processes apart."""

from __future__ import annotations

import os
import threading
from pathlib import Path

_turns: dict[tuple[int, int], threading.Lock] = {}  # By what a folder is, whatever it is called.
os.register_at_fork(after_in_child=_turns.clear)


class Turn:
    """The right of one session in this process to have a database open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: threading.Lock | None = None

    def take(self) -> bool:
        """Have it, unless another session has."""
        if self._held is None:
            found = os.stat(self._folder)
            lock = _turns.setdefault((found.st_dev, found.st_ino), threading.Lock())
            if not lock.acquire(blocking=False):
                return False
            self._held = lock
        return True

    def give_up(self) -> None:
        """Let others have it."""
        lock, self._held = self._held, None
        if lock is not None:
            lock.release()

    def abandon(self) -> None:
        """After a fork, in the child: it is the parent's."""
        self._held = None
