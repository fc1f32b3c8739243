"""Which files does a cell write, and what does it start, that its text does not name?"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGING = frozenset({"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate"})
_STARTING = {"subprocess.Popen": "a program", "os.system": "a program", "sqlite3.connect": "a database"}


class Writes:
    """What was written or started in this thread, while this is the current one."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.paths: list[str] = []
        self.started: list[str] = []

    def begin(self) -> None:
        """Take note from now on."""
        global _current, _is_hooked
        _current = self
        if not _is_hooked:
            _is_hooked = True
            sys.addaudithook(_note)

    def end(self) -> None:
        """Take no more note."""
        global _current
        _current = None

    def unnamed(self, named: list[str], but: str) -> str:
        """Say what was written beside files that are named, and a folder of our own; '' if nothing was."""
        for path in self.paths:
            absolute = os.path.abspath(path)
            if absolute not in named and not absolute.startswith((but + os.sep, "/dev/")) and "__pycache__" not in path:
                return f"it writes {path}, which its text does not name"
        return f"it uses {self.started[0]}" if self.started else ""


_current: Writes | None = None
_is_hooked = False


def _note(event: str, args: tuple[Any, ...]) -> None:
    current = _current
    if current is None or threading.get_ident() != current.thread:
        return
    if event == "open":
        path, mode, flags = args
        writes = bool(set(mode) & set("wax+")) if isinstance(mode, str) else bool((flags or 0) & _WRITING)
        if writes and isinstance(path, (str, bytes, os.PathLike)):
            current.paths.append(os.fsdecode(path))
    elif event in _CHANGING and isinstance(args[0], (str, bytes, os.PathLike)):
        current.paths.append(os.fsdecode(args[0]))
    elif event in _STARTING:
        current.started.append(_STARTING[event])
