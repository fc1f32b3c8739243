"""Who may read and write the files of a store?  Its owner; and a group, as far as the store's folder lets it."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

_SHARED = 0o2770  # Of a folder's mode, what holds for all that is in a store: nothing is for others than the group.


def make_folder(folder: Path) -> None:
    """Make a folder of a store, unless it is there."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        share(folder)


def open_file(path: str | os.PathLike[str], flags: int) -> int:
    """Open a file of a store, and make it with the right mode if it is not there; what is no file is refused.

    Raises
    ------
    OSError
    """
    fd = os.open(path, flags | os.O_CREAT | os.O_NONBLOCK, 0o640)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(22, f"{os.fspath(path)} is not a file")
    share(path)
    return fd


def read_file(path: Path) -> bytes:
    """Read a file of a store; what is no file would not answer.

    Raises
    ------
    OSError
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(22, f"{path} is not a file")
    return path.read_bytes()


def share(path: str | os.PathLike[str]) -> None:
    """Let a file or folder of the user's own be for those that the folder which it lies in is for."""
    found = os.stat(path)
    if found.st_uid != os.geteuid():
        return
    mode = stat.S_IMODE(os.stat(os.path.dirname(os.path.abspath(path))).st_mode) & _SHARED
    if not stat.S_ISDIR(found.st_mode):
        mode &= 0o660
    if mode != stat.S_IMODE(found.st_mode):
        with contextlib.suppress(OSError):  # Some disks have no modes.
            os.chmod(path, mode | 0o600)
