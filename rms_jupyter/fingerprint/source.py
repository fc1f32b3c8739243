"""Which source text made this code object, and what of the text counts?

Formatting, comments, docstrings, annotations, position, the function's own name and our own decorators do not count;
nor does the order of parameters that go by keyword only, nor how a default is written (its value is a part of its own).
Names of local variables count: functions that are called may look them up (``frame.query("x > @limit")``).

What is described is what runs: when a module was edited on disk and not reloaded, what it said before still holds. If
that was never looked at, its text does not make the code that is in memory, and the byte code is described instead.
"""

from __future__ import annotations

import ast
import dis
import functools
import linecache
import os
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from inspect import CO_OPTIMIZED
from types import CodeType, FunctionType
from typing import Any

from xxhash import xxh3_128_digest

from rms_jupyter.fingerprint.origin import DYNAMIC
from rms_jupyter.fingerprint.parsing import parse
from rms_jupyter.fingerprint.values import Undigestable, digest, tagged

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True)
class SourceText:
    """The text of a function, as it counts (digested) and as written, and the file where it no longer stands."""

    digest: bytes
    text: str
    stamp: tuple[int, int] | None = None
    edited_file: str = ""


_HAS_DOCSTRING = 0x4000000  # inspect.CO_HAS_DOCSTRING, of Python 3.14
_STARTED = time.time_ns()
_ITSELF = "__this_function__"

_NO_SOURCE = "# no source for"

_texts: dict[tuple[str, CodeType], SourceText] = {}
_codes: dict[CodeType, SourceText] = {}
_files: dict[str, tuple[object, _ParsedFile]] = {}


def source_of(function: FunctionType, is_ours: Callable[[Any], bool]) -> SourceText:
    """Describe the text of a function; what was described once stays, however its file is edited later.

    Parameters
    ----------
    function : FunctionType
        A function with or without source.
    is_ours : callable
        Tells whether the object behind a decorator's name belongs to this package, so that it does not count.
    """
    code = function.__code__
    stamp = _stamp(code.co_filename)
    known = _texts.get((code.co_filename, code))
    if known is None:
        known = _renamed(code) or _describe(function, is_ours, stamp)
    elif known.stamp and stamp and stamp != known.stamp:
        known = replace(known, stamp=stamp, edited_file="" if _find(code) else code.co_filename)
    _texts[code.co_filename, code] = known
    if not known.text.startswith(_NO_SOURCE):
        _codes.setdefault(code, known)
    return known


def declare_source(function: FunctionType, counts: str, text: str) -> None:
    """Say what the source of a function is that was compiled from a tree, not from a file.

    Parameters
    ----------
    function : FunctionType
    counts : str
        What counts: a function made of the same text is the same.
    text : str
        As it is to be shown and written down.
    """
    _texts[function.__code__.co_filename, function.__code__] = SourceText(_digest(counts), text)


def known_source(code: CodeType, source: SourceText) -> None:
    """Say what the source of code is that came from another process; what is known here stays."""
    _texts.setdefault((code.co_filename, code), source)


def text_of_class(cls: type, codes: list[CodeType]) -> str:
    """Give the text of a class as it is written; '' where it is not found.

    Parameters
    ----------
    cls : type
    codes : list of CodeType
        Of its own methods: they tell the file, and the place in it.
    """
    files = [code.co_filename for code in codes]
    module = getattr(sys.modules.get(cls.__module__), "__file__", None)
    cells = [name for name in reversed(list(linecache.cache)) if not os.path.isfile(name)]
    for filename in files or ([module] if module else cells):
        parsed = _parse(filename)
        for node in parsed.classes.get(cls.__qualname__, ()) if parsed else ():
            lines = range(_first_line(node), (node.end_lineno or 0) + 1)
            if all(code.co_firstlineno in lines for code in codes) and _is_outline_of(node, cls):
                return parsed.text_of(node) if parsed else ""
    return ""


def _is_outline_of(node: ast.ClassDef, cls: type) -> bool:
    annotated = [n.target.id for n in node.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)]
    functions = {n.name for n in node.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))}
    return annotated == list(vars(cls).get("__annotations__", {})) and functions <= set(vars(cls))


def _renamed(code: CodeType) -> SourceText | None:
    """The text of code that was rebuilt by cloudpickle, which forgets what file it is from."""
    return _codes.get(code) if code.co_filename == DYNAMIC else None


def _describe(function: FunctionType, is_ours: Callable[[Any], bool], stamp: tuple[int, int] | None) -> SourceText:
    code = function.__code__
    node = _find(code)
    if node is None:
        edited = code.co_filename if stamp and stamp[0] > _STARTED else ""
        return SourceText(_bytecode(code), f"{_NO_SOURCE} {code.co_qualname}", stamp, edited)
    counts = ast.unparse(_normalise(node, function, is_ours))
    return SourceText(_digest(counts), _files[code.co_filename][1].text_of(node), stamp)


def _digest(text: str) -> bytes:
    return xxh3_128_digest(b"source\0" + text.encode("utf-8", "surrogatepass"))


def _stamp(filename: str) -> tuple[int, int] | None:
    try:
        found = os.stat(filename)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size


def _find(code: CodeType) -> Definition | None:
    parsed = _parse(code.co_filename)
    return parsed.find(code) if parsed else None


class _ParsedFile:
    """A file or notebook cell, its definitions by first line and name, and what it compiles to."""

    def __init__(self, filename: str, lines: list[str]) -> None:
        self.filename, self.lines = filename, lines
        self.on_disk = os.path.isfile(filename)
        self.tree = parse("".join(lines))
        self._nodes: dict[tuple[int, str], list[Definition]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, Definition):
                self._nodes.setdefault((_first_line(node), getattr(node, "name", "<lambda>")), []).append(node)
        self._codes: dict[str, list[CodeType]] | None = None

    @functools.cached_property
    def classes(self) -> dict[str, list[ast.ClassDef]]:
        """The classes by qualified name, the last one first."""
        found: dict[str, list[ast.ClassDef]] = {}
        _find_classes(self.tree, "", found)
        return found

    def find(self, code: CodeType) -> Definition | None:
        if not self.on_disk:
            return self._at(code)
        if self._codes is None:
            self._codes = {}
            for inner in _nested(compile("".join(self.lines), self.filename, "exec", dont_inherit=True)):
                self._codes.setdefault(inner.co_qualname, []).append(inner)
        twins = [c for c in self._codes.get(code.co_qualname, ()) if _bytecode(c) == _bytecode(code)]
        twins.sort(key=lambda c: abs(c.co_firstlineno - code.co_firstlineno))
        return self._at(twins[0]) if twins else None

    def _at(self, code: CodeType) -> Definition | None:
        nodes = self._nodes.get((code.co_firstlineno, code.co_name), [])
        if len(nodes) > 1:
            starts = {(line, column) for line, _, column, _ in code.co_positions() if column is not None}
            nodes = [n for n in nodes if any(_spans(n, line, column) for line, column in starts)]
            nodes.sort(key=lambda n: (n.end_lineno or 0) - n.lineno or (n.end_col_offset or 0) - n.col_offset)
        return nodes[0] if nodes else None

    def text_of(self, node: Definition | ast.ClassDef) -> str:
        if isinstance(node, ast.Lambda) or not self._can_be_moved(node):
            return ast.unparse(node)
        return textwrap.dedent("".join(self.lines[_first_line(node) - 1 : node.end_lineno])).rstrip("\n")

    def _can_be_moved(self, node: Definition | ast.ClassDef) -> bool:
        """Tell whether the text of an indented definition stays the same when it is moved to the left."""
        indent = node.col_offset
        strings = (n for n in ast.walk(node) if isinstance(n, (ast.Constant, ast.JoinedStr)))
        if not indent or all(n.lineno == n.end_lineno or _is_docstring(n, node) for n in strings):
            lines = self.lines[_first_line(node) - 1 : node.end_lineno]
            return all(not line.strip() or not line[:indent].strip() for line in lines)
        return False


def _find_classes(node: ast.AST, prefix: str, found: dict[str, list[ast.ClassDef]]) -> None:
    for child in ast.iter_child_nodes(node):
        inner = prefix
        if isinstance(child, ast.ClassDef):
            found.setdefault(prefix + child.name, []).insert(0, child)
            inner = f"{prefix}{child.name}."
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inner = f"{prefix}{child.name}.<locals>."
        _find_classes(child, inner, found)


def _is_docstring(string: ast.expr, node: Any) -> bool:
    first = node.body[0] if isinstance(node.body, list) else None
    return isinstance(first, ast.Expr) and first.value is string


def _parse(filename: str) -> _ParsedFile | None:
    linecache.checkcache(filename)
    lines = linecache.getlines(filename)
    if not lines:
        return None
    stamp = linecache.cache.get(filename)
    known = _files.get(filename)
    if known is None or known[0] is not stamp:
        try:
            known = _files[filename] = (stamp, _ParsedFile(filename, lines))
        except (SyntaxError, ValueError):
            return None
    return known[1]


def _first_line(node: Definition | ast.ClassDef) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _spans(node: ast.expr | ast.stmt, line: int | None, column: int) -> bool:
    start, end = (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
    return line is not None and start <= (line, column) < end


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def _bytecode(code: CodeType) -> bytes:
    """Describe what runs, without where it stood and what it was called."""
    instructions, values = _instructions(code)
    constants = [_bytecode(value) if isinstance(value, CodeType) else _constant(value) for value in values]
    flags = code.co_flags & ~_HAS_DOCSTRING
    shape = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, flags, sys.version_info[:2])
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return tagged("bytecode", [instructions, digest(shape), digest(names), *constants])


def _instructions(code: CodeType) -> tuple[bytes, tuple[Any, ...]]:
    """Return what runs and its constants, as if there were no docstring, which since 3.14 moves constants."""
    documented = _has_docstring(code)
    if sys.version_info < (3, 14):
        return code.co_code, (None, *code.co_consts[1:]) if documented else code.co_consts
    steps = [
        (i.opcode, i.arg - documented if i.arg and i.opcode in dis.hasconst else i.arg)
        for i in dis.get_instructions(code)
    ]
    return digest(steps), code.co_consts[documented:]


def _has_docstring(code: CodeType) -> bool:
    if sys.version_info >= (3, 14):
        return bool(code.co_flags & _HAS_DOCSTRING)
    is_function = code.co_flags & CO_OPTIMIZED and not code.co_name.startswith("<")
    return bool(is_function) and isinstance(code.co_consts[0], str)


def _constant(value: object) -> bytes:
    try:
        return digest(value)
    except Undigestable:
        return digest(repr(value))


def _normalise(node: Definition, function: FunctionType, is_ours: Callable[[Any], bool]) -> ast.AST:
    tree: ast.AST = _WhatCounts(function, is_ours).visit(_copy(node))
    return ast.fix_missing_locations(tree)


def _tidy_parameters(parameters: ast.arguments) -> None:
    parameters.defaults = []
    parameters.kw_defaults = [None] * len(parameters.kwonlyargs)
    parameters.kwonlyargs.sort(key=lambda argument: argument.arg)


def _copy(node: ast.AST) -> ast.AST:
    return parse(ast.unparse(node)).body[0]


class _WhatCounts(ast.NodeTransformer):
    """Drop from a function's tree what does not change what it computes."""

    def __init__(self, function: FunctionType, is_ours: Callable[[Any], bool]) -> None:
        self._name = function.__code__.co_name
        self._globals = function.__globals__
        self._is_ours = is_ours
        self._outermost = True

    def _visit_function(self, node: Any) -> Any:
        if self._outermost:
            self._outermost = False
            node.name = _ITSELF
            node.decorator_list = [d for d in node.decorator_list if not self._ours(d)]
            _tidy_parameters(node.args)
        node.returns = None
        for argument in ast.walk(node.args):
            if isinstance(argument, ast.arg):
                argument.annotation = None
        return self._without_docstring(self.generic_visit(node))

    visit_FunctionDef = visit_AsyncFunctionDef = _visit_function

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        if self._outermost:
            self._outermost = False
            _tidy_parameters(node.args)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        node.body = [s if isinstance(s, ast.AnnAssign) else self.visit(s) for s in node.body]
        return self._without_docstring(node)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id == self._name and self._name != "<lambda>":
            node.id = _ITSELF
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        self.generic_visit(node)
        if node.value is None:
            return ast.Pass()
        return ast.Assign(targets=[node.target], value=node.value)

    def _ours(self, decorator: ast.expr) -> bool:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        while isinstance(call, ast.Attribute):
            call = call.value
        return isinstance(call, ast.Name) and self._is_ours(self._globals.get(call.id))

    @staticmethod
    def _without_docstring(node: Any) -> Any:
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        node.body = [s for s in node.body if not isinstance(s, ast.Pass)] or [ast.Pass()]
        return node
