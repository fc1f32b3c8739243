"""Which files did a call write, and what becomes of those that it did not finish?"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection, Mapping
from typing import NamedTuple

from rms_jupyter.fingerprint.trees import PathStat, TooManyFiles, existing, look

_MOST_APART = 1000


class PathChanges(NamedTuple):
    """What a call did to the paths that were watched; see `execute.Outcome`."""

    written: list[str]
    read: list[str]
    shared: list[str]


def seen(path: str) -> PathStat | None:
    """Look at a file or folder; None where there is neither, or it cannot be looked at."""
    try:
        return look(path) if existing(path) else None
    except (OSError, TooManyFiles):
        return None


def changes_since(before: Mapping[str, PathStat | None], declared: Collection[str]) -> PathChanges:
    """Find what has changed since paths were looked at.

    Of a folder that was there, with files in it, the files count that were written: others may write there, too.
    """
    changes = PathChanges([], [], [])
    for path, then in before.items():
        now = seen(path)
        if path in declared:
            if existing(path):
                changes.written.append(path)
        elif now is None or then is None:
            if existing(path):
                (changes.read if then is now else changes.written).append(path)
        elif now.mark == then.mark:
            changes.read.append(path)
        elif not (then.is_folder and now.is_folder and then.entries):
            changes.written.append(path)
        else:
            files = _changed_files(then, now)
            changes.shared.append(path)
            changes.written.extend(files if len(files) <= _MOST_APART else [path])
    for folder in changes.written:
        changes.read[:] = [path for path in changes.read if not path.startswith(folder + os.sep)]
    return PathChanges(list(dict.fromkeys(changes.written)), changes.read, changes.shared)


def _changed_files(then: PathStat, now: PathStat) -> list[str]:
    before = {entry.name: entry.stat for entry in then.entries}
    return [e.path for e in now.entries if e.stat is not None and not _is_same(before.get(e.name), e.stat)]


def _is_same(a: os.stat_result | None, b: os.stat_result) -> bool:
    def figures(found: os.stat_result) -> tuple[int, ...]:
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    return a is not None and figures(a) == figures(b)


def move_aside(before: Mapping[str, PathStat | None], declared: Collection[str]) -> list[str]:
    """Rename what a call that has failed wrote of its declared outputs: nobody shall take half of one for the whole.

    Returns
    -------
    list of str
        Where it is now.
    """
    moved = []
    for path in declared:
        then, now = before[path], seen(path)
        if now is None or (then is not None and then.mark == now.mark):
            continue
        aside = f"{path}.failed"
        with contextlib.suppress(OSError):
            if os.path.isdir(aside) and not os.path.islink(aside):
                shutil.rmtree(aside)
            os.replace(path, aside)
            moved.append(aside)
    return moved
