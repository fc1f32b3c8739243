"""What is at a path now, as far as its stat tells: a file with what a database keeps beside it, or a folder's tree?"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from xxhash import xxh3_128_hexdigest

_BESIDE = ("-wal", "-journal", ".wal")  # SQLite's and DuckDB's; ``-shm`` says nothing that they don't.
_KINDS = frozenset({stat.S_IFREG, stat.S_IFDIR})
MOST_ENTRIES = 200_000
LISTING = "/*"  # Behind a folder: the names in it.


class TooManyFiles(Exception):
    """A folder holds so many files that looking at them would take longer than most calls."""


class FolderEntry(NamedTuple):
    """Something in a folder, or beside a file.

    `stat` is None for what has no content: a folder (its name ends with a slash), a dead link, a socket.
    """

    name: str
    path: str
    stat: os.stat_result | None


class PathStat(NamedTuple):
    """What stat says of a file or folder; of a folder `size` is the sum and the times are the latest in it.

    `stats` is a digest of everything where there is more than one file, else ''; `is_odd` says that it is neither a
    file nor a folder.
    """

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    stats: str = ""
    is_folder: bool = False
    is_odd: bool = False
    entries: tuple[FolderEntry, ...] = ()

    @property
    def mark(self) -> tuple[int, int, int, int, str]:
        """Equal as long as nothing has changed."""
        return self.size, self.mtime_ns, self.ctime_ns, self.inode, self.stats


def existing(path: str) -> os.stat_result | None:
    """Stat a path; None unless it names a file or folder."""
    try:
        found = os.stat(path.removesuffix(LISTING))
    except (OSError, ValueError):
        return None
    return found if stat.S_IFMT(found.st_mode) in _KINDS else None


def listed_names(folder: str) -> list[str]:
    """The names in a folder that are no settings, no store, and nothing that we keep there for a moment."""
    with os.scandir(folder) as found:
        items = [item for item in found if not item.name.startswith((".", "rms-run-"))]
    return sorted(item.name for item in items if not (item.is_dir() and _is_store(item.path)))


def is_database(path: str) -> bool:
    """Whether a file is a database that may keep what it holds in files beside it."""
    try:
        with open(path, "rb") as file:
            head = file.read(16)
    except OSError:
        return False
    return head == b"SQLite format 3\0" or head[8:12] == b"DUCK"


def look(path: str) -> PathStat:
    """Look at a file, and at what a database has not yet written to it; or at all that is in a folder.

    Raises
    ------
    OSError
        If there is nothing, or it may not be looked at.
    TooManyFiles
    """
    found = os.stat(path)
    if stat.S_ISDIR(found.st_mode):
        return _combined(found, tuple(sorted(_walk(path, "", []))), is_folder=True)
    more = tuple(FolderEntry(end, path + end, it) for end in _BESIDE if (it := _filled(path + end)))
    if more and is_database(path):
        return _combined(found, (FolderEntry("", path, found), *more), is_folder=False)
    is_odd = not stat.S_ISREG(found.st_mode)
    return PathStat(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, is_odd=is_odd)


def _filled(path: str) -> os.stat_result | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found if found.st_size and stat.S_ISREG(found.st_mode) else None


def _combined(own: os.stat_result, entries: tuple[FolderEntry, ...], is_folder: bool) -> PathStat:
    files = [entry.stat for entry in entries if entry.stat is not None]
    described = repr([(e.name, *_figures(e.stat)) if e.stat else (e.name,) for e in entries])
    return PathStat(
        size=sum(found.st_size for found in files),
        mtime_ns=max((found.st_mtime_ns for found in files), default=own.st_mtime_ns),
        ctime_ns=max((found.st_ctime_ns for found in files), default=own.st_ctime_ns),
        inode=own.st_ino,
        stats=xxh3_128_hexdigest(described.encode("utf-8", "surrogateescape")),
        is_folder=is_folder,
        entries=entries,
    )


def _figures(found: os.stat_result) -> tuple[int, ...]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _walk(folder: str, prefix: str, inside: list[tuple[int, int]]) -> Iterator[FolderEntry]:
    """List a folder with all below it; links are followed, but not into what they lie in.  A store is no content."""
    own = os.stat(folder)
    identity = own.st_dev, own.st_ino
    if identity in inside:
        return
    count = 0
    with os.scandir(folder) as found:
        for item in found:
            count += 1
            if count > MOST_ENTRIES:
                raise TooManyFiles(folder)
            name = prefix + item.name
            try:
                known = item.stat()
            except OSError:
                target = os.readlink(item.path) if item.is_symlink() else ""
                yield FolderEntry(f"{name} -> {target}", item.path, None)
                continue
            if stat.S_ISREG(known.st_mode):
                yield FolderEntry(name, item.path, known)
            elif not stat.S_ISDIR(known.st_mode):
                yield FolderEntry(f"{name} (no file)", item.path, None)
            elif not _is_store(item.path):
                yield FolderEntry(f"{name}/", item.path, None)
                for entry in _walk(item.path, f"{name}/", [*inside, identity]):
                    count += 1
                    if count > MOST_ENTRIES:
                        raise TooManyFiles(folder)
                    yield entry


def _is_store(folder: str) -> bool:
    return os.path.isfile(os.path.join(folder, "store.json")) and os.path.isdir(os.path.join(folder, "journal"))
