"""Is what code names in a package still what came with it: ``scipy.constants.c``, ``math.degrees``?

Anything may have put something else there: a module of the user's, a mock, a text that was run. So what can be compared
counts by what it is now, and not by the version of the package.
"""

from __future__ import annotations

import functools
import math
import sys
import types
from collections.abc import Iterator
from typing import Any

from rms_jupyter.fingerprint.anatomy import getattr_or_none, is_ours, is_special
from rms_jupyter.fingerprint.origin import kind_of
from rms_jupyter.fingerprint.remembered import module_of
from rms_jupyter.fingerprint.values import SCALARS

SEEN_OTHERWISE = frozenset({"sys", "builtins", "os", "IPython"})
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType)
_NEVER_OTHERS = {"pi": 3.141592653589793, "e": 2.718281828459045, "tau": 6.283185307179586, "inf": math.inf}

_noted: dict[tuple[int, str], Any] = {}
_late: set[str] = set()


def may_be_put(owner: Any, name: str, value: Any) -> bool:
    """Whether an attribute of a package, or of a class of one, may be another than came with it.

    Examples
    --------
    >>> may_be_put(math, "pi", math.pi), may_be_put(math, "pi", 3), may_be_put(math, "sin", math.cos)
    (False, True, True)
    """
    kind, root = type(value), _root(_module_of(owner))
    if root in SEEN_OTHERWISE or is_special(name) or value is None:
        return False
    if is_ours(value):  # What we put there for a while is no change; a pipe is put there by the user.
        return getattr_or_none(value, "code_version") is not None
    if kind in SCALARS:
        is_known = kind is float and (math.isnan(value) or value == _NEVER_OTHERS.get(name))
        return not is_known and not _came_late(owner, name)
    if kind in _FUNCTIONS:
        is_another = value.__name__ != name or _root(module_of(value)) not in (root, "")
        return is_another and not _came_late(owner, name) and _is_where_it_says(value)
    if kind is functools.partial:
        return not _came_late(owner, name)
    return is_mock(value) or _is_of_the_user(module_of(kind))


def is_mock(value: Any) -> bool:
    """Whether a value stands for another in a test."""
    return module_of(type(value)) == "unittest.mock"


def called(owner: Any) -> str:
    """What a person calls a module or class."""
    return str(getattr(owner, "__qualname__", owner.__name__))


def note(owner: Any, name: str) -> None:
    """Note an attribute that counts, so that it is there in workers."""
    _noted[id(owner), name] = owner


def note_late(name: str) -> None:
    """Note a module, or something of one, that is not there yet where code names it: that it comes is no change."""
    _late.add(name)


def noted() -> Iterator[tuple[Any, str]]:
    """Give the attributes that count, or have counted."""
    return ((owner, name) for (_, name), owner in tuple(_noted.items()))


def _came_late(owner: Any, name: str) -> bool:
    names = [*_module_of(owner).split("."), name] if _late else []
    return any(".".join(names[:count]) in _late for count in range(1, len(names) + 1))


def _is_where_it_says(function: Any) -> bool:
    """Whether a function is found by its name, in a worker too: what a package has made of another is not."""
    found: Any = sys.modules.get(module_of(function))
    for name in function.__qualname__.split("."):
        found = getattr_or_none(found, name)
    return found is function


def _is_of_the_user(module: str) -> bool:
    """Whether a module is one, and the user's: Cython has its own kinds of functions in one that is not there."""
    has_file = getattr_or_none(sys.modules.get(module), "__file__") is not None
    return module == "__main__" or (has_file and kind_of(module) == "user")


def _module_of(owner: Any) -> str:
    return str(owner.__name__ if isinstance(owner, types.ModuleType) else module_of(owner))


def _root(module: str) -> str:
    return module.partition(".")[0].lstrip("_")
