"""What does a file hold, and must it be read again to know?

The content of a file is described by the first 16 bytes of its BLAKE3 digest (the first 32 digits that ``b3sum``
prints). A file whose size, modification time and inode have not changed since it was read is not read again, unless
it was modified so shortly before reading that a later change could have left the same time.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable
from typing import Literal

from blake3 import blake3

from rms_jupyter.errors import RmsError
from rms_jupyter.model import FileState

_SETTLED_NS = 50_000_000
_IN_THREADS = 32 * 1024 * 1024
_NO_ACCESS = (errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE)

FileRule = Literal["", "content", "time", "path"]
Recorded = Callable[[str], "FileState | None"]
Flaw = Literal["", "missing", "altered", "unreadable"]


class FileDigests:
    """Digests of files, remembered as long as their stat stays the same.

    Parameters
    ----------
    recorded : callable
        Gives the last state on record of an absolute path, or None.
    """

    def __init__(self, recorded: Recorded = lambda path: None) -> None:
        self._recorded = recorded
        self._known: dict[str, FileState] = {}

    def state(self, path: str, reread: bool = False) -> FileState:
        """Describe a file as it is now.

        Parameters
        ----------
        path : str
            Absolute path.
        reread : bool
            Read the content even where size and time are as before.

        Raises
        ------
        RmsError
            If there is no such file, it is a directory, or it cannot be read.
        """
        now = _stat(path)
        known = None if reread else self._known.get(path) or self._recorded(path)
        if known is not None and known.settled and _unchanged(now, known):
            return known
        state = self._known[path] = _read(path, now)
        return state

    def identity(self, path: str, rule: FileRule = "") -> str:
        """Say what a file counts as when it is an input.

        Parameters
        ----------
        path : str
            Absolute path.
        rule : str
            ``''``: its content, read again when its stat has changed; ``content``: its content, always read again;
            ``time``: its size and modification time; ``path``: nothing but its path.
        """
        if rule == "path":
            return "path"
        if rule == "time":
            now = _stat(path)
            return f"{now.st_size} bytes at {now.st_mtime_ns}"
        return self.state(path, reread=rule == "content").digest

    def flaw(self, path: str, digest: str, recorded: FileState | None, reread: bool = False) -> Flaw:
        """Say what is wrong with a file on record, reading it only if its stat leaves doubt (or `reread` is given).

        Parameters
        ----------
        path : str
            Absolute path.
        digest : str
            The content it should have.
        recorded : FileState or None
            Its stat when it had that content.
        reread : bool
        """
        try:
            now = os.stat(path)
            known = self._known.get(path) or recorded
            if not reread and known and known.settled and known.digest == digest and _unchanged(now, known):
                return ""
            return "" if self.state(path, reread).digest == digest else "altered"
        except OSError as error:
            return "unreadable" if error.errno in _NO_ACCESS else "missing"
        except ValueError:
            return "missing"
        except RmsError:
            return "missing" if existing_file(path) is None else "unreadable"

    def forget(self, path: str) -> None:
        """Read the file again when it is next asked for."""
        self._known.pop(path, None)


def existing_file(path: str) -> os.stat_result | None:
    """Stat a path; None unless it names a file."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def md5(path: str) -> str:
    """Compute the MD5 digest of a file in hex, to compare with published sums."""
    import hashlib

    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _unchanged(now: os.stat_result, known: FileState) -> bool:
    return (now.st_size, now.st_mtime_ns, now.st_ino) == (known.size, known.mtime_ns, known.inode)


def _stat(path: str) -> os.stat_result:
    try:
        found = os.stat(path)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise RmsError(f"no file {path}", hint="check the path, or make the file first") from None
        raise RmsError(f"cannot look at {path}: {error.strerror}", hint="check the permissions") from None
    if not stat.S_ISREG(found.st_mode):
        kind = "a directory" if stat.S_ISDIR(found.st_mode) else "not a regular file"
        raise RmsError(f"{path} is {kind}", hint="name a file in it")
    return found


def _read(path: str, before: os.stat_result) -> FileState:
    started = time.time_ns()
    content = blake3(max_threads=blake3.AUTO) if before.st_size > _IN_THREADS else blake3()
    try:
        content.update_mmap(path)
    except OSError as error:
        raise RmsError(f"cannot read {path}: {error.strerror}", hint="check the permissions") from None
    settled = started - before.st_mtime_ns > _SETTLED_NS and _same(before, os.stat(path))
    return FileState(
        digest=content.digest(16).hex(),
        size=before.st_size,
        mtime_ns=before.st_mtime_ns,
        inode=before.st_ino,
        settled=settled,
    )


def _same(a: os.stat_result, b: os.stat_result) -> bool:
    return (a.st_size, a.st_mtime_ns, a.st_ino) == (b.st_size, b.st_mtime_ns, b.st_ino)
