"""Which git commit is the project at, and was it changed since?

Git is asked in the background, once for all runs that begin while it answers, and at most once a second; what it says
comes on record after the run. It may run no program that the project names in its configuration.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rms_jupyter.errors import RmsError

PATIENCE = 10.0
_PAUSE = 1.0
_AT_CLOSING = 1.0
_STATUS = ("status", "--porcelain=v2", "--branch", "--untracked-files=no", "--ignore-submodules=all")
_FILTERS = ("config", "--show-scope", "--name-only", "--get-regexp", r"^filter\..*\.(clean|process)$")
_OF_THE_PROJECT = ("local", "worktree")
_SAFE = {"core.fsmonitor": "false", "core.hooksPath": os.devnull}
_OFFLINE = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


class Commit(NamedTuple):
    """A commit, and whether files that git tracks were changed since."""

    name: str
    dirty: bool


class Checkouts:
    """Notes the commits at which runs began.

    Parameters
    ----------
    project : Path
        A folder, in a repository or not.
    write : callable
        Puts a commit on record for some runs, by their ids.
    """

    def __init__(self, project: Path, write: Callable[[Sequence[int], Commit], object]) -> None:
        self._project, self._write = project, write
        self._runs: list[int] = []
        self._thread: threading.Thread | None = None
        self._forget()

    def note(self, run: int) -> None:
        """Note the commit for a run that begins."""
        if os.getpid() != self._process:
            self._forget()
        if self._closing.is_set() or not _is_in_repository(self._project):
            return
        with self._lock:
            self._runs.append(run)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="rms-git", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Finish what was noted, within a second; then nothing is written any more."""
        self._closing.set()
        thread = self._thread
        if thread is not None and os.getpid() == self._process:
            thread.join(_AT_CLOSING)
        with self._lock:
            self._runs.clear()
            self._is_closed = True

    def _forget(self) -> None:
        """Begin, also in a child after a fork: threads and locks are the parent's."""
        self._process, self._lock, self._closing = os.getpid(), threading.Lock(), threading.Event()
        self._runs, self._thread, self._is_closed = [], None, False

    def _work(self) -> None:
        while runs := self._take():
            # There may be no git, it may take too long, and the disk may be full.
            with contextlib.suppress(OSError, subprocess.SubprocessError, RmsError):
                commit = look(self._project)
                with self._lock:
                    if commit is not None and not self._is_closed:
                        self._write(runs, commit)
            self._closing.wait(_PAUSE)

    def _take(self) -> list[int]:
        with self._lock:
            runs, self._runs = self._runs, []
            if not runs:
                self._thread = None
            return runs


def look(project: Path) -> Commit | None:
    """Ask git for the commit of a project; None where there is none.

    Raises
    ------
    OSError, subprocess.SubprocessError
        If there is no git, or it takes too long.
    """
    said = _git(project, _STATUS, _SAFE | _without_filters(project)).splitlines()
    name = next((line.rpartition(" ")[2] for line in said if line.startswith("# branch.oid ")), "")
    if not name.isalnum():
        return None  # Not a repository, or one without a commit: "(initial)".
    return Commit(name, any(not line.startswith("#") for line in said))


def _without_filters(project: Path) -> dict[str, str]:
    """Settings that switch off the programs through which the project's own configuration would send files."""
    settings: dict[str, str] = {}
    for line in _git(project, _FILTERS, {}).splitlines():
        scope, _, name = line.partition("\t")
        if scope in _OF_THE_PROJECT:
            settings |= {name: "", f"{name.rpartition('.')[0]}.required": "false"}
    return settings


def _git(project: Path, arguments: Sequence[str], settings: Mapping[str, str]) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | _OFFLINE
    for number, (name, value) in enumerate(settings.items()):
        environment |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    ran = subprocess.run(
        ["git", "-C", project, "--no-optional-locks", *arguments],
        env={**environment, "GIT_CONFIG_COUNT": str(len(settings))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=PATIENCE,
        start_new_session=True,
        check=False,
    )
    return ran.stdout.decode("utf-8", "replace")


def _is_in_repository(folder: Path) -> bool:
    return any(os.path.exists(os.path.join(parent, ".git")) for parent in (folder, *folder.parents))
