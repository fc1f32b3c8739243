"""Which global names does a text of Python read, where, and how are others put in their place?"""

from __future__ import annotations
import __future__

import ast
import dis
from collections.abc import Iterator, Mapping
from types import CodeType
from typing import NamedTuple

from rms_jupyter.fingerprint.parsing import parse

_READS = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
_WRITES = frozenset({"STORE_GLOBAL", "DELETE_GLOBAL"})


class Load(NamedTuple):
    """A global name in a text: its place (line from 1, bytes from 0), and whether it is read when the text itself runs.

    `early` is true for decorators, defaults, base classes and what stands in the body of a class.
    """

    name: str
    line: int
    start: int
    end: int
    early: bool


def compiled(text: str) -> CodeType:
    """Compile a text in which annotations are not evaluated."""
    code: CodeType = compile(text, "<text>", "exec", flags=__future__.annotations.compiler_flag, dont_inherit=True)
    return code


def loads_of(text: str) -> list[Load]:
    """Find the global names of a text.

    Raises
    ------
    SyntaxError
        If it cannot stand on its own (a function with ``nonlocal``).

    Examples
    --------
    >>> [(load.name, load.early) for load in loads_of("def f(x, n=LIMIT): return g(x) + n")]
    [('LIMIT', True), ('g', False)]
    """
    return list(_loads(compiled(text), True))


def _loads(code: CodeType, early: bool) -> Iterator[Load]:
    instructions = list(dis.get_instructions(code))
    own = {i.argval for i in instructions if i.opname == "STORE_NAME"}
    for i in instructions:
        if i.opname in _WRITES or (i.opname in _READS and i.argval not in own):
            place = i.positions
            if place is not None and place.lineno and place.col_offset is not None and place.end_col_offset:
                yield Load(i.argval, place.lineno, place.col_offset, place.end_col_offset, early)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            is_class_body = early and "__module__" in constant.co_names and "__qualname__" in constant.co_names
            yield from _loads(constant, is_class_body)


def replace_loads(text: str, names: Mapping[str, str]) -> str:
    """Put expressions in place of global names, and leave everything else as it is written.

    Raises
    ------
    ValueError
        If that cannot be done.

    Examples
    --------
    >>> replace_loads("def f(n): return g(n) + (lambda g: g)(n)", {"g": "g_v2"})
    'def f(n): return g_v2(n) + (lambda g: g)(n)'
    """
    lines = text.encode().split(b"\n")
    found = [load for load in loads_of(text) if names.get(load.name, load.name) != load.name]
    for load in sorted(set(found), key=lambda load: (load.line, load.start), reverse=True):
        line = lines[load.line - 1]
        if line[load.start : load.end].decode(errors="replace") == load.name:
            lines[load.line - 1] = line[: load.start] + names[load.name].encode() + line[load.end :]
    new = b"\n".join(lines).decode()
    left = {load.name for load in loads_of(new)} & {load.name for load in found} - set(names.values())
    return _replaced_in_tree(text, names) if left else new


def _replaced_in_tree(text: str, names: Mapping[str, str]) -> str:
    """Replace names where the text cannot be edited in place: after ``global``."""
    tree = parse(text)
    for node in ast.walk(tree):
        bound = {node.arg} if isinstance(node, ast.arg) else set()
        if bound & set(names):
            raise ValueError(f"{', '.join(bound)} is both a local and a global name")
        if isinstance(node, ast.Name) and node.id in names:
            node.id = names[node.id]
        elif isinstance(node, ast.Global):
            node.names = [names.get(name, name) for name in node.names]
    return ast.unparse(tree)


def identifiers_of(text: str) -> set[str]:
    """Collect all names in a text, local ones included.

    Examples
    --------
    >>> sorted(identifiers_of("def f(x, *rest): y = x.z"))
    ['f', 'rest', 'x', 'y']
    """
    found: set[str] = set()
    for node in ast.walk(parse(text)):
        for name in ("id", "arg", "name", "asname", "rest"):
            if isinstance(value := getattr(node, name, None), str):
                found.add(value.partition(".")[0])
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            found.update(node.names)
    return found
