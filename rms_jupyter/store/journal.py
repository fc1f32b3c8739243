"""How does a process write down what it has done, so that nothing acknowledged is lost?

Each process appends to a journal of its own, one `write` a batch of lines. The number of the journal comes from
creating its file exclusively, and the file stays locked while its writer lives, so others can tell a dead writer.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path

from rms_jupyter.errors import StoreError
from rms_jupyter.store.lines import line_of

SEAL_AT = 16 * 1024 * 1024
LIVE, SEALED = ".jsonl", ".jsonl.zst"


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
        Gives the JSON of the record that opens each file.
    fsync : bool
        Wait for the disk at each write, against power loss.
    """

    def __init__(self, folder: Path, first_line: Callable[[], bytes], fsync: bool = False) -> None:
        self._folder, self._first_line, self._fsync = folder, first_line, fsync
        self._fd = -1
        self.number = 0
        self._offset = 0

    @property
    def path(self) -> Path:
        """The file being written; it exists once something was appended."""
        return self._folder / f"{self.number}{LIVE}"

    def append(self, jsons: Sequence[bytes]) -> list[int]:
        """Write records, in one piece; what is returned is safe from the death of this process.

        Returns
        -------
        list of int
            Their ids.

        Raises
        ------
        StoreError
            If the disk is full or the store is not writable; then nothing of the batch is left behind.
        """
        if self._fd < 0 or self._offset >= SEAL_AT:
            self._open_next()
        lines = list(map(line_of, jsons))
        start = self.number << 32 | self._offset
        self._write(lines[0] if len(lines) == 1 else b"".join(lines))
        return list(accumulate(map(len, lines[:-1]), initial=start))

    def close(self) -> None:
        """Give up the journal: the next session, or this one, seals it."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def abandon(self) -> None:
        """After a fork, in the child: leave the parent's journal alone and write another."""
        self.close()

    def _write(self, block: bytes) -> None:
        try:
            written = os.write(self._fd, block)
            if written < len(block):
                os.ftruncate(self._fd, self._offset)
                raise OSError(28, "no space left on the disk")
            if self._fsync:
                os.fsync(self._fd)
        except OSError as error:
            raise StoreError(
                f"cannot write to the store {self._folder.parent}: {error.strerror}",
                hint="free some disk space or check the permissions, then run the cell again",
            ) from None
        self._offset += len(block)

    def _open_next(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        number = max(set().union(*journal_numbers(self._folder)), default=0)
        flags = os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_RDWR
        while True:
            number += 1
            try:
                self._fd = os.open(self._folder / f"{number}{LIVE}", flags, 0o644)
            except FileExistsError:
                continue
            except OSError as error:
                raise StoreError(
                    f"the store {self._folder.parent} is not writable: {error.strerror}",
                    hint="open it with --read-only, or another store with %rms open PATH",
                ) from None
            if not (self._folder / f"{number}{SEALED}").exists():
                break
            os.close(self._fd)
            os.unlink(self._folder / f"{number}{LIVE}")
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        self.number, self._offset = number, 0
        self._write(line_of(self._first_line()))


def journal_numbers(folder: Path) -> tuple[set[int], set[int]]:
    """Numbers of the live journals, and of the sealed ones."""
    names = os.listdir(folder)
    live = {int(name.removesuffix(LIVE)) for name in names if name.endswith(LIVE)}
    return live, {int(name.removesuffix(SEALED)) for name in names if name.endswith(SEALED)}


def lock_if_dead(path: Path) -> int | None:
    """Open a live journal whose writer is gone, locked; None while the writer lives.

    Returns
    -------
    int or None
        A file descriptor that the caller closes.
    """
    try:
        fd = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        return None
    return fd


def is_locked(path: Path) -> bool:
    """Tell whether the writer of a journal lives; also where one may only look."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False
