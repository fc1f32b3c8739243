"""Which figures were saved in a folder?  By their names, each with its formats and the task that it says it is of."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from rms_jupyter.figures.formats import KNOWN
from rms_jupyter.figures.mark import TaskMark, marks_in

_SHOWN_FIRST = [f".{name}" for name in KNOWN]


class SavedFigure(NamedTuple):
    """A figure as it was saved: its files, those that can be shown first, and when, in nanoseconds since 1970."""

    name: str
    files: tuple[str, ...]
    mark: TaskMark
    saved: int


class SavedFigures:
    """The figures in a folder; a file that has not changed is read once.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._marks: dict[tuple[str, int, int], TaskMark | None] = {}

    def latest(self, most: int) -> list[SavedFigure]:
        """List the figures that were saved last, the latest first."""
        times: dict[str, int] = {}
        files: dict[str, list[str]] = {}
        states: dict[str, tuple[str, int, int]] = {}
        entries = [one for one in os.scandir(self._folder) if one.name[0] != "."] if self._folder.is_dir() else []
        for entry in entries:
            stem, suffix = os.path.splitext(entry.name)
            found = entry.stat(follow_symlinks=False)
            if suffix in _SHOWN_FIRST:
                times[stem] = max(found.st_mtime_ns, times.get(stem, 0))
                files.setdefault(stem, []).append(entry.name)
                states[entry.name] = (entry.name, found.st_mtime_ns, found.st_size)
        listed = []
        for stem in sorted(times, key=lambda stem: (times[stem], stem), reverse=True)[:most]:
            own = sorted(files[stem], key=lambda name: _SHOWN_FIRST.index(os.path.splitext(name)[1]))
            if (mark := self._mark(states[own[0]])) is not None:
                listed.append(SavedFigure(stem, tuple(own), mark, times[stem]))
        return listed

    def _mark(self, state: tuple[str, int, int]) -> TaskMark | None:
        if state not in self._marks:
            self._marks[state] = next(iter(marks_in(self._folder / state[0])), None)
        return self._marks[state]
