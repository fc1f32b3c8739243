"""Which names does a code object look up outside of itself?"""

from __future__ import annotations

import dis
import functools
import re
from collections.abc import Iterator
from types import CodeType
from typing import NamedTuple

_FILE_NAME = re.compile(r"[^\n\0*?<>|]{0,250}[./][\w-]+")
_WORD = re.compile(r"[^\W\d]\w*")
_LOOKING_UP_BY_TEXT = frozenset("eval exec globals query evaluate sql execute".split())


class Name(NamedTuple):
    """A global that is read, and the attributes asked of it: ``helpers.clean``."""

    name: str
    attributes: tuple[str, ...] = ()


class Import(NamedTuple):
    """An import statement inside a function: ``from ..module import names``, with as many dots as `level`."""

    module: str
    level: int = 0
    names: tuple[str, ...] = ()


@functools.lru_cache(maxsize=4096)
def references(code: CodeType) -> list[Name | Import]:
    """Find the globals that a code object and those inside it read, and the imports they make.

    Examples
    --------
    >>> references((lambda x: helpers.clean(x) + LIMIT).__code__)
    [Name(name='helpers', attributes=('clean',)), Name(name='LIMIT', attributes=())]
    """
    found: dict[Name | Import, None] = {}
    chain: Name | None = None
    values: list[object] = [0, None]
    for instruction in dis.get_instructions(code):
        if instruction.opname == "EXTENDED_ARG":
            continue
        if chain and instruction.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            chain = Name(chain.name, (*chain.attributes, instruction.argval))
            continue
        if chain:
            found[chain] = None
            chain = None
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
            chain = Name(instruction.argval)
        elif instruction.opname == "IMPORT_NAME":
            level, names = values[-2:]
            found[Import(instruction.argval, level if type(level) is int else 0, _as_names(names))] = None
        values.append(instruction.argval)
    for inner in _inner(code):
        found.update(dict.fromkeys(references(inner)))
    return list(found)


def named_in_text(code: CodeType, docstring: str | None) -> set[str]:
    """Words in the strings of code that looks variables up by their names: ``frame.query("delay > @CUTOFF")``.

    Examples
    --------
    >>> sorted(named_in_text((lambda: eval("rate * 2")).__code__, None))
    ['rate']
    """
    found: set[str] = set()
    if not _LOOKING_UP_BY_TEXT.isdisjoint(code.co_names):
        for text in code.co_consts:
            if isinstance(text, str) and text != docstring:
                found.update(_WORD.findall(text))
    for inner in _inner(code):
        found |= named_in_text(inner, docstring)
    return found


def paths_in(code: CodeType) -> Iterator[str]:
    """Strings in the code that could name files."""
    for constant in code.co_consts:
        if isinstance(constant, str) and _FILE_NAME.fullmatch(constant):
            yield constant
    for inner in _inner(code):
        yield from paths_in(inner)


def _inner(code: CodeType) -> Iterator[CodeType]:
    return (constant for constant in code.co_consts if isinstance(constant, CodeType))


def _as_names(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()
