"""What has the notebook put into packages and their classes: ``constants.c = 3``, ``json.JSONEncoder.encode = mine``?

Packages count by their versions, so this is looked for in the text of its cells. What takes the place of something
counts for all code, which may get there on any way; what is new, where it is named.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import pathlib
import re
import sys
import types
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from rms_jupyter.fingerprint.anatomy import getattr_or_none
from rms_jupyter.fingerprint.assigning import may_assign_attributes
from rms_jupyter.fingerprint.named_in_packages import SEEN_OTHERWISE, called
from rms_jupyter.fingerprint.origin import kind_of
from rms_jupyter.fingerprint.parsing import parse
from rms_jupyter.fingerprint.version import MISSING
from rms_jupyter.upon_import import UponImport

_NO_CODE = re.compile(r"^\s*[%!].*$", re.MULTILINE)

Path = tuple[str, ...]


class Put(NamedTuple):
    """An attribute of a package or class that the notebook assigns or deletes; `came`: what it was before."""

    owner: Any
    name: str
    came: Any
    was_there: bool

    @property
    def label(self) -> str:
        """What a person calls it."""
        return f"{called(self.owner)}.{self.name}"

    def now(self) -> Any:
        """What is there now."""
        return vars(self.owner).get(self.name, MISSING)


_found: dict[tuple[int, str], Put] = {}
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
    imported = dict(_imports(tree))
    for root, *attributes in _assigned(tree):
        if root in imported:
            module, *inner = imported[root]
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
    return list(_found.values())


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


def _note(owner: Any, path: Path, has_run: bool = False) -> None:
    for attribute in path[:-1]:
        owner = getattr_or_none(owner, attribute)
    if not isinstance(owner, (types.ModuleType, type)):
        return
    home = owner.__name__ if isinstance(owner, types.ModuleType) else owner.__module__
    if kind_of(home) in ("package", "stdlib") and home.partition(".")[0] not in SEEN_OTHERWISE:
        came = MISSING if has_run else vars(owner).get(path[-1], MISSING)
        was_there = has_run or getattr_or_none(owner, path[-1]) is not None
        _found.setdefault((id(owner), path[-1]), Put(owner, path[-1], came, was_there))


def _note_what_comes(module: Any) -> None:
    for path in _to_come.pop(module.__name__, ()):
        _note(module, path)


_upon_import = UponImport(_to_come.keys(), _note_what_comes)


def _assigned(tree: ast.Module) -> Iterator[Path]:
    """Find the attributes that are assigned or deleted: ``("json", "JSONEncoder", "encode")``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, (ast.Store, ast.Del)):
            yield from _as_path(node)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("setattr", "delattr"):
            match node.args:
                case [of, ast.Constant(value=str(name)), *_]:
                    yield from ((*path, name) for path in _as_path(of))


def _as_path(node: ast.expr) -> Iterator[Path]:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        yield (node.id, *reversed(names))


def _imports(tree: ast.Module) -> Iterator[tuple[str, Path]]:
    """Find what the names stand for that a cell imports: modules, and what is in them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or whole, (whole,)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_module = inner in sys.modules
                yield alias.asname or alias.name, (inner,) if is_module else (node.module, alias.name)
