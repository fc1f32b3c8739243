"""Where is a file, seen from the project?  What lies in it goes along when the project is moved, cloned or shared.

The project is the folder that holds the store. A place is a path from there, or an absolute path
where it leads elsewhere.
"""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import Any

from rms_jupyter.model import Reference

IN_PROJECT = "\0in the project\0"
_DEEPEST = 4
_MOST_ITEMS = 10_000


class Project:
    """The folder of a project, as the paths of its files are spelled.

    Parameters
    ----------
    folder : str
        Absolute path.

    Attributes
    ----------
    folder : str

    Examples
    --------
    >>> project = Project("/home/ada/flights")
    >>> project.place("/home/ada/flights/raw/07.csv"), project.place("/etc/hosts"), project.place("/home/ada/flights")
    ('raw/07.csv', '/etc/hosts', '.')
    >>> project.absolute("raw/07.csv"), project.absolute("/etc/hosts"), project.absolute(".")
    ('/home/ada/flights/raw/07.csv', '/etc/hosts', '/home/ada/flights')
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._inside = os.path.join(folder, "")

    def place(self, path: str) -> str:
        """Return the place of an absolute path; what is a place already stays as it is."""
        if path.startswith(self._inside):
            return path[len(self._inside) :] or "."
        return "." if path == self.folder else path

    def absolute(self, place: str) -> str:
        """Return the absolute path of a place; no path stays none."""
        if not place or place.startswith(os.sep):
            return place
        return self.folder if place == "." else self._inside + place

    def placed(self, value: Any) -> Any:
        """Return what stands for an argument wherever the project lies, or None where that is the value itself.

        That is paths in the project, as text, path objects or files on record, in lists, tuples and dicts too.
        """
        return self._placed(value, _DEEPEST, {})

    def _placed(self, value: Any, depth: int, known: dict[tuple[int, int], Any]) -> Any:
        kind = type(value)
        if kind is str:
            place = self.place(value) if value.startswith(self.folder) else value
            return None if place is value or place == value else (IN_PROJECT, place)
        if issubclass(kind, PurePath):
            place = self.place(str(value))
            return None if place == str(value) else (IN_PROJECT, kind.__name__, place)
        if issubclass(kind, Reference) and (ref := value._rms_ref()).path:
            place = self.place(ref.path)
            return None if place == ref.path else (IN_PROJECT, "file", place, ref.digest)
        if kind not in (list, tuple, dict) or not depth or not 0 < len(value) <= _MOST_ITEMS:
            return None
        if (id(value), depth) not in known:
            known[id(value), depth] = self._placed_items(value, depth - 1, known)
        return known[id(value), depth]

    def _placed_items(self, value: Any, depth: int, known: dict[tuple[int, int], Any]) -> Any:
        items = value.values() if isinstance(value, dict) else value
        found = [self._placed(item, depth, known) for item in items]
        if all(item is None for item in found):
            return None
        new = [item if other is None else other for item, other in zip(items, found, strict=True)]
        return dict(zip(value, new, strict=True)) if isinstance(value, dict) else type(value)(new)


def project_around(store: str) -> Project:
    """Return the project of a store, spelled as the working directory is, if that lies in it."""
    folder = os.path.dirname(store)
    real = os.path.realpath(folder)
    try:
        here = os.path.join(os.getcwd(), "")
    except OSError:
        return Project(folder)
    is_elsewhere = not here.startswith(os.path.join(folder, ""))
    return Project(real if is_elsewhere and here.startswith(os.path.join(real, "")) else folder)
