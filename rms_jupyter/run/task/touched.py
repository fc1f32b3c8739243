"""Which files does code open, write or list, wherever it has their names from, and what does it start?

Python tells its audit hooks (PEP 578). What libraries open below Python is not seen.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from rms_jupyter.working_folder import working_folder

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_EMPTYING = os.O_TRUNC | os.O_EXCL
_CHANGING = frozenset({"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate"})
_LISTING = frozenset({"os.listdir", "os.scandir"})
_STARTING = {"subprocess.Popen": "a program", "os.system": "a program", "sqlite3.connect": "a database"}
_EVENTS = frozenset({"open", *_CHANGING, *_LISTING, *_STARTING})
_CODE = (".py", ".pyc", ".so", ".pyd")
_KEPT_BY_LIBRARIES = ("/.", ".rms/", "/rms-run-", "__pycache__", "site-packages")
_OF_THE_SYSTEM = ("/usr/", "/lib", "/etc/", "/proc/", "/sys/", "/dev/", "/run/")


class Touched:
    """What code touches in a block, in this thread or what is awaited; blocks may be nested.

    Attributes
    ----------
    read, changed, listed : dict of str to None
        Absolute paths of files that were opened for reading, of what was written, made or removed, and of folders
        whose names were asked for.
    kept_content : set of str
        Files that were opened for writing with what they held.
    started : list of str
        Programs and databases.
    certain : set of str
        Those of the paths that are the user's, wherever they lie.
    """

    read: dict[str, None]
    changed: dict[str, None]
    listed: dict[str, None]
    kept_content: set[str]
    started: list[str]
    certain: set[str]
    is_new = True

    def __getattr__(self, name: str) -> Any:
        """Make what things are noted in when it is asked for: most code touches nothing."""
        if not self.is_new or name.startswith("__"):
            raise AttributeError(name)
        self.read, self.changed, self.listed, self.kept_content, self.started = {}, {}, {}, set(), []
        self.certain = set()
        self.is_new = False  # Last: an interrupt may come in between.
        return getattr(self, name)

    def __enter__(self) -> Touched:
        global _is_hooked
        if not _is_hooked:
            _is_hooked = True
            sys.addaudithook(_note)
        _blocks.set((*_blocks.get(), self))
        return self

    def __exit__(self, *error: object) -> None:
        blocks = _blocks.get()
        is_last = bool(blocks) and blocks[-1] is self
        _blocks.set(blocks[:-1] if is_last else tuple(block for block in blocks if block is not self))

    def __bool__(self) -> bool:
        """Whether anything was touched."""
        return not self.is_new

    @property
    def rewritten(self) -> list[str]:
        """What was written from its beginning."""
        return [path for path in self.changed if path not in self.kept_content]

    def unnamed(self, named: Collection[str], but: str) -> str:
        """Say what was written beside files that are named, and a folder of our own; '' if nothing was."""
        for path in self.changed:
            if path not in named and not path.startswith((but + os.sep, "/dev/")) and "__pycache__" not in path:
                return f"it writes {in_short(path)}, which its text does not name"
        return f"it uses {self.started[0]}" if self.started else ""

    def files_read(self, named: Collection[str]) -> list[str]:
        """The user's files that were read, and are there, beside what is named."""
        paths = [path for path in self.read if path not in self.changed]
        return [path for path in self._beside(named, paths) if os.path.isfile(path)]

    def files_written(self, named: Collection[str]) -> list[str]:
        """The user's files that were written from their beginning, and are there, beside what is named."""
        return [path for path in self._beside(named, self.rewritten) if os.path.isfile(path)]

    def folders_listed(self, named: Collection[str]) -> list[str]:
        """The user's folders whose names were asked for, beside what is named."""
        return [path for path in self._beside(named, self.listed) if os.path.isdir(path)]

    def _beside(self, named: Collection[str], paths: Iterable[str]) -> Iterator[str]:
        """Those of the user's paths that are not named, and lie in no folder that is."""
        folders = tuple(os.path.join(path, "") for path in named)
        beside = (path for path in paths if not f"{path}/".startswith(folders))
        return (path for path in beside if path in self.certain or _is_the_users(f"{path}/"))


_blocks: ContextVar[tuple[Touched, ...]] = ContextVar("rms_touched", default=())
_is_hooked = False


@contextmanager
def untouched() -> Iterator[None]:
    """Let what is touched in a block count for nobody."""
    blocks = _blocks.get()
    _blocks.set(())
    try:
        yield
    finally:
        _blocks.set(blocks)


def note_elsewhere(read: Iterable[str], written: Iterable[str], listed: Iterable[str]) -> None:
    """Note what another process has done for the task that runs here, with files that are known to be the user's."""
    read, written, listed = list(read), list(written), list(listed)
    for block in _blocks.get():
        block.read.update(dict.fromkeys(read))
        block.changed.update(dict.fromkeys(written))
        block.listed.update(dict.fromkeys(listed))
        block.certain.update(read, written, listed)


def _note(event: str, args: tuple[Any, ...]) -> None:
    if event not in _EVENTS or not (blocks := _blocks.get()):
        return
    if event in _STARTING:
        for block in blocks:
            block.started.append(_STARTING[event])
        return
    path = args[0] if args[0] is not None else "."
    if not isinstance(path, (str, bytes, os.PathLike)):
        return
    try:
        absolute = os.path.abspath(os.fsdecode(path))
    except (OSError, ValueError):
        return
    if event == "open":
        _note_open(blocks, absolute, *args[1:])
    elif event in _CHANGING:
        for block in blocks:
            block.changed[absolute] = None
    elif not sys._getframe(1).f_code.co_filename.startswith("<frozen importlib"):
        for block in blocks:
            block.listed[absolute] = None


def _note_open(blocks: Iterable[Touched], path: str, mode: Any, flags: Any) -> None:
    if isinstance(mode, str):
        writes, empties = bool(set(mode) & set("wax+")), bool(set(mode) & set("wx"))
    else:
        writes, empties = bool((flags or 0) & _WRITING), bool((flags or 0) & _EMPTYING)
    for block in blocks:
        if not writes:
            block.read[path] = None
            continue
        if not empties and path not in block.changed:
            block.kept_content.add(path)
        block.changed[path] = None


def _is_the_users(path: str) -> bool:
    """Tell the user's data from what Python and its libraries keep: code, settings, caches, temporary files."""
    if path.rstrip("/").endswith(_CODE) or any(part in path for part in _KEPT_BY_LIBRARIES):
        return False
    if path.startswith((*_OF_THE_SYSTEM, os.path.join(sys.prefix, ""), os.path.join(sys.base_prefix, ""))):
        return False
    return path.startswith(os.path.join(working_folder(), "")) or not path.startswith(tempfile.gettempdir() + os.sep)


def in_short(path: str) -> str:
    """Write a path as it is from the working directory, where it lies in that."""
    inside = os.path.join(working_folder(), "")
    return path.removeprefix(inside)
