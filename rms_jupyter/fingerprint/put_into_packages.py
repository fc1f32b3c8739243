"""What has the notebook put into packages and their classes: ``constants.c = 3``, ``json.JSONEncoder.encode = mine``?

Packages count by their versions, so this is looked for in the text of its cells, and in the user's modules. What takes
the place of something counts for all code, which may get there on any way; what is new, where it is named.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pathlib
import re
import sys
import types
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from rms_jupyter.fingerprint.anatomy import getattr_or_none
from rms_jupyter.fingerprint.assigned_in_text import ANY, Path, assigned, assigned_by_full_name, imported
from rms_jupyter.fingerprint.assigning import may_assign_attributes
from rms_jupyter.fingerprint.origin import kind_of
from rms_jupyter.fingerprint.parsing import parse
from rms_jupyter.fingerprint.version import MISSING
from rms_jupyter.upon_import import UponImport

_OWNERS = re.compile(r"^[ \t]*(\w+)\.\w[\w.]*(?: *,[^=\n]*)?\s*(?:[^\w\s]{1,3})?=(?!=)", re.MULTILINE)
_OTHER_OWNERS = re.compile(r"(?:attr|vars|object)\(\s*(\w+)|(\w+)[\w.]*\.__dict__")
_IMPORTED = re.compile(r"\b(?:import|as)[ \t(]+(\w+)")
_OF_PYTHON = f"{os.sep}lib{os.sep}python3"
_NO_CODE = re.compile(r"^\s*[%!].*$", re.MULTILINE)
_SEEN_OTHERWISE = frozenset({"sys", "builtins", "os", "IPython"})


class Put(NamedTuple):
    """An attribute of a package or class that the notebook assigns or deletes; `came`: what it was before."""

    owner: Any
    name: str
    came: Any
    was_there: bool

    @property
    def label(self) -> str:
        """What a person calls it."""
        return f"{getattr(self.owner, '__qualname__', self.owner.__name__)}.{self.name}"

    def now(self) -> Any:
        """What is there now."""
        return vars(self.owner).get(self.name, MISSING)


_found: dict[tuple[int, str], Put] = {}
_wholes: dict[int, tuple[Any, dict[str, Any]]] = {}  # Of what names that are made up may be assigned, and how it was.
_looked_at: set[str] = set()  # Modules.
_to_come: dict[str, dict[Path, None]] = {}  # In modules that are not imported yet.


def look_for_assignments(text: str, names: Mapping[str, Any], has_run: bool = False) -> None:
    """Note what a cell puts into packages, before it runs.

    Parameters
    ----------
    text : str
    names : mapping
        The notebook's variables.
    has_run : bool
        Whether it has run already, so that nobody knows what was there before.
    """
    if not may_assign_attributes(text):
        return
    try:
        tree = parse(_NO_CODE.sub("pass", text))
    except (SyntaxError, ValueError, RecursionError):
        return
    by_full_name = [*assigned_by_full_name(tree)]
    known = {root: (root,) for root, *_ in by_full_name} | dict(imported(tree))
    for root, *attributes in (*assigned(tree), *by_full_name):
        if root in known:
            module, *inner = known[root]
            path = (*inner, *attributes)
            if module in sys.modules:
                _note(sys.modules[module], path, has_run)
            elif kind_of(module) != "user":
                _to_come.setdefault(module, {})[path] = None
                _upon_import.listen()
        elif isinstance(names.get(root), (types.ModuleType, type)):
            _note(names[root], tuple(attributes), has_run)


def put_by_notebook() -> list[Put]:
    """Find all places in packages that the notebook has put something into, or is about to."""
    _look_at_script()
    _look_at_modules()
    for owner, before in _wholes.values():
        now = vars(owner)
        for name in sorted(before.keys() | now.keys()):
            if now.get(name, MISSING) is not (was := before.get(name, MISSING)):
                _found.setdefault((id(owner), name), Put(owner, name, was, name in before))
    return list(_found.values())


def may_put_more() -> bool:
    """Whether something may be put there by a name that is made up while code runs."""
    return bool(_wholes)


def counting(names: Collection[str]) -> Iterator[Put]:
    """Find those of them that count for code that names some attributes."""
    return (put for put in put_by_notebook() if put.was_there or put.name in names)


@functools.cache
def _look_at_script() -> None:
    """Look at what runs, if that is no notebook."""
    script = str(getattr(sys.modules["__main__"], "__file__", ""))
    if script.endswith(".py"):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            look_for_assignments(pathlib.Path(script).read_text(), vars(sys.modules["__main__"]), has_run=True)


def _look_at_modules() -> None:
    """Look at what was imported since, if it is the user's."""
    if len(_looked_at) == len(sys.modules):
        return
    new = sys.modules.keys() - _looked_at
    _looked_at.intersection_update(sys.modules)
    _looked_at.update(new)
    for name in sorted(new - {"__main__"}):
        module = sys.modules[name]
        path = str(_names_of(module).get("__file__"))
        if not path.endswith(".py") or _OF_PYTHON in path or kind_of(name) != "user":
            continue
        with contextlib.suppress(OSError, UnicodeDecodeError):
            text = pathlib.Path(path).read_text()
            if _may_assign_for_others(text, vars(module)):
                look_for_assignments(text, vars(module), has_run=True)


def _names_of(module: Any) -> Mapping[str, Any]:
    """What is in a module, without asking one for more that imports itself when it is asked."""
    names: Any = getattr_or_none(module, "__dict__")
    return names if isinstance(names, dict) else {}


def _may_assign_for_others(text: str, names: Mapping[str, Any]) -> bool:
    """Whether a module may assign attributes of others, and not only of what is made in it."""
    if "patch(" in text:
        return True
    owners = {*_OWNERS.findall(text)} - {"self", "cls"}
    if any(word in text for word in ("setattr(", "delattr(", "vars(", "object(", "__dict__")):
        owners.update(owner for found in _OTHER_OWNERS.findall(text) for owner in found)
    is_known = any(isinstance(names.get(owner), (types.ModuleType, type)) for owner in owners)
    return is_known or not owners.isdisjoint(_IMPORTED.findall(text))


def _note(owner: Any, path: Path, has_run: bool = False) -> None:
    for attribute in path[:-1]:
        owner = getattr_or_none(owner, attribute)
    if not isinstance(owner, (types.ModuleType, type)):
        return
    home = owner.__name__ if isinstance(owner, types.ModuleType) else owner.__module__
    if kind_of(home) not in ("package", "stdlib") or home.partition(".")[0] in _SEEN_OTHERWISE:
        return
    if path[-1] == ANY:
        _wholes.setdefault(id(owner), (owner, dict(vars(owner))))
    else:
        came = MISSING if has_run else vars(owner).get(path[-1], MISSING)
        was_there = has_run or getattr_or_none(owner, path[-1]) is not None
        _found.setdefault((id(owner), path[-1]), Put(owner, path[-1], came, was_there))


def _note_what_comes(module: Any) -> None:
    for path in _to_come.pop(module.__name__, ()):
        _note(module, path)


_upon_import = UponImport(_to_come.keys(), _note_what_comes)
