"""What was going on when a process was killed?

Each writer notes its unfinished calls (pipe, run and arguments) in a small memory-mapped file, which survives the
process. The next session turns what it finds there into tasks with the status ``cut_off`` and names them.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from msgspec import Raw

from rms_jupyter.model import Task
from rms_jupyter.store.live import remove_texts

_SIZE = struct.Struct("<Q")
_PAGE = 64 * 1024
_LOOKS = 20


class Running:
    """The unfinished calls of this process.

    Parameters
    ----------
    folder : Path
        The store's ``running`` directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        self._lock = threading.Lock()
        self._calls: dict[int, bytes] = {}
        self._memory: mmap.mmap | None = None
        self._path: Path | None = None
        self._writer = 0

    def start(self, writer: int, token: int, notes: bytes) -> None:
        """Take notes (see `note_of`) of calls of this writer that begin; `token` names them.

        They stay until the next notes under the token, or until `end`: the next session tells by their keys which calls
        came on record.
        """
        with self._lock:
            if self._writer != writer:
                self._open(writer)
            self._calls[token] = notes
            self._write(notes if len(self._calls) == 1 else b"\n".join(self._calls.values()))

    def follow(self, writer: int) -> None:
        """Go on in the name of another writer: the journal has ended, and a new one begun."""
        with self._lock:
            if self._calls and self._writer != writer:
                self._open(writer)
                self._write(b"\n".join(self._calls.values()))

    def end(self, token: int) -> None:
        """Strike notes out."""
        with self._lock:
            if self._calls.pop(token, None) is not None and self._memory is not None:
                if self._calls:
                    self._write(b"\n".join(self._calls.values()))
                else:
                    _SIZE.pack_into(self._memory, 0, 0)

    def lose(self, token: int) -> None:
        """Strike notes out, of calls whose process was lost or stopped."""
        keys = {note.key for note in _notes(self._calls.get(token, b""))}
        self.end(token)
        remove_texts(Path(self.folder), keys.__contains__)

    def close(self) -> None:
        """Remove the file: nothing was cut off."""
        with self._lock:
            self._calls.clear()
            if self._memory is not None and self._path is not None:
                self._memory.close()
                self._path.unlink(missing_ok=True)
            self._memory, self._path, self._writer = None, None, 0

    def abandon(self) -> None:
        """After a fork, in the child: the file is the parent's."""
        self._lock = threading.Lock()
        self._calls = {}
        self._memory, self._path, self._writer = None, None, 0

    def _write(self, block: bytes) -> None:
        if self._memory is None or len(block) + _SIZE.size > len(self._memory):
            self._grow(len(block) + _SIZE.size)
        memory = self._memory
        assert memory is not None
        _SIZE.pack_into(memory, 0, 0)
        memory[_SIZE.size : _SIZE.size + len(block)] = block
        _SIZE.pack_into(memory, 0, len(block))

    def _open(self, writer: int) -> None:
        old, self._path = self._path, Path(self.folder, str(writer))
        self._memory, self._writer = None, writer
        self._grow(_PAGE)
        if old is not None:
            old.unlink(missing_ok=True)

    def _grow(self, size: int) -> None:
        assert self._path is not None
        with self._path.open("a+b") as file:
            file.truncate(-(-size // _PAGE) * _PAGE)
            self._memory = mmap.mmap(file.fileno(), 0)


class Note(NamedTuple):
    """An unfinished call: its key, the ids of its pipe and run, and its arguments as shown."""

    key: str
    pipe: int
    run: int
    args: Raw


def note_of(key: str, pipe: int, run: int, args: Raw) -> bytes:
    """Note a call in one line."""
    return b"%b %d %d %b" % (key.encode(), pipe, run, bytes(args))


def notes_in(path: Path) -> list[Note]:
    """Read the notes of a writer, which may be at it: until two looks agree."""
    data = b""
    for _ in range(_LOOKS):
        before = data
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return []
        if data == before:
            break
    if len(data) < _SIZE.size:
        return []
    (size,) = _SIZE.unpack_from(data)
    return list(_notes(data[_SIZE.size : _SIZE.size + size]))


def _notes(block: bytes) -> Iterator[Note]:
    for line in block.split(b"\n"):
        fields = line.split(b" ", 3)
        if len(fields) == 4 and fields[1].isdigit() and fields[2].isdigit():
            key, pipe, run, args = fields
            yield Note(key.decode("ascii", "replace"), int(pipe), int(run), Raw(args))


def cut_off(path: Path, recorded: Callable[[str], bool], printed: Mapping[str, str]) -> list[Task]:
    """Read what a dead writer was doing, as records of calls that were cut off; and remove the file.

    Of several processes that try, one gets them.

    Parameters
    ----------
    path : Path
    recorded : callable
        Tells whether the call with a key came on record after all.
    printed : mapping of str to str
        What calls had printed, by their keys.
    """
    mine = path.with_name(f"{path.name}.cut-off-{os.getpid()}")
    try:
        path.rename(mine)
    except FileNotFoundError:
        return []
    notes = notes_in(mine)
    mine.unlink()
    return [
        Task(
            key=note.key,
            pipe=note.pipe,
            run=note.run,
            args=note.args,
            status="cut_off",
            cached=False,
            printed=printed.get(note.key, ""),
        )
        for note in notes
        if not recorded(note.key)
    ]
