"""Which attributes does some text of Python assign or delete, on which way ever?

Each is a path: ``("json", "JSONEncoder", "encode")``. Where the name is made up while the code runs it is `ANY`.
"""

from __future__ import annotations

import ast
import contextlib
import sys
from collections.abc import Iterator

from rms_jupyter.fingerprint.parsing import parse

Path = tuple[str, ...]
ANY = "*"

_SETTING = frozenset({"setattr", "delattr", "object"})  # Of Python, of pytest's monkeypatch; `mock.patch.object`.
_CHANGING = frozenset({"update", "pop", "setdefault", "clear", "__setitem__", "__delitem__"})


def assigned(tree: ast.AST) -> Iterator[Path]:
    """Find the attributes that are assigned by names and in places that the text has."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, (ast.Store, ast.Del)):
            yield from _as_path(node)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del)):
            yield from _any_in_names(node.value)
        elif isinstance(node, ast.Call):
            yield from _assigned_by_call(_last_name(node.func), node.args)
            if isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGING:
                yield from _any_in_names(node.func.value)


def assigned_by_full_name(tree: ast.AST) -> Iterator[Path]:
    """Find what is assigned by its name in a text: ``mock.patch("json.JSONEncoder.encode")``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last_name(node.func) in ("patch", "setattr", "delattr"):
            match node.args:
                case [ast.Constant(value=str(name)), *_] if "." in name:
                    yield tuple(name.split("."))


def imported(tree: ast.AST) -> Iterator[tuple[str, Path]]:
    """Find what the names stand for that are imported: modules, and what is in them."""
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


def _assigned_by_call(function: str, args: list[ast.expr]) -> Iterator[Path]:
    match args:
        case [of, ast.Constant(value=str(name)), *_] if function in _SETTING:
            yield from ((*path, name) for path in _as_path(of))
        case [of, _, *_] if function in _SETTING:
            yield from _any_of(of)
        case [ast.Constant(value=str(text)), *_] if function == "exec":
            with contextlib.suppress(SyntaxError, ValueError, RecursionError):
                yield from assigned(parse(text))


def _any_in_names(of: ast.expr) -> Iterator[Path]:
    """Where what is changed holds the names of something: ``vars(math)``, ``math.__dict__``."""
    match of:
        case ast.Attribute(value=owner, attr="__dict__") | ast.Call(func=ast.Name(id="vars"), args=[owner]):
            yield from _any_of(owner)


def _any_of(owner: ast.expr) -> Iterator[Path]:
    return ((*path, ANY) for path in _as_path(owner))


def _last_name(function: ast.expr) -> str:
    return getattr(function, "attr", "") or getattr(function, "id", "")


def _as_path(node: ast.expr) -> Iterator[Path]:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        yield (node.id, *reversed(names))
