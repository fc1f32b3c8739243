"""How does a process write down what it has done, so that nothing acknowledged is lost?

Each process appends to a journal of its own, one `write` a batch of lines. A journal is born under a name that nobody
reads: it is locked, gets its first line, and only then its number, by a link that fails if there is such a file. It
stays locked while its writer lives, so others can tell a dead writer.

What cannot be written because the disk is full waits in memory until there is room. So what lies on the disk is always
the beginning of what was appended, however a write was cut, and says itself how far it goes.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from rms_jupyter.errors import CannotRecord
from rms_jupyter.interrupts import unbroken
from rms_jupyter.store.full import reason
from rms_jupyter.store.lines import json_of, line_of
from rms_jupyter.store.modes import share
from rms_jupyter.store.register import Register, identity_of

SEAL_AT = 16 * 1024 * 1024
LIVE, SEALED = ".jsonl", ".jsonl.zst"
LOWEST, HIGHEST = 1 << 16, (1 << 31) - 1
_BACK = 1 << 20

_UNBORN = ".unborn-"
_NAME = re.compile(r"([1-9][0-9]{0,9})(\.jsonl|\.jsonl\.zst)", re.ASCII)
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EOPNOTSUPP)


def writer_of(ident: int) -> tuple[int, int]:
    """Split an id into the number of its journal and the offset in it."""
    return ident >> 32, ident & 0xFFFFFFFF


class Journal:
    """The journal of this process. Not safe for threads: the store holds its lock around it.

    Parameters
    ----------
    folder : Path
        The store's ``journal`` directory.
    first_line : callable
        Gives the JSON of the record that opens each file, never the same.
    fsync : bool
        Wait for the disk at each write, against power loss.
    register : Register, optional
        Knows the journals that there were before.

    Attributes
    ----------
    trouble : OSError or None
        Why what was appended last is not on the disk yet.
    """

    def __init__(
        self,
        folder: Path,
        first_line: Callable[[], bytes],
        fsync: bool = False,
        register: Register | None = None,
    ) -> None:
        self._folder, self._first_line, self._fsync = folder, first_line, fsync
        self._register = register or Register(folder)
        self._open = -1, 0  # Its descriptor, and its number.
        self._waiting = 0, b""  # An offset, and what goes there; the file may hold some of it already.
        self.trouble: OSError | None = None

    @property
    def number(self) -> int:
        """Number of the file that was written last; 0 before the first."""
        return self._open[1]

    @property
    def path(self) -> Path:
        """The file being written; it exists once something was appended."""
        return self._folder / f"{self.number}{LIVE}"

    @property
    def is_open(self) -> bool:
        """Whether there is a file to append to."""
        return self._open[0] >= 0

    def begin(self) -> None:
        """Make the file, unless there is one.

        Raises
        ------
        CannotRecord
            If the disk is full or the store is not writable.
        """
        if not self.is_open:
            self._open_next()

    def append(self, jsons: Sequence[bytes]) -> list[int]:
        """Write records, in one piece; what is on the disk then is safe from the death of this process.

        Returns
        -------
        list of int
            Their ids.

        Raises
        ------
        CannotRecord
            If there is no file to write to, and none can be made.
        """
        self.begin()
        lines = list(map(line_of, jsons))
        at, waiting = self._unwritten()
        if at >= SEAL_AT and not waiting:
            with contextlib.suppress(CannotRecord):
                self._open_next()
                at = self._unwritten()[0]
        start = self.number << 32 | (at + len(waiting))
        self._waiting = at, waiting + (lines[0] if len(lines) == 1 else b"".join(lines))
        self._write()
        return list(accumulate(map(len, lines[:-1]), initial=start))

    def close(self) -> int:
        """Give up the journal: the next session, or this one, seals it.

        Returns
        -------
        int
            How many records could not be written.
        """
        lost = 0
        if self.is_open:
            self._waiting = self._unwritten()
            self._write()
            lost = self._waiting[1].count(b"\n")
            if lost:
                self._end_with_a_line()
        self.abandon()
        return lost

    def abandon(self) -> None:
        """After a fork, in the child: leave the parent's journal alone and write another."""
        fd, number = self._open
        self._open = -1, number
        self._waiting, self.trouble = (0, b""), None
        if fd >= 0:
            os.close(fd)

    # What a reader needs: what waits is as good as written for this process.

    @property
    def size(self) -> int:
        """Size of the text, with what waits."""
        at, waiting = self._unwritten()
        return at + len(waiting)

    def read(self, start: int, end: int) -> bytes:
        """Read the bytes from `start` up to `end` of the text."""
        at, waiting = self._unwritten()
        written = os.pread(self._open[0], max(0, min(end, at) - start), start)
        return written + waiting[max(0, start - at) : max(0, end - at)]

    def _unwritten(self) -> tuple[int, bytes]:
        """Return where the file ends, and what waits to be written there."""
        size = os.lseek(self._open[0], 0, os.SEEK_END)
        at, waiting = self._waiting
        return size, waiting and waiting[max(0, size - at) :]

    def _write(self) -> None:
        at, waiting = self._waiting
        try:
            while waiting:
                written = os.write(self._open[0], waiting)
                at, waiting = self._waiting = at + written, waiting[written:]
            if self._fsync:
                os.fsync(self._open[0])
            self.trouble = None
        except OSError as error:
            self.trouble = error

    def _end_with_a_line(self) -> None:
        """Take back the beginning of a line of which the rest cannot be written; nobody has read it."""
        fd, size = self._open[0], os.lseek(self._open[0], 0, os.SEEK_END)
        with contextlib.suppress(OSError):
            while size and (block := os.pread(fd, _BACK, max(0, size - _BACK))):
                end = max(0, size - _BACK) + block.rfind(b"\n") + 1
                if b"\n" in block or end == 0:
                    os.ftruncate(fd, end)
                    return
                size = end

    def _open_next(self) -> None:
        try:
            born = self._born()
        except OSError as error:
            raise CannotRecord(
                f"the store {self._folder.parent} is not writable: {reason(error)}",
                hint="free some disk space or check the permissions; look only: %rms open PATH --read-only",
            ) from None
        (old, _), self._open = self._open, born
        if old >= 0:
            os.close(old)

    def _born(self) -> tuple[int, int]:
        """Make a journal: its descriptor, locked, and its number."""
        json = self._first_line()
        while True:
            unborn = self._folder / f"{_UNBORN}{os.getpid()}-{secrets.token_hex(4)}"
            fd = os.open(unborn, os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_RDWR, 0o666)
            try:
                share(unborn)
                fcntl.flock(fd, fcntl.LOCK_EX)
                if os.write(fd, line_of(json)) < len(line_of(json)):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                number = self._take_number(unborn)
            except FileNotFoundError:  # Another process took it for left behind, before it was locked.
                os.close(fd)
            except BaseException:
                os.close(fd)
                raise
            else:
                self._register.add(number, identity_of(json))
                return fd, number
            finally:
                unborn.unlink(missing_ok=True)

    def _take_number(self, unborn: Path) -> int:
        """Give it a number that no journal has had, by chance: so journals of two stores can be brought together."""
        names = names_in(self._folder)
        used = names.live | names.sealed | self._register.numbers()
        while True:
            number = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
            live = self._folder / f"{number}{LIVE}"
            if number in used:
                continue
            try:
                _link(unborn, live)
            except FileExistsError:
                continue
            if not (self._folder / f"{number}{SEALED}").exists():
                return number
            live.unlink()
            used.add(number)


def _link(source: Path, target: Path) -> None:
    """Give a file a name that is free; where there are no links, take the name first, and then put the file there."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o666))
        source.rename(target)


class JournalNames(NamedTuple):
    """Numbers of the live journals, and of the sealed ones; and names of what looks like a journal, and is none."""

    live: set[int]
    sealed: set[int]
    foreign: list[str]


def names_in(folder: Path) -> JournalNames:
    """List the journals of a folder."""
    names = JournalNames(set(), set(), [])
    with os.scandir(folder) as entries:
        for entry in entries:
            match = _NAME.fullmatch(entry.name)
            if match and int(match[1]) <= HIGHEST and _is_file(entry):
                (names.live if match[2] == LIVE else names.sealed).add(int(match[1]))
            elif LIVE in entry.name:
                names.foreign.append(entry.name)
    return names


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def remove_unborn(folder: Path) -> None:
    """Remove journals whose writers died before they had a number."""
    for name in os.listdir(folder):
        if name.startswith(_UNBORN) and (fd := lock_if_dead(folder / name)) is not None:
            (folder / name).unlink(missing_ok=True)
            os.close(fd)


def lock_if_dead(path: Path) -> int | None:
    """Open a live journal whose writer is gone, locked; None while the writer lives, or if it is not ours to write.

    Returns
    -------
    int or None
        A file descriptor that the caller closes.
    """
    try:
        fd = os.open(path, os.O_RDWR)
    except (FileNotFoundError, PermissionError):
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(fd), os.stat(path)):  # Else another process has sealed it meanwhile.
            return fd
    except OSError:
        pass
    os.close(fd)
    return None


@unbroken
def is_locked(path: Path) -> bool:
    """Whether the writer of a journal lives; also where one may only look."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def first_json(head: bytes) -> bytes | None:
    """Return the JSON of the first line of a journal that begins like this; None if it is damaged."""
    end = head.find(b"\n")
    return json_of(head[:end]) if end >= 0 else None
