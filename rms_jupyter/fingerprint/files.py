"""What does a file or folder hold, and must it be read again to know?

The content of a file is described by the first 16 bytes of its BLAKE3 digest (the first 32 digits that ``b3sum``
prints), that of a folder by the names in its tree and their contents. What has not changed in size, times and inode
since it was read is not read again, unless it was changed so shortly before reading that a later change could have left
the same time. The time of the last change of the inode (ctime) counts because nobody can set it.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from typing import Literal

import msgspec
from blake3 import blake3

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint import patience
from rms_jupyter.fingerprint.patience import Patience
from rms_jupyter.fingerprint.questions import answer, is_question
from rms_jupyter.fingerprint.trees import LISTING, PathStat, TooManyFiles, existing, is_database, listed_names, look
from rms_jupyter.interrupts import interruptible
from rms_jupyter.model import FileState

_SETTLED_NS = 50_000_000
_IN_THREADS = 32 * 1024 * 1024
_WORTH_A_WORD = 1_000_000_000
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

    @interruptible
    def state(self, path: str, reread: bool = False) -> FileState:
        """Describe a file or folder as it is now.

        Parameters
        ----------
        path : str
            Absolute path.
        reread : bool
            Read the content even where size and times are as before.

        Raises
        ------
        RmsError
            If there is neither, or it cannot be read.
        """
        known = None if reread else self._known.get(path) or self._recorded(path)
        try:
            if known is not None and known.settled and _is_as_before(path, known):
                return known
            state = self._known[path] = self._read(path, _look(path), reread)
        except TooManyFiles:
            return _unknowable(path)
        return state

    def _read(self, path: str, now: PathStat, reread: bool) -> FileState:
        started = time.time_ns()
        many = now.is_folder or now.entries
        digest = self._digest_of_tree(path, now, reread) if many else _digest_of(path, now.size)
        is_settled = started - max(now.mtime_ns, now.ctime_ns) > _SETTLED_NS and now.mark == _look(path).mark
        database = not now.is_folder and is_database(path)
        return msgspec.structs.replace(_state(now, digest, started), settled=is_settled, database=database)

    def _digest_of_tree(self, path: str, now: PathStat, reread: bool) -> str:
        content = blake3(b"folder\0" if now.is_folder else b"with what is beside it\0")
        progress = Patience(f"reading what is in {path}")
        for name, inner, found in now.entries:
            progress.tick()
            content.update(os.fsencode(name) + b"\0")
            if found is not None:
                known = None if reread else self._known.get(inner)
                alone = PathStat(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
                if known is None or known.stats or not known.settled or not _unchanged(alone, known):
                    known = _state(alone, _digest_of(inner, found.st_size), time.time_ns())
                    if inner != path:
                        self._known[inner] = known
                content.update(bytes.fromhex(known.digest))
        return content.digest(16).hex()

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
        if is_question(path):
            return answer(path)
        if path.endswith(LISTING):
            names = "\0".join(listed_names(path.removesuffix(LISTING)))
            return blake3(os.fsencode(names)).digest(16).hex()
        if rule == "path":
            return "path"
        if rule == "time":
            now = _look(path)
            return f"{now.size} bytes at {now.mtime_ns}"
        return self.state(path, reread=rule == "content").digest

    def counts_as(self, path: str, identity: str, rule: FileRule = "") -> bool:
        """Whether a file, a listing or a question counts as before."""
        is_there = is_question(path) or existing(path) is not None
        return is_there and self.identity(path, rule) == identity

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
            known = self._known.get(path) or recorded
            if not reread and known and known.settled and known.digest == digest and _is_as_before(path, known):
                return ""
            if recorded is not None and os.path.isdir(path) and not recorded.stats:
                return "missing"  # It was a file.
            os.stat(path)
            return "" if self.state(path, reread).digest == digest else "altered"
        except OSError as error:
            return "unreadable" if error.errno in _NO_ACCESS else "missing"
        except ValueError:
            return "missing"
        except TooManyFiles:
            return "altered"
        except RmsError:
            return "missing" if existing(path) is None else "unreadable"

    def forget(self, path: str) -> None:
        """Read the file again when it is next asked for."""
        self._known.pop(path, None)


def md5(path: str) -> str:
    """Compute the MD5 digest of a file in hex, to compare with published sums."""
    import hashlib

    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _unchanged(now: PathStat, known: FileState) -> bool:
    return now.mark == (known.size, known.mtime_ns, known.ctime_ns, known.inode, known.stats)


def _is_as_before(path: str, known: FileState) -> bool:
    """Whether a stat is enough to know that a file or folder is what it was."""
    if known.stats or known.database:
        return _unchanged(_look(path), known)
    try:
        now = os.stat(path)
    except OSError:
        return False
    before = known.size, known.mtime_ns, known.ctime_ns, known.inode
    return (now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino) == before


def _state(now: PathStat, digest: str, started: int) -> FileState:
    """Put together what was read, beginning at a time, of what was looked at before."""
    return FileState(
        digest=digest,
        size=now.size,
        mtime_ns=now.mtime_ns,
        inode=now.inode,
        settled=started - max(now.mtime_ns, now.ctime_ns) > _SETTLED_NS,
        ctime_ns=now.ctime_ns,
        stats=now.stats,
    )


def _look(path: str) -> PathStat:
    try:
        now = look(path)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise RmsError(f"no file {path}", hint="check the path, or make the file first") from None
        raise RmsError(f"cannot look at {path}: {error.strerror}", hint="check the permissions") from None
    if now.is_odd:
        raise RmsError(f"{path} is not a regular file", hint="name a file or a folder")
    return now


def _unknowable(path: str) -> FileState:
    """A folder of too many files is another each time it is asked for."""
    patience.say(f"{path} holds too many files to look at: what reads it runs each time")
    return FileState(digest=os.urandom(16).hex(), size=0, mtime_ns=0, inode=0, settled=False)


def _digest_of(path: str, size: int) -> str:
    if size > _WORTH_A_WORD:
        patience.say(f"reading {path} ({size / 1e9:.1f} GB) to know what it holds")
    content = blake3(max_threads=blake3.AUTO) if size > _IN_THREADS else blake3()
    try:
        content.update_mmap(path)
    except OSError as error:
        raise RmsError(f"cannot read {path}: {error.strerror}", hint="check the permissions") from None
    return content.digest(16).hex()
