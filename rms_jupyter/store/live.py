"""What has a call printed that is still running?

While it runs, its process copies what it prints to a file beside the notes on unfinished calls (see `store.running`),
which goes when the call ends. The file begins with the size of the text that is whole, so that readers never see a
piece of what is being written.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import secrets
import struct
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

from rms_jupyter.store.modes import share

MOST = 1_000_000  # bytes

_HEAD = struct.Struct("<Qd")
_SUFFIX = ".log"


class LiveText:
    """The file of one call.

    Parameters
    ----------
    folder : str
        The store's ``running`` directory.
    key : str
        Of the call.
    started : float
        When it began, in seconds since 1970.

    Attributes
    ----------
    size : int
        Bytes that were written.
    """

    def __init__(self, folder: str, key: str, started: float) -> None:
        self._path = os.path.join(folder, f"{key}-{secrets.token_hex(4)}{_SUFFIX}")
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        share(self._path)
        self._started, self.size = started, 0
        try:
            self.add(b"")
        except OSError:
            self.remove()
            raise

    def add(self, text: bytes) -> None:
        """Write on; readers see all of it or nothing."""
        self.size += os.pwrite(self._file, text, _HEAD.size + self.size)
        os.pwrite(self._file, _HEAD.pack(self.size, self._started), 0)

    def remove(self) -> None:
        """The call has ended."""
        with contextlib.suppress(OSError):
            os.close(self._file)
        with contextlib.suppress(OSError):
            os.unlink(self._path)


class SoFar(NamedTuple):
    """What a running call has printed, and when it began."""

    key: str
    started: float
    text: str


def texts(folder: Path) -> list[SoFar]:
    """Read what running calls have printed, the one that began first at the front."""
    found = [_read(folder / name) for name in _names(folder)]
    return sorted(filter(None, found), key=lambda one: one.started)


def remove_texts(folder: Path, has_ended: Callable[[str], bool]) -> None:
    """Remove the files of calls (told by their keys) whose processes could not."""
    for name in _names(folder):
        if has_ended(_key(name)):
            (folder / name).unlink(missing_ok=True)


def remove_texts_of(folder: Path, keys: Collection[str]) -> None:
    """Remove the files of these calls."""
    remove_texts(folder, keys.__contains__)


def _names(folder: Path) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.endswith(_SUFFIX)]
    except OSError:
        return []


def _key(name: str) -> str:
    return name.partition("-")[0]


def _read(path: Path) -> SoFar | None:
    try:
        data = path.read_bytes()
        size, started = _HEAD.unpack_from(data)
    except (OSError, struct.error):
        return None  # The call has just ended, or begun.
    text = data[_HEAD.size : _HEAD.size + size]
    more = "\n… more is not shown while it runs" if size >= MOST else ""
    return SoFar(_key(path.name), started, codecs.getincrementaldecoder("utf-8")("replace").decode(text) + more)
