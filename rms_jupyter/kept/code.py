"""Which pieces of the user's code does a function rest on, so that it can be written down again elsewhere?

A piece is described by value, as it would run now: its text without decorators that are already undone (ours, and those
whose wrappers are pieces themselves), defaults as they are, and for each global or closure name what that stands for.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import inspect
import logging
import pickle
import re
import sys
import threading
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rms_jupyter.errors import words_of
from rms_jupyter.fingerprint.anatomy import is_ours
from rms_jupyter.fingerprint.loads import compiled
from rms_jupyter.fingerprint.origin import kind_of, kind_of_function
from rms_jupyter.fingerprint.parsing import parse
from rms_jupyter.fingerprint.references import Import, references
from rms_jupyter.fingerprint.source import source_of, text_of_class
from rms_jupyter.kept.arguments import in_json, pack
from rms_jupyter.model import Piece, Reference

Named = dict[str, Any]
Reads = Mapping[tuple[int, str], str]

_MOST_BYTES = 1_000_000


def pieces_of(thing: Any, name: str = "", reads: Reads | None = None) -> dict[str, Piece]:
    """Describe a function or class and, transitively, all of the user's code that it refers to; itself first.

    Parameters
    ----------
    thing : callable
    name : str, optional
        What to call it, where it has no name.
    reads : mapping, optional
        Globals that are inputs of the call: from namespace (its `id`) and name to the label. Others are kept as values.
    """
    collector = _Collector(reads or {})
    root = collector.refer(thing, name or getattr(thing, "__name__", ""))
    if "piece" not in root:
        return {name or "function": Piece("partial", names={"": root})}
    first = root["piece"]
    return {first: collector.pieces[first]} | collector.pieces


def kinds_of(parameters: list[inspect.Parameter]) -> dict[str, str]:
    """Tell the kinds of parameters that are not plain."""
    plain = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return {p.name: p.kind.name for p in parameters if p.kind is not plain}


class _Collector:
    def __init__(self, reads: Reads) -> None:
        self.pieces: dict[str, Piece] = {}
        self._reads = reads
        self._labels: dict[int, str] = {}
        self._files_of: dict[str, Named | None] = {}
        self._held: list[Any] = []  # So that no `id` is used twice.

    def refer(self, value: Any, name: str, decorated: bool = False) -> Named:
        """Say what a value is to a piece that calls it `name`; `decorated` if a package has wrapped it."""
        if isinstance(value, Reference):
            return _packed(value)
        if is_ours(value) and (inner := _without_us(value)) is not None:
            return self.refer(inner, name)
        if id(value) in self._labels:
            return {"piece": self._labels[id(value)]}
        if isinstance(value, types.ModuleType):
            is_local = kind_of(value.__name__) == "user" and value.__name__ != "__main__"
            return self._module(value) if is_local else {"import": value.__name__}
        if isinstance(value, logging.Logger):
            return {"logger": value.name}
        if isinstance(value, types.FunctionType) and kind_of(value.__module__) == "user":
            if hasattr(value, "__wrapped__") and kind_of_function(value) != "user":
                return self.refer(value.__wrapped__, name, decorated=True)
            return self._add(value, name, lambda label: self._function(value, label, decorated))
        if isinstance(value, type) and kind_of(value.__module__) == "user":
            return self._add(value, value.__name__, lambda label: self._class(value))
        if isinstance(value, types.MethodType):
            return self._add(value, name, lambda label: self._method(value))
        if isinstance(value, functools.partial):
            return self._add(value, name, lambda label: self._partial(value))
        if (found := _imported(value)) is not None:
            return found
        if callable(value) and hasattr(value, "__wrapped__"):
            return self.refer(value.__wrapped__, name, decorated=True)
        return _packed(value)

    def _add(self, value: Any, name: str, describe: Callable[[str], Piece]) -> Named:
        own = getattr(value, "__name__", name)
        label = base = own if isinstance(own, str) and own.isidentifier() else name or "function"
        number = 1
        while label in self.pieces:
            number += 1
            label = f"{base} ({number})"
        self._labels[id(value)] = label
        self._held.append(value)
        self.pieces[label] = Piece("lost")  # Its place; it may refer to itself.
        try:
            self.pieces[label] = describe(label)
        except Exception as error:  # Whatever it is, it must not stop the call that is being recorded.
            self.pieces[label] = Piece("lost", f"it cannot be described ({words_of(error)})")
        return {"piece": label}

    def _function(self, function: types.FunctionType, label: str, decorated: bool) -> Piece:
        source = source_of(function, is_ours)
        if source.text.startswith("# no source"):
            edited = f"{source.edited_file} was edited since it was imported"
            return Piece("lost", edited if source.edited_file else "its source is not known")
        if "__class__" in function.__code__.co_freevars:
            return Piece("lost", "it is a method that needs its class")
        names: dict[str, Named] = {}
        text = _as_expression(source.text)
        text = _edited(text, _unwanted_decorators(text, function.__globals__, decorated))
        defaults = list(_defaults(text, function))
        for place, (_, name, value) in enumerate(defaults):
            mark = f"_default_{name}"
            while mark in source.text:
                mark += "_"
            names[mark] = self.refer(value, name)
            defaults[place] = (defaults[place][0], mark, value)
        text = _edited(text, [(span, mark) for span, mark, _ in defaults])
        try:
            code = compiled(text)
        except SyntaxError:
            return Piece("lost", "it changes what its closure holds (nonlocal)")
        closure = _closure(function)
        self._bind(names, code, function.__globals__, closure)
        return Piece("function", text, names)

    def _class(self, cls: type) -> Piece:
        functions = [f for f in map(_plain_function, vars(cls).values()) if f and _is_own(f, cls)]
        if any(source_of(f, is_ours).edited_file for f in functions):
            return Piece("lost", "its file was edited since it was imported")
        text = text_of_class(cls, [f.__code__ for f in functions])
        if not text and issubclass(cls, tuple) and hasattr(cls, "_fields") and not getattr(cls, "_field_defaults", ()):
            made = {"import": "collections", "name": "namedtuple"}
            return Piece("function", f"namedtuple({cls.__name__!r}, {cls._fields!r})", {"namedtuple": made})
        if not text:
            return Piece("lost", "its source is not known")
        namespace = vars(sys.modules[cls.__module__]) if cls.__module__ in sys.modules else {}
        namespace = functions[0].__globals__ if functions else namespace
        text = _edited(text, _unwanted_decorators(text, namespace, keep_all=True))
        names: dict[str, Named] = {}
        closure = {name: value for f in functions for name, value in _closure(f).items()}
        self._bind(names, compiled(text), namespace, closure)
        return Piece("class", text, names)

    def _method(self, method: types.MethodType) -> Piece:
        owner = method.__self__
        return Piece("method", method.__name__, {"self": self.refer(owner, type(owner).__name__)})

    def _partial(self, partial: functools.partial[Any]) -> Piece:
        names = {"": self.refer(partial.func, getattr(partial.func, "__name__", "function"))}
        names |= {f"[{i}]": self.refer(value, f"argument_{i}") for i, value in enumerate(partial.args)}
        return Piece("partial", "", names | {name: self.refer(value, name) for name, value in partial.keywords.items()})

    def _module(self, module: types.ModuleType) -> Named:
        label = f"module {module.__name__}"
        self.pieces.setdefault(label, Piece("module", module.__name__))
        return {"piece": label}

    def _files(self, name: str) -> Named | None:
        """Keep the files of a local module that is imported while a function runs; None if it is no such module."""
        root = name.partition(".")[0]
        if root in self._files_of:
            return self._files_of[root]
        self._files_of[root] = None
        try:
            spec = importlib.util.find_spec(root)
        except (ImportError, ValueError):
            return None
        if spec is None or kind_of(root) != "user" or not spec.has_location:
            return None
        origin = Path(str(spec.origin))
        home = origin.parent.parent if spec.submodule_search_locations else origin.parent
        found = self._files_of[root] = {"piece": f"file {origin.relative_to(home).as_posix()}"}
        for path in sorted(origin.parent.rglob("*.py")) if spec.submodule_search_locations else [origin]:
            text = path.read_text(encoding="utf-8")
            names: dict[str, Named] = {}
            self.pieces[f"file {path.relative_to(home).as_posix()}"] = Piece("file", text, names)
            for inner in _imports_in(text):
                if other := self._files(inner):
                    names[f"import {inner}"] = other
        first = self.pieces[found["piece"]]
        first.names.update({label: {"piece": label} for label in self.pieces if label.startswith(f"file {root}/")})
        return found

    def _bind(
        self, names: dict[str, Named], code: types.CodeType, namespace: dict[str, Any], closure: dict[str, Any]
    ) -> None:
        """Say what each global name in a piece stands for."""
        for reference in references(code):
            if isinstance(reference, Import):
                module = _absolute(reference, namespace)
                if found := self._files(module):
                    names[f"import {module}"] = found
                continue
            name, attributes = reference
            if name in closure:
                names[name] = self.refer(closure[name], name)
            elif name in namespace and not re.fullmatch(r"__\w+__", name):
                names[name] = self._global(namespace, name, attributes)
                for module in _submodules(namespace[name], attributes):
                    names[f"import {module}"] = {"import": module}

    def _global(self, namespace: dict[str, Any], name: str, attributes: tuple[str, ...]) -> Named:
        if (label := self._reads.get((id(namespace), name))) is not None:
            return {"read": label}
        found = self.refer(namespace[name], name)
        if (piece := self.pieces.get(found.get("piece", ""))) and piece.kind == "module":
            module = sys.modules[piece.text]
            wanted = [attributes[0]] if attributes else [n for n in vars(module) if not n.startswith("__")]
            for attribute in wanted:
                if attribute not in piece.names and attribute in vars(module):
                    piece.names[attribute] = {"lost": "it is in the making"}
                    piece.names[attribute] = self._global(vars(module), attribute, attributes[1:])
        return found


def _without_us(value: Any) -> Any:
    """The user's function behind something of ours; None where there is none."""
    return getattr(value, "written_as", None) or (
        None if isinstance(value, type) else getattr(value, "__wrapped__", None)
    )


def _absolute(reference: Import, namespace: dict[str, Any]) -> str:
    """Name the module of an import; one that begins with dots starts at the package of the namespace."""
    if not reference.level:
        return reference.module
    try:
        return importlib.util.resolve_name("." * reference.level + reference.module, namespace.get("__package__") or "")
    except ImportError:
        return reference.module


def _submodules(value: Any, attributes: tuple[str, ...]) -> Iterator[str]:
    """Modules that must have been imported for `value.attribute.attribute` to be there."""
    for attribute in attributes:
        if not isinstance(value, types.ModuleType) or kind_of(value.__name__) == "user":
            return
        inner = f"{value.__name__}.{attribute}"
        value = getattr(value, attribute, None)
        if isinstance(value, types.ModuleType) and value.__name__ == inner:
            yield inner


def _closure(function: types.FunctionType) -> dict[str, Any]:
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue  # Not assigned yet.
    return found


def _imported(value: Any) -> Named | None:
    """Say how to import something, if that gives the very thing."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if not isinstance(name, str) or not callable(value):
        return None
    module = getattr(value, "__module__", None) or pickle.whichmodule(value, name)  # type: ignore[attr-defined]
    if kind_of(module) == "user":
        return None
    parts = module.split(".")
    for home in (".".join(parts[: n + 1]) for n in range(len(parts))):  # The outermost is the public one.
        found: Any = sys.modules.get(home)
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is value:
            return {"import": home, "name": name}
    return None


class _Packing(threading.local):
    """The values that this thread is packing; the code in them may refer to them, as a class does to a register."""

    def __init__(self) -> None:
        self.ids: set[int] = set()


_packing = _Packing()


def _packed(value: Any) -> Named:
    if in_json(value):
        return {"value": value}
    if id(value) in _packing.ids:
        return {"lost": "it holds code that refers to it"}
    _packing.ids.add(id(value))
    try:
        packed = pack(value, lambda reference: reference._rms_ref().id)
    except Exception as error:
        return {"lost": f"it cannot be kept ({words_of(error)})"}
    finally:
        _packing.ids.remove(id(value))
    return {"lost": "it is too large to keep"} if len(packed.get("pickle", "")) > _MOST_BYTES else packed


def _as_expression(text: str) -> str:
    return f"({text})" if text.startswith("lambda") and "\n" in text else text


Span = tuple[int, int, int, int]


def _span(node: ast.expr | ast.stmt) -> Span:
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0


def _edited(text: str, edits: list[tuple[Span, str]]) -> str:
    """Put other text in place of spans (lines from 1, bytes from 0)."""
    lines = text.encode().split(b"\n")
    for (line, start, end_line, end), new in sorted(edits, reverse=True):
        joined = lines[line - 1][:start] + new.encode() + lines[end_line - 1][end:]
        lines[line - 1 : end_line] = [joined] if joined.strip() else []
    return b"\n".join(lines).decode()


def _definition_in(text: str) -> Any:
    [statement] = parse(text).body
    return statement.value if isinstance(statement, ast.Expr) else statement


def _unwanted_decorators(
    text: str, namespace: dict[str, Any], keep: bool = False, keep_all: bool = False
) -> list[tuple[Span, str]]:
    """Decorators to leave out: ours, and unless a package's wrapper is to be made anew, all."""
    edits = []
    for decorator in getattr(_definition_in(text), "decorator_list", ()):
        root = decorator
        while isinstance(root, (ast.Call, ast.Attribute)):
            root = root.func if isinstance(root, ast.Call) else root.value
        value = namespace.get(root.id) if isinstance(root, ast.Name) else None
        is_users = isinstance(value, types.FunctionType) and kind_of(value.__module__) == "user"
        if (not keep_all and (not keep or is_users)) or (value is not None and is_ours(value)):
            line, _, end_line, end = _span(decorator)
            edits.append(((line, 0, end_line, end), ""))  # With its @.
    return edits


def _defaults(text: str, function: types.FunctionType) -> Iterator[tuple[Span, str, Any]]:
    """Defaults that their text does not give literally: where they stand, of which parameter, and their value."""
    arguments: ast.arguments = _definition_in(text).args
    plain = [*arguments.posonlyargs, *arguments.args]
    values = function.__defaults__ or ()
    found = list(zip(plain[len(plain) - len(values) :], arguments.defaults, values, strict=False))
    by_name = function.__kwdefaults__ or {}
    for argument, node in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if node is not None and argument.arg in by_name:
            found.append((argument, node, by_name[argument.arg]))
    for argument, node, value in found:
        if not _says(node, value):
            yield _span(node), argument.arg, value


def _says(node: ast.expr, value: Any) -> bool:
    try:
        literal = ast.literal_eval(node)
        return type(literal) is type(value) and bool(literal == value)
    except Exception:
        return False


def _plain_function(member: Any) -> types.FunctionType | None:
    inner = getattr(member, "__func__", None) or getattr(member, "fget", None) or getattr(member, "func", member)
    return inner if isinstance(inner, types.FunctionType) else None


def _is_own(function: types.FunctionType, cls: type) -> bool:
    """Tell the methods that the text of a class holds from those that were put into it (by `dataclass`)."""
    own = function.__qualname__.startswith(f"{cls.__qualname__}.") and kind_of(function.__module__) == "user"
    return own and not hasattr(function, "__wrapped__") and function.__code__.co_filename != "<string>"


def _imports_in(text: str) -> Iterator[str]:
    for node in ast.walk(parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
