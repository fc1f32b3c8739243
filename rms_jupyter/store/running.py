"""What was going on when a process was killed?

Each writer notes its unfinished calls (pipe, run and arguments) in a small file, which survives the process. The next
session turns what it finds there into tasks with the status ``cut_off`` and names them. On a full disk there are no
notes; the calls need none.
"""

from __future__ import annotations

import contextlib
import os
import re
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from msgspec import Raw

from rms_jupyter.model import TaskRecord
from rms_jupyter.store.live import remove_texts
from rms_jupyter.store.modes import open_file
from rms_jupyter.store.small_files import decoded

_SIZE = struct.Struct("<Q")
_NOTHING = _SIZE.pack(0)
_ATOMIC = 4000  # Bytes that a process has written whole, or not at all, when it is killed.
_LOOKS = 20
_KEY = re.compile(rb"[0-9a-f]{32}")
_ID = re.compile(rb"[0-9]{1,19}")


class RunningTasks:
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
        self._file = -1
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
            if self._calls.pop(token, None) is not None:
                self._write(b"\n".join(self._calls.values()))

    def lose(self, token: int) -> None:
        """Strike notes out, of calls whose process was lost or stopped."""
        keys = {note.key for note in _notes(self._calls.get(token, b""))}
        self.end(token)
        remove_texts(Path(self.folder), keys.__contains__)

    def close(self) -> None:
        """Remove the file: nothing was cut off."""
        with self._lock:
            self._calls.clear()
            self._leave()

    def abandon(self) -> None:
        """After a fork, in the child: the file is the parent's."""
        self._lock = threading.Lock()
        self._calls, self._path, self._writer = {}, None, 0
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _write(self, block: bytes) -> None:
        if self._file < 0:
            return
        try:
            if len(block) > _ATOMIC:  # A process that is killed in the middle has written nothing.
                os.pwrite(self._file, _NOTHING, 0)
                os.pwrite(self._file, block, _SIZE.size)
            data = _SIZE.pack(len(block)) + block[:_ATOMIC]
            if os.pwrite(self._file, data, 0) < len(data):
                os.pwrite(self._file, _NOTHING, 0)
        except OSError:
            pass

    def _open(self, writer: int) -> None:
        self._leave()
        path = Path(self.folder, str(writer))
        with contextlib.suppress(OSError):
            self._file = open_file(path, os.O_RDWR | os.O_TRUNC)
            self._path, self._writer = path, writer

    def _leave(self) -> None:
        """Remove the file, if there is one."""
        file, path = self._file, self._path
        self._file, self._path, self._writer = -1, None, 0
        if file >= 0:
            os.close(file)
        if path is not None:
            with contextlib.suppress(OSError):
                path.unlink()


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
        if len(fields) == 4 and _KEY.fullmatch(fields[0]) and _are_ids(fields[1:3]) and _are_arguments(fields[3]):
            key, pipe, run, args = fields
            yield Note(key.decode(), int(pipe), int(run), Raw(args))


def _are_ids(fields: list[bytes]) -> bool:
    return all(_ID.fullmatch(field) and int(field) < 1 << 63 for field in fields)


def _are_arguments(field: bytes) -> bool:
    try:
        decoded(field, dict)
    except ValueError:
        return False
    return True


def cut_off(path: Path, recorded: Callable[[str], bool], printed: Mapping[str, str]) -> list[TaskRecord]:
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
        TaskRecord(
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
