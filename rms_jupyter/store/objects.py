"""Where is content that is too large for a journal line?

In ``objects/ab/<digest>.<format>``: sealed (see `seals`), written in a folder for what is not finished, synced,
renamed; identical content once. A process checks a file when it first reads it, and again when it has changed since.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Literal

from rms_jupyter.errors import StoreError
from rms_jupyter.store import seals
from rms_jupyter.store.copies.elsewhere import find_object
from rms_jupyter.store.full import reason
from rms_jupyter.store.modes import make_folder, share
from rms_jupyter.store.seals import DamagedObject
from rms_jupyter.store.upkeep.unfinished import name_while_written

Flaw = Literal["", "missing", "damaged"]

_SETTLED_NS = 50_000_000  # A file that changed later than that may change again without showing it.
_MOST_REMEMBERED = 1 << 17

UNFINISHED = ".unfinished"

_NAME = re.compile(r"[0-9a-f]{32,64}(\.[a-z]{2,10}){1,2}", re.ASCII)

_sound: dict[str, tuple[int, ...]] = {}  # How the files were that were found sound, by path.


class Objects:
    """Content by digest, as files.

    Parameters
    ----------
    folder : Path
        The store's ``objects`` directory.
    is_trusted : bool
        Whether all content may be read that could run anything (see `trust`).

    Attributes
    ----------
    own : set of object
        What may be read in any case, as this session has made it; see `content.may_read`.
    """

    def __init__(self, folder: Path, is_trusted: bool = True) -> None:
        self._folder, self.is_trusted = folder, is_trusted
        self.own: set[object] = set()

    def path(self, digest: str, format: str) -> Path:
        """Where content is, or would be.

        Raises
        ------
        DamagedObject
            If what a record says is no name of an object: anything could be on record.
        """
        if not _NAME.fullmatch(f"{digest}.{format}"):
            raise DamagedObject("not kept: its name on record is damaged")
        return self._folder / digest[:2] / f"{digest}.{format}"

    def put(self, digest: str, format: str, write: Callable[[Path], None]) -> int:
        """Keep content unless it is there already, sound; where others could have put it there, in any case.

        Parameters
        ----------
        digest, format : str
            Names of the content.
        write : callable
            Writes it to a path.

        Returns
        -------
        int
            Its size in bytes.

        Raises
        ------
        StoreError
            If the disk is full or not writable; nothing is left behind then.
        """
        target = self.path(digest, format)
        if self.is_trusted and (size := self._size_if_sealed(target)) is not None:
            return size
        partial = self._folder / UNFINISHED / name_while_written(target.name)
        try:
            make_folder(partial.parent)
            make_folder(target.parent)
            write(partial)
            with partial.open("r+b") as file:
                size = seals.seal(target.name, file)
                os.fdatasync(file.fileno())
            share(partial)
            partial.replace(target)
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise StoreError(
                f"cannot keep a result in {self._folder}: {reason(error)}",
                hint="free some disk space or check the permissions",
            ) from error
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        return size

    def content(self, digest: str, format: str) -> bytes:
        """Return content, checked.

        Raises
        ------
        FileNotFoundError
        DamagedObject
        """
        path = self.path(digest, format)
        with _opened(path) as file:
            is_sound = _is_known(path, file)
            data = seals.read(path.name, file, is_sound)
            if not is_sound:
                _remember(path, file)
        return data

    def checked_path(self, digest: str, format: str) -> Path:
        """Return the path of content that is sound, behind which there may be a seal; see `content`."""
        path = self.path(digest, format)
        with _opened(path) as file:
            if not _is_known(path, file):
                seals.check(path.name, file)
                _remember(path, file)
        return path

    def flaw(self, digest: str, format: str, reread: bool = False) -> Flaw:
        """Say why content cannot be read as it was written; '' if it can.

        Parameters
        ----------
        digest, format : str
        reread : bool
            Look at all of it again, even if this process has found it sound.
        """
        try:
            if reread:
                _sound.pop(str(self.path(digest, format)), None)
            self.checked_path(digest, format)
        except FileNotFoundError:
            return "missing"
        except (DamagedObject, OSError):
            return "damaged"
        return ""

    def is_sealed(self, digest: str, format: str) -> bool:
        """Whether content has a seal, as all has that was written since there are seals."""
        with _opened(self.path(digest, format)) as file:
            return seals.content_length(file) is not None

    def exists(self, digest: str, format: str) -> bool:
        """Whether content is kept, sound or not."""
        try:
            return self.path(digest, format).exists()
        except DamagedObject:
            return False

    def read(self, name: str) -> bytes:
        """Return the bytes of an object by its name, ``<digest>.<format>``, as they lie on disk; see `content`."""
        return self.checked_path(*_split(name)).read_bytes()

    def take_in(self, name: str, data: bytes) -> None:
        """Keep an object that was read elsewhere, unless it is here already.

        Raises
        ------
        DamagedObject
        """

        def write(path: Path) -> None:
            path.write_bytes(data)
            with path.open("r+b") as file:
                file.truncate(seals.check(name, file))

        self.put(*_split(name), write)

    def bring(self, name: str) -> bool:
        """Fetch an object that is not here; whether a copy had it, sound."""
        if not self.lacks(name) or (data := find_object(self._folder.parent, name)) is None:
            return False
        try:
            self.take_in(name, data)
        except DamagedObject:
            return False
        return True

    def remove(self, name: str) -> None:
        """Remove an object by its name, if it is there."""
        if place := self.place(name):
            os.unlink(place)

    def place(self, name: str) -> str:
        """Return where an object is, by its name; '' where it is not."""
        with contextlib.suppress(DamagedObject):
            path = self.path(*_split(name))
            return str(path) if path.exists() else ""
        return ""

    def lacks(self, name: str) -> bool:
        """Tell whether there is no object of a name here."""
        return not self.exists(*_split(name))

    def _size_if_sealed(self, path: Path) -> int | None:
        """Return the size of content that is there, sealed and sound; None if it is to be written."""
        try:
            with _opened(path) as file:
                length = seals.content_length(file)
                if length is not None and not _is_known(path, file):
                    seals.check(path.name, file)
                    _remember(path, file)
                return length
        except (DamagedObject, OSError):
            return None


def _split(name: str) -> tuple[str, str]:
    digest, _, format = name.partition(".")
    return digest, format


def _opened(path: Path) -> BinaryIO:
    """Open an object; what is no file at all would not answer."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise DamagedObject("damaged: it is not a file")
    return path.open("rb")


def _is_known(path: Path, file: BinaryIO) -> bool:
    """Whether a file was found sound by this process, and has not changed since."""
    known = _sound.get(str(path))
    return known is not None and known == _mark(os.fstat(file.fileno()))


def _remember(path: Path, file: BinaryIO) -> None:
    """Remember that a file is sound, unless it is so new that a change would not show."""
    found = os.fstat(file.fileno())
    if time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) < _SETTLED_NS:
        return
    if len(_sound) >= _MOST_REMEMBERED:
        _sound.clear()
    _sound[str(path)] = _mark(found)


def _mark(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
