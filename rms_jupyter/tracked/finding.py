"""Which scripts and notebooks do paths name?  Files, patterns, and folders with what is in them."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Iterable, Iterator, Sequence

from rms_jupyter.errors import RmsError

ENDINGS = (".py", ".ipynb")


def find_scripts(
    paths: Iterable[str | os.PathLike[str]], folder: str, recursive: bool = False, exclude: Sequence[str] = ()
) -> list[str]:
    """Return the absolute paths of scripts and notebooks, in order, each once.

    Parameters
    ----------
    paths : iterable of path-like
        Files, patterns (``**`` goes into folders), folders.
    folder : str
        Where relative ones start.
    recursive : bool
        Whether folders in folders are looked into.
    exclude : sequence of str
        Patterns over names, or over paths where they have a slash; what is named itself is taken all the same.

    Raises
    ------
    RmsError
        If one names nothing, or a file that is neither a script nor a notebook.
    """
    found: dict[str, None] = {}
    for path in [os.fspath(path) for path in paths]:
        absolute = os.path.normpath(os.path.join(folder, path))
        if os.path.isfile(absolute):
            if not absolute.endswith(ENDINGS):
                raise RmsError(f"{path} is not a script (.py) or notebook (.ipynb)", hint="name one of these")
            found[absolute] = None
            continue
        inside = sorted(_inside(absolute, recursive))
        if not inside:
            raise RmsError(f"no script or notebook at {path}", hint="name files, folders, or patterns in quotes")
        found.update(dict.fromkeys(own for own in inside if not is_excluded(own, folder, exclude)))
    return list(found)


def _inside(path: str, recursive: bool) -> Iterator[str]:
    """Scripts in a folder, or those that a pattern names."""
    if os.path.isdir(path):
        for place, folders, names in os.walk(path):
            folders[:] = [name for name in folders if not name.startswith((".", "__"))] if recursive else []
            yield from (os.path.join(place, name) for name in names if name.endswith(ENDINGS))
        return
    for found in glob.iglob(path, recursive=True):
        if os.path.isfile(found) and found.endswith(ENDINGS):
            yield os.path.normpath(found)


def is_excluded(path: str, folder: str, exclude: Sequence[str]) -> bool:
    """Whether a path fits one of some patterns.

    Examples
    --------
    >>> is_excluded("/p/scripts/a_old.py", "/p", ["*_old.py"]), is_excluded("/p/a.py", "/p", ["scripts/*"])
    (True, False)
    """
    return any(fits(path, folder, pattern) for pattern in exclude) or ".ipynb_checkpoints" in path


def fits(path: str, folder: str, pattern: str) -> bool:
    """Whether a path fits a pattern, over its name or (with a slash) over all of it, seen from a folder."""
    if "/" not in pattern:
        return fnmatch.fnmatchcase(os.path.basename(path), pattern)
    return fnmatch.fnmatchcase(path, os.path.normpath(os.path.join(folder, pattern)))
