"""Which files have come, or have changed?

The system tells (watchfiles); on network disks, which tell nothing, one looks every so many seconds. What is told is a
hint only: everything is looked at once more where something may have been missed.
"""

from __future__ import annotations

import logging
import os
import queue
import stat
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Self

import psutil

from rms_jupyter.flows.rules.ledger import Stamp
from rms_jupyter.flows.rules.pattern import Pattern

EVERYTHING = None
_TELLS_NOTHING = ("nfs", "cifs", "smb", "9p", "afs", "lustre", "beegfs", "gpfs", "ceph", "gluster", "fuse.", "vboxsf")
_POLL_EVERY = 2.0
_GROUP_FOR, _STEP = 200, 50  # ms for which changes are put together, and of quiet after which they are told.
_LOOK_AT_FOLDERS = 2000  # ms from one look at whether the folders are still those that are watched, to the next.
_LOOK_FOR_FOLDERS = 0.5  # Seconds, where none of them is there yet.
_AGAIN_AFTER, _COST = 60.0, 300  # All is looked at again after so many seconds, and so many times what it costs.


class Arrivals:
    """Watches the folders of patterns in a thread of its own.

    Parameters
    ----------
    patterns : sequence of Pattern
    polling : bool or float, optional
        Look every so many seconds; None decides by the disk.
    """

    def __init__(self, patterns: Sequence[Pattern], polling: bool | float | None = None) -> None:
        self._roots = _outermost(patterns)
        self._depths = {root: _deepest(root, patterns) for root in self._roots}
        every = _POLL_EVERY if polling is True else float(polling or 0)
        if polling is None and any(map(is_on_network, self._roots)):
            every = _POLL_EVERY
        self._poll_every = every
        self._news: queue.SimpleQueue[Iterable[str] | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="rms-arrivals", daemon=True)
        self._look_again = 0.0

    def __enter__(self) -> Self:
        if self._roots:
            self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def wake(self) -> None:
        """Let whoever waits go on."""
        self._news.put(())

    def wait(self, seconds: float) -> Iterator[tuple[str, Stamp | None]]:
        """Wait until something has changed, or the time is up; return the files that may have, as they are now."""
        news: list[Iterable[str] | None] = []
        try:
            news.append(self._news.get(timeout=seconds))
            while True:
                news.append(self._news.get_nowait())
        except queue.Empty:
            pass
        if EVERYTHING in news or (self._roots and time.monotonic() > self._look_again):
            return self.everything()
        return self._changed({path for paths in news if paths is not None for path in paths})

    def everything(self) -> Iterator[tuple[str, Stamp | None]]:
        """Look at all files that are there."""
        began = time.monotonic()
        for root in self._roots:
            yield from files_below(root, self._depths[root])
        now = time.monotonic()
        self._look_again = now + max(_AGAIN_AFTER, _COST * (now - began))

    def _changed(self, paths: Iterable[str]) -> Iterator[tuple[str, Stamp | None]]:
        for path in paths:
            if os.path.isdir(path):
                root = next((root for root in self._roots if _is_in(path, root)), path)
                depth = self._depths.get(root)
                yield from files_below(path, depth if depth is None else depth - _level(path) + _level(root))
            else:
                yield path, stamp_of(path)

    def _watch(self) -> None:
        from watchfiles import watch

        log = logging.getLogger("watchfiles.main")
        log.setLevel(log.level or logging.WARNING)  # It would tell of each change where a notebook logs.
        while not self._stop.is_set():
            there = {root: _inode(root) for root in self._roots}
            watched = [root for root, inode in there.items() if inode]
            self._news.put(EVERYTHING)
            if not watched:
                self._stop.wait(_LOOK_FOR_FOLDERS)
                continue
            is_first = True
            for changes in watch(
                *watched,
                watch_filter=None,
                debounce=_GROUP_FOR,
                step=_STEP,
                stop_event=self._stop,
                rust_timeout=_LOOK_AT_FOLDERS,
                yield_on_timeout=True,
                raise_interrupt=False,
                force_polling=self._poll_every > 0 or None,
                poll_delay_ms=int(self._poll_every * 1000) or 300,
                recursive=any(depth is None or depth > 0 for depth in self._depths.values()),
                ignore_permission_denied=True,
            ):
                if changes:
                    self._news.put({path for _, path in changes})
                if is_first:  # Watching has begun only now: what came before was not told.
                    is_first = False
                    self._news.put(EVERYTHING)
                if there != {root: _inode(root) for root in self._roots}:
                    break


def stamp_of(path: str) -> Stamp | None:
    """Look at a file; None if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def files_below(folder: str, depth: int | None) -> Iterator[tuple[str, Stamp | None]]:
    """Look at the files in a folder, and in those `depth` levels below it."""
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError:
        return
    for entry in found:
        try:
            is_folder = entry.is_dir(follow_symlinks=depth is not None)  # A link may lead upwards.
        except OSError:
            continue
        if not is_folder:
            yield entry.path, stamp_of(entry.path)
        elif depth is None or depth > 0:
            yield from files_below(entry.path, depth if depth is None else depth - 1)


def is_on_network(folder: str) -> bool:
    """Whether a folder is on a disk that does not tell of changes.

    Examples
    --------
    >>> is_on_network("/proc")
    False
    """
    mounted = [part for part in psutil.disk_partitions(all=True) if _is_in(folder, part.mountpoint)]
    kind = max(mounted, key=lambda part: len(part.mountpoint)).fstype if mounted else ""
    return kind.startswith(_TELLS_NOTHING)


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _outermost(patterns: Sequence[Pattern]) -> list[str]:
    """The roots of patterns, without those within another."""
    roots = sorted({pattern.root for pattern in patterns})
    return [root for root in roots if not any(_is_in(root, other) for other in roots if other != root)]


def _deepest(root: str, patterns: Sequence[Pattern]) -> int | None:
    depths = [
        None if pattern.depth is None else pattern.depth + _level(pattern.root) - _level(root)
        for pattern in patterns
        if _is_in(pattern.root, root)
    ]
    return None if None in depths else max(depth for depth in depths if depth is not None)


def _level(folder: str) -> int:
    return folder.rstrip("/").count("/")


def _inode(folder: str) -> int:
    try:
        return os.stat(folder).st_ino if os.path.isdir(folder) else 0
    except OSError:
        return 0
