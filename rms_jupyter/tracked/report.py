"""What did a script do to files, as its process has written it down?  Which of these are the user's?"""

from __future__ import annotations

import json
import os
import site
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rms_jupyter.errors import ScriptEdited
from rms_jupyter.run.task.touched import note_elsewhere
from rms_jupyter.tracked.code import CodeState, Stamp, read_code

_INSTALLED = tuple(
    os.path.join(folder, "")
    for folder in {
        *sysconfig.get_paths().values(), *site.getsitepackages(), site.getusersitepackages(),
        sys.prefix, sys.base_prefix,
    }
)  # fmt: skip
_OF_THE_SYSTEM = ("/usr/", "/lib", "/etc/", "/proc/", "/sys/", "/dev/", "/run/", "/var/")
_OURS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")


@dataclass
class ScriptReport:
    """What a script has done.

    Attributes
    ----------
    read, written, changed, listed : dict of str to None
        Paths; what was changed was opened with what it held.
    code : dict of str to tuple
        The states of the modules that it has read.
    named : dict of str to tuple
        The states of files that commands name which it has started.
    raised : tuple of str
        The exception that has ended it: its type, what it says, its traceback; empty if none has.
    unsaved : str
        Why a figure could not be saved.
    """

    read: dict[str, None] = field(default_factory=dict)
    written: dict[str, None] = field(default_factory=dict)
    changed: dict[str, None] = field(default_factory=dict)
    listed: dict[str, None] = field(default_factory=dict)
    code: dict[str, Stamp] = field(default_factory=dict)
    named: dict[str, Stamp] = field(default_factory=dict)
    raised: tuple[str, ...] = ()
    unsaved: str = ""

    @classmethod
    def of(cls, lines: Iterable[bytes]) -> ScriptReport:
        """Read what was written down; a line that was cut off says nothing."""
        report = cls()
        for line in lines:
            try:
                word, *rest = json.loads(line)
            except ValueError:
                continue
            report._take(word, rest)
        return report

    def _take(self, word: str, rest: list[Any]) -> None:
        if word in ("code", "named"):
            time, size, inode = rest[1]
            getattr(self, word).setdefault(rest[0], (time, size, inode))
        elif word == "raised":
            self.raised = tuple(rest)
        elif word == "unsaved":
            self.unsaved = rest[0]
        elif word in ("read", "written", "changed", "listed"):
            getattr(self, word)[rest[0]] = None

    def pass_on(self, project: str, store: str, described: Mapping[str, CodeState]) -> None:
        """Let the task that runs here have done what the script did, with files of the user's.

        Parameters
        ----------
        project : str
            The folder whose files are the user's, wherever it lies.
        store : str
            The folder of the store, whose files are not.
        described : mapping of str to CodeState
            The files that count by their code already.

        Raises
        ------
        ScriptEdited
            If one of these was in another state when it was read.
        """
        is_users = _Users(project, store)
        written = [path for path in self.written if is_users(path) and os.path.isfile(path)]
        plugins = [path for path in self.code if path not in described and is_users(path)]
        kept = [path for path, stamp in self.named.items() if _stamp(path) == stamp]
        touched = {**self.written, **self.changed, **described}
        read = [path for path in (*self.read, *kept) if path not in touched and is_users(path)]
        note_elsewhere([*read, *plugins], written, filter(is_users, self.listed))
        for path, stamp in self.code.items():
            if path in described and not _is_same(path, stamp, described[path]):
                name = os.path.basename(path)
                raise ScriptEdited(f"{name} was edited before it was read", hint="run it again: %rms run")


def _stamp(path: str) -> Stamp | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _is_same(path: str, stamp: Stamp, described: CodeState) -> bool:
    """Whether what was read of a file says what was described, though it may have been written again."""
    if described.stamp == stamp:
        return True
    now = read_code(path)
    return now.stamp == stamp and now.said.digest == described.digest


class _Users:
    """Tells the user's files from what Python, its libraries and this package keep."""

    def __init__(self, project: str, store: str) -> None:
        self._project, self._store = os.path.join(project, ""), os.path.join(store, "")
        self._temporary = os.path.join(tempfile.gettempdir(), "")

    def __call__(self, path: str) -> bool:
        inside = f"{path}/".startswith(self._project)
        shown = path.removeprefix(self._project) if inside else path
        if f"{path}/".startswith((self._store, *_INSTALLED, _OURS)) or "__pycache__" in path or "site-packages" in path:
            return False
        if any(part.startswith(".") for part in shown.split(os.sep)):
            return False
        return inside or not f"{path}/".startswith((*_OF_THE_SYSTEM, self._temporary))
