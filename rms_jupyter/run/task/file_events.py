"""What do Python's audit hooks (PEP 578) tell of files, and what does that come to for those who note it?

What libraries open below Python is not told.
"""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any
from urllib.parse import unquote, urlsplit

from rms_jupyter.fingerprint.questions import NOTHING, THERE, answer
from rms_jupyter.run.task import noting
from rms_jupyter.run.task.asking import is_users
from rms_jupyter.run.task.commands_started import named_in_command
from rms_jupyter.run.task.entries_asked import asked_of_entries
from rms_jupyter.run.task.left_running import LEAVES_RUNNING, children, goes_to_background, is_started_by_user
from rms_jupyter.run.task.noting import noted_here, untouched
from rms_jupyter.run.task.written import seen

Stand = tuple[int, int, int, int, str] | None
Noted = tuple[Any, ...] | None

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_EMPTYING = os.O_TRUNC | os.O_EXCL
_REMOVING = frozenset({"os.remove", "os.rmdir", "shutil.rmtree"})
_LINKING = frozenset({"os.link", "os.symlink"})
_CHANGING = frozenset({"os.truncate", "os.chmod", "os.chown", "os.utime"})
_LISTING = frozenset({"os.listdir", "os.scandir"})
_LEAVING = frozenset({"tempfile.mkstemp", "tempfile.mkdtemp"})
_STARTING = {"subprocess.Popen": "a program", "os.system": "a program", "sqlite3.connect": "a database"}
_COMMANDS = _STARTING.keys() - {"sqlite3.connect"}
_FORKS = frozenset({"os.fork", "os.forkpty"})
_THREADS = frozenset({"_thread.start_new_thread", "_thread.start_joinable_thread"})
_OTHERS = frozenset({"open", "os.mkdir", "os.rename"})
_EVENTS = frozenset({*_OTHERS, *_REMOVING, *_LINKING, *_CHANGING, *_LISTING, *_LEAVING, *_STARTING, *_FORKS, *_THREADS})
_MODULES_THAT_MAKE = frozenset({"os", "pathlib", "pathlib._local", "shutil"})
_DOES_NOT_MIND = ("exist_ok", "missing_ok", "ignore_errors")
_listens = False


def listen() -> None:
    """Hear what Python tells, from now on."""
    global _listens
    if not _listens:
        _listens = True
        sys.addaudithook(_hear)


def stand(path: str) -> Stand:
    """Return what a file looks like from outside, to see whether it was changed; None where there is none."""
    found = seen(path)
    return found.mark if found else None


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if event not in _EVENTS or not noting.running or not (here := noted_here()):
        return
    if event in _THREADS:
        noting.thread_starts(args[0])
        return
    if event in _FORKS:
        for notes in here:
            notes.note("forks")
        return
    with untouched():
        frame = sys._getframe(1)
        if event in _STARTING:
            for notes in here:
                notes.note("starts", _STARTING[event])
        if event in _COMMANDS and is_started_by_user(frame):
            leaves = LEAVES_RUNNING if goes_to_background(event, args) else ("may_leave", children())
            for notes in here:
                notes.note(*leaves)
        noted: list[Noted] = [*named_in_command(event, args, frame)] if event in _COMMANDS else []
        if event not in _COMMANDS and (told := _in_words(event, args, frame)):
            noted = [told, *(asked_of_entries(told[1], frame) if event == "os.scandir" else ())]
    for one in filter(None, noted):
        for notes in here:
            notes.note(*one)


def _in_words(event: str, args: tuple[Any, ...], frame: FrameType) -> Noted:
    """What an event comes to, if anything: what is to be noted, see `touched.Touched`."""
    if event in _LISTING:
        is_import = frame.f_code.co_filename.startswith("<frozen importlib")
        path = absolute("." if args[0] is None else args[0])
        return None if is_import or path is None else ("lists", path)
    if _is_in_open_folder(event, args):
        return None
    if event == "sqlite3.connect":
        return connecting(args[0])
    if (path := absolute(args[1] if event in _LINKING else args[0])) is None:
        return None
    if event == "open":
        return _opening(path, *args[1:])
    if event == "os.rename":
        return "renames", path, absolute(args[1])
    if event in _LEAVING:
        return ("leaves", path) if _is_asked_by_user(frame) else None
    was = answer(path + THERE)
    if event in _CHANGING:
        return None if was == NOTHING else ("changes", path)
    if event in _REMOVING:
        return "removes", path, _does_not_mind(frame), was
    return "makes", path, _does_not_mind(frame), was


def _opening(path: str, mode: Any, flags: Any) -> Noted:
    if isinstance(mode, str):
        writes, empties, appends = bool(set(mode) & set("wax+")), bool(set(mode) & set("wx")), "a" in mode
    else:
        given = flags or 0
        writes, empties, appends = bool(given & _WRITING), bool(given & _EMPTYING), bool(given & os.O_APPEND)
    is_new = isinstance(mode, str) and "x" in mode
    return ("writes", path, not empties, appends, stand(path), is_new) if writes else ("reads", path)


def connecting(name: Any) -> Noted:
    """Say what it comes to that SQLite opens a file, which may be named by a URI: ``file:results.db?mode=ro``."""
    is_uri = isinstance(name, str) and name.startswith("file:")
    path = absolute(unquote(urlsplit(name).path) if is_uri else name)
    if path is None or os.path.basename(path) in (":memory:", "") or (is_uri and "mode=memory" in name):
        return None
    return ("reads", path) if is_uri and "mode=ro" in name else ("writes", path, True, False, stand(path))


def absolute(path: Any) -> str | None:
    """Return the absolute path that something names; None if it names none."""
    if not isinstance(path, (str, bytes, os.PathLike)):
        return None
    try:
        return os.path.abspath(os.fsdecode(path))
    except (OSError, ValueError, TypeError):
        return None


def _is_in_open_folder(event: str, args: tuple[Any, ...]) -> bool:
    """Whether a name is one in a folder given by its handle, as where a tree is removed: that is told as a whole."""
    return event.startswith("os.") and event not in _LISTING and isinstance(args[-1], int) and args[-1] > 2


def _does_not_mind(frame: FrameType | None) -> bool:
    """Whether code that makes or removes something does not mind what was there before (``exist_ok=True``).

    So it is with the folders above the one that `os.makedirs` is to make, and where the user's code asks first.
    """
    depth = 0
    while frame is not None and frame.f_globals.get("__name__") in _MODULES_THAT_MAKE:
        if any(frame.f_locals.get(name) for name in _DOES_NOT_MIND) or (depth and frame.f_code.co_name == "makedirs"):
            return True
        depth += frame.f_code.co_name == "makedirs"
        frame = frame.f_back
    return False


def _is_asked_by_user(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_globals.get("__name__") == "tempfile":
        frame = frame.f_back
    return frame is not None and is_users(frame)
