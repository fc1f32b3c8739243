"""Which names does a code object look up outside of itself?"""

from __future__ import annotations

import dis
import functools
import os
import re
from collections.abc import Iterable, Iterator
from types import CodeType
from typing import NamedTuple

_FILE_NAME = re.compile(r"[^\n\0*?<>|]{0,250}[./][\w-]+")
_LONGEST_NAME = 250
_PLAIN_NAME = re.compile(r"[^\n\0*?<>|\"]{0,100}\w[^\n\0*?<>|\"]{0,100}(?<!/)")
_OPENS = re.compile(r"open|path|read|load|file|dir|walk|scan|stat|exists|connect|parse|from|fetch|glob", re.IGNORECASE)
_GLOBAL_READS = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
_GLOBAL_WRITES = frozenset({"STORE_GLOBAL", "DELETE_GLOBAL"})
_IMPORTING = ("import_module", "__import__")
_ATTRIBUTE_WRITES = ("STORE_ATTR", "DELETE_ATTR")
_DOES_SOMETHING = frozenset("CALL CALL_KW CALL_FUNCTION_EX STORE_ATTR STORE_SUBSCR DELETE_ATTR DELETE_SUBSCR".split())
_HARMLESS = frozenset(
    "print len range str repr int float bool list dict set tuple isinstance enumerate zip min max sum abs round sorted"
    " TypeError ValueError KeyError RuntimeError".split()
)
_CONSTANTS = frozenset({"LOAD_CONST", "RETURN_CONST"})
_NO_LOADS = frozenset({"EXTENDED_ARG", "PUSH_NULL", "PRECALL", "CACHE", "NOP", "RESUME", "COPY_FREE_VARS"})
_WORD = re.compile(r"[^\W\d]\w*")
_LOOKING_UP_BY_TEXT = frozenset(
    "eval exec globals query evaluate sql execute"  # And in formulas of statsmodels and others: "y ~ centred(x)".
    " ols wls gls glm gee rlm logit probit poisson mnlogit mixedlm quantreg phreg from_formula dmatrix dmatrices"
    " model_matrix".split()
)


class Name(NamedTuple):
    """A global that is read, and the attributes asked of it: ``helpers.clean``."""

    name: str
    attributes: tuple[str, ...] = ()


class Import(NamedTuple):
    """An import statement inside a function: ``from ..module import names``, with as many dots as `level`.

    It is late where the code has done something before that may decide what is imported: called something, set an
    attribute or an item.
    """

    module: str
    level: int = 0
    names: tuple[str, ...] = ()
    is_late: bool = False


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
    calls = harmless = 0
    for instruction in dis.get_instructions(code):
        if instruction.opname == "EXTENDED_ARG":
            continue
        calls += instruction.opname in _DOES_SOMETHING
        harmless += instruction.opname in _GLOBAL_READS and instruction.argval in _HARMLESS
        if chain and instruction.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            chain = Name(chain.name, (*chain.attributes, instruction.argval))
            continue
        if chain:
            found[chain] = None
            chain = None
        if instruction.opname in _GLOBAL_READS:
            chain = Name(instruction.argval)
        elif instruction.opname == "DELETE_GLOBAL":
            found[Name(instruction.argval)] = None  # It must be there.
        elif instruction.opname == "IMPORT_NAME":
            level, names = values[-2:]
            level = level if type(level) is int else 0
            found[Import(instruction.argval, level, _as_names(names), calls > harmless)] = None
        values.append(instruction.argval)
    for inner in _inner(code):
        found.update(dict.fromkeys(references(inner)))
    return list(found)


def globals_assigned(code: CodeType) -> set[str]:
    """Names that a code object, or one inside it, assigns or deletes in its module.

    Examples
    --------
    >>> globals_assigned(compile("global n; n = 1", "", "exec"))
    {'n'}
    """
    found = {i.argval for i in dis.get_instructions(code) if i.opname in _GLOBAL_WRITES}
    return found.union(*map(globals_assigned, _inner(code)))


@functools.lru_cache(maxsize=4096)
def attributes_assigned(code: CodeType) -> list[Name]:
    """Find the attributes of globals that a code object, or one inside it, assigns or deletes.

    Examples
    --------
    >>> attributes_assigned(compile("sys.displayhook = print", "", "exec"))
    [Name(name='sys', attributes=('displayhook',))]
    """
    found: list[Name] = []
    chain: Name | None = None
    for instruction in dis.get_instructions(code):
        if instruction.opname in _NO_LOADS:
            continue
        if chain and instruction.opname in ("LOAD_ATTR", "LOAD_METHOD", *_ATTRIBUTE_WRITES):
            chain = Name(chain.name, (*chain.attributes, instruction.argval))
            if instruction.opname in _ATTRIBUTE_WRITES:
                found.append(chain)
        else:
            chain = Name(instruction.argval) if instruction.opname in _GLOBAL_READS else None
    return found + [name for inner in _inner(code) for name in attributes_assigned(inner)]


@functools.lru_cache(maxsize=4096)
def imported_by_text(code: CodeType) -> list[str | None]:
    """Find the modules that a code object, or one inside it, imports by a text; None for one that it makes up.

    Examples
    --------
    >>> imported_by_text((lambda name: (__import__("json"), importlib.import_module("plugins." + name))).__code__)
    ['json', None]
    """
    found: list[str | None] = []
    steps = [step for step in dis.get_instructions(code) if step.opname not in _NO_LOADS]
    for step, text, then in zip(steps, steps[1:], [*steps[2:], steps[-1]], strict=False):
        if step.argval in _IMPORTING and step.opname.startswith("LOAD_"):
            is_whole = type(text.argval) is str and text.opname in _CONSTANTS and then.opname.startswith("CALL")
            found.append(text.argval if is_whole else None)
    return found + [name for inner in _inner(code) for name in imported_by_text(inner)]


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


def looks_up_by_text(code: CodeType) -> bool:
    """Whether code may look variables up by names that it is given as text: ``eval(expression)``."""
    return names_any(code, _LOOKING_UP_BY_TEXT)


def names_any(code: CodeType, names: frozenset[str]) -> bool:
    """Whether code, or code inside it, names one of some globals or attributes."""
    return not names.isdisjoint(code.co_names) or any(names_any(inner, names) for inner in _inner(code))


def names_of(code: CodeType) -> set[str]:
    """Globals and attributes that code, and code inside it, names."""
    return set(code.co_names).union(*map(names_of, _inner(code)))


def names_in(texts: Iterable[str]) -> set[str]:
    """Words in texts that could be names of variables."""
    return {word for text in texts for word in _WORD.findall(text)}


def paths_in(code: CodeType) -> Iterator[str]:
    """Texts in the code that look like names of files: with an ending, or a folder.

    Examples
    --------
    >>> list(paths_in((lambda: (open("flights.csv"), open(b"data/flights"))).__code__))
    ['flights.csv', 'data/flights']
    """
    return (text for text in _texts(code) if looks_like_path(text))


def words_in(code: CodeType) -> Iterator[str]:
    """Texts in the code that do not look like names of files, and could still be some: ``open("flights")``."""
    return (text for text in _texts(code) if is_word(text))


def opens_files(code: CodeType) -> bool:
    """Whether code names something that could open a file by its name."""
    return any(map(_OPENS.search, code.co_names)) or any(map(opens_files, _inner(code)))


def looks_like_path(text: str) -> bool:
    """Whether a text has an ending, or a folder, and could name a file."""
    return _FILE_NAME.fullmatch(text) is not None


def is_word(text: str) -> bool:
    """Whether a text that does not look like a path could name a file all the same."""
    return _PLAIN_NAME.fullmatch(text) is not None and not looks_like_path(text)


def as_text(value: object) -> str | None:
    """Give the file name that a text, or bytes, could be: not signs alone, as separators are (``"/"``, ``"-"``)."""
    if type(value) is bytes:
        value = os.fsdecode(value) if len(value) <= _LONGEST_NAME and b"\0" not in value else None
    return value if type(value) is str and (value in (".", "./") or any(map(str.isalnum, value))) else None


def _texts(code: CodeType) -> Iterator[str]:
    yield from _texts_of(code.co_consts)
    for inner in _inner(code):
        yield from _texts(inner)


def _texts_of(constants: Iterable[object]) -> Iterator[str]:
    for constant in constants:
        if isinstance(constant, (tuple, frozenset)):
            yield from _texts_of(constant)
        elif (text := as_text(constant)) is not None:
            yield text


class KeyedLookup(NamedTuple):
    """Something that is asked for by a constant: ``os.environ["HOME"]``, ``getenv("HOME")``.

    Attributes
    ----------
    module : str
        What the first name is imported from inside the function; '' for a global name.
    names : tuple of str
    key : str
    """

    module: str
    names: tuple[str, ...]
    key: str


_Chain = tuple[str, tuple[str, ...]]


@functools.lru_cache(maxsize=4096)
def keyed_lookups(code: CodeType) -> list[KeyedLookup]:
    """Find what a code object and those inside it index, search or call with a constant text.

    Examples
    --------
    >>> keyed_lookups((lambda: os.environ["HOME"]).__code__)
    [KeyedLookup(module='', names=('os', 'environ'), key='HOME')]
    """
    return list(dict.fromkeys(_keyed(code, {})))


def _keyed(code: CodeType, outer: dict[str, _Chain]) -> Iterator[KeyedLookup]:
    own = dict(outer)
    chain: _Chain | None = None  # What was loaded last, if it has a name.
    imported, text, asked = "", None, None
    for instruction in dis.get_instructions(code):
        name, value = instruction.opname, instruction.argval
        if name in _NO_LOADS:
            continue
        if asked is not None and not name.startswith(("STORE_SUBSCR", "DELETE_SUBSCR")):
            yield asked
        asked = None
        if name == "CONTAINS_OP" and chain and text is not None:
            yield KeyedLookup(*chain, text)
        if name in _GLOBAL_READS:
            chain = own.get(value) or ("", (value,))
        elif name.startswith(("LOAD_FAST", "LOAD_DEREF")):
            chain = own.get(value[-1] if isinstance(value, tuple) else value)
        elif name in ("LOAD_ATTR", "LOAD_METHOD") and chain:
            chain = chain[0], (*chain[1], value)
        elif name == "IMPORT_NAME":
            imported, chain = value, (value, ())
        elif name == "IMPORT_FROM":
            chain = imported, (value,)
        elif name.startswith("STORE_") and isinstance(value, str):
            own.pop(value, None)
            if chain is not None and chain[0]:
                own[value] = chain
            chain = None
        elif name in _CONSTANTS and type(value) is str:
            text = value
            asked = KeyedLookup(*chain, value) if chain else None
            chain = None
        else:
            chain = None
    for inner in _inner(code):
        yield from _keyed(inner, own)


def _inner(code: CodeType) -> Iterator[CodeType]:
    return (constant for constant in code.co_consts if isinstance(constant, CodeType))


def _as_names(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()
