"""What does code ask of files without opening them?

`os.stat`, `os.lstat`, `os.access` and `os.readlink`, on which all else rests that asks (`os.path`, `pathlib`), have no
audit events. So functions of ours stand in their places, that pass everything on, and note what the user's code asks.
"""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any

from rms_jupyter.fingerprint.questions import FIGURES, RIGHTS, SIZE, TARGET, THERE, answer
from rms_jupyter.run.task import noting
from rms_jupyter.run.task.asking import is_guard, is_ours, is_users, takes_only
from rms_jupyter.run.task.file_events import absolute
from rms_jupyter.run.task.noting import noted_here, untouched

_ABOUT_PRESENCE = "exists lexists isfile isdir islink is_file is_dir is_symlink glob iglob rglob walk"
_ABOUT_FIGURES = "getmtime getctime getatime stat lstat info modified samefile"
_QUESTIONS = {
    **dict.fromkeys(_ABOUT_PRESENCE.split(), THERE),
    **dict.fromkeys(_ABOUT_FIGURES.split(), FIGURES),
    "getsize": SIZE,
    "size": SIZE,
    "access": RIGHTS,
}
_FOLLOW_LINKS = frozenset({"realpath", "resolve"})
_FARTHEST = 30  # Frames from the user's code.
_SETS = ("supports_follow_symlinks", "supports_dir_fd", "supports_fd", "supports_effective_ids")
_stat, _lstat, _access, _readlink = os.stat, os.lstat, os.access, os.readlink
_listens = False


def listen() -> None:
    """Hear what is asked, from now on."""
    global _listens
    if not _listens:
        _listens = True
        for own, ours in ((_stat, stat), (_lstat, lstat), (_access, access), (_readlink, readlink)):
            _put(own, ours)


def _put(own: Any, ours: Any) -> None:
    """Put a function in the place of one of `os`, so that it can do and be named what that can."""
    name = own.__name__
    if getattr(os, name) is not own:
        return  # Somebody else was here before.
    ours.__doc__, ours.__module__ = own.__doc__, "os"
    for supported in _SETS:
        if own in (functions := getattr(os, supported)):
            functions.add(ours)
    setattr(os, name, ours)


def stat(path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:  # noqa: D103
    __tracebackhide__ = True
    if noting.running:
        _note("stat" if follow_symlinks else "lstat", path, dir_fd)
    return _stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)


def lstat(path: Any, *, dir_fd: int | None = None) -> os.stat_result:  # noqa: D103
    __tracebackhide__ = True
    if noting.running:
        _note("lstat", path, dir_fd)
    return _lstat(path, dir_fd=dir_fd)


def access(  # noqa: D103
    path: Any, mode: int, *, dir_fd: int | None = None, effective_ids: bool = False, follow_symlinks: bool = True
) -> bool:
    __tracebackhide__ = True
    if noting.running:
        _note("access", path, dir_fd)
    return _access(path, mode, dir_fd=dir_fd, effective_ids=effective_ids, follow_symlinks=follow_symlinks)


def readlink(path: Any, *, dir_fd: int | None = None) -> Any:  # noqa: D103
    __tracebackhide__ = True
    if noting.running:
        _note("readlink", path, dir_fd)
    return _readlink(path, dir_fd=dir_fd)


def _note(name: str, path: Any, dir_fd: int | None) -> None:
    if dir_fd is not None or isinstance(path, int) or not (here := noted_here()):
        return
    asked, is_sure = _asked(name, sys._getframe(2))
    if not asked or (about := absolute(path)) is None:
        return
    with untouched():
        answered = answer(about + asked)
    for notes in here:
        notes.note("asks", about + asked, answered, is_sure)


def _asked(name: str, frame: FrameType | None) -> tuple[str, bool]:
    """What the user's code wants to know, and whether it is sure of what comes of it; '' if others ask.

    It is known by the name of the function that it has called.
    """
    called = name
    for _ in range(_FARTHEST):
        if frame is None or is_ours(frame):
            break
        if is_users(frame):
            if name == "readlink":
                return TARGET, False
            code, place = frame.f_code, frame.f_lasti
            asked = _QUESTIONS.get(called, "")
            if asked == FIGURES and takes_only(code, place) == "st_size":
                asked = SIZE
            return asked, asked == THERE and is_guard(code, place)
        called, frame = frame.f_code.co_name, frame.f_back
    return "", False
