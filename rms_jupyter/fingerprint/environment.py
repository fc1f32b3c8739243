"""Does code ask for a variable of the environment by its name?"""

from __future__ import annotations

import os
import re
import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any

from rms_jupyter.fingerprint.references import KeyedLookup, Name, names_any, references

_EXPANDING = frozenset({"expandvars"})
_ASKING = frozenset({"environ", "environb", "getenv"}) | _EXPANDING
_STARTING = frozenset({"subprocess", "Popen", "check_output", "check_call", "getoutput", "popen", "system"})
_IN_TEXT = re.compile(r"\$\{?(\w+)")
_BEHIND_NAMES = {
    **dict.fromkeys(("expanduser", "home"), ("HOME", "USERPROFILE")),
    **dict.fromkeys(("localtime", "mktime", "fromtimestamp", "astimezone", "tzset"), ("TZ",)),
    "get_terminal_size": ("COLUMNS", "LINES"),
    "getuser": ("LOGNAME", "USER", "LNAME", "USERNAME"),
    "which": ("PATH",),
}
_GETTERS = frozenset({"get", "pop", "setdefault", "__getitem__", "__contains__"})


def is_environment(keyed: KeyedLookup, namespace: Mapping[str, Any]) -> bool:
    """Whether the environment is asked: ``os.environ[...]``, ``environ.get(...)``, ``getenv(...)``, by any name.

    Examples
    --------
    >>> is_environment(KeyedLookup("", ("vars", "get"), "HOME"), {"vars": os.environ})
    True
    """
    module, names, _ = keyed
    value: Any = sys.modules.get(module) if module else namespace.get(names[0])
    for name in names if module else names[1:]:
        if value is os.environ:
            return name in _GETTERS
        if not isinstance(value, types.ModuleType):
            return False
        value = vars(value).get(name)
    return value is os.environ or value is os.getenv


def asks_environment(code: types.CodeType, namespace: Mapping[str, Any]) -> bool:
    """Whether code refers to the environment at all.

    Examples
    --------
    >>> asks_environment((lambda name: os.getenv(name)).__code__, {"os": os})
    True
    """
    if names_any(code, _ASKING):
        return True
    values = (namespace.get(found.name) for found in references(code) if isinstance(found, Name))
    return any(value is os.environ or value is os.getenv for value in values)


def variables_named(texts: Iterable[str]) -> set[str]:
    """Name the variables that texts name: as they are, or to be filled in.

    Examples
    --------
    >>> sorted(variables_named(["HOME", "$DATA/raw/${RUN}.csv", "no name"]))
    ['DATA', 'HOME', 'RUN']
    """
    texts = list(texts)
    return {text for text in texts if text.isidentifier()}.union(*map(_IN_TEXT.findall, texts))


def variables_filled_in(code: types.CodeType) -> set[str]:
    """Name the variables that code has filled into paths and commands: ``expandvars("$DATA")``, ``system("ls $A")``.

    Examples
    --------
    >>> sorted(variables_filled_in((lambda: os.path.expandvars("$DATA/raw")).__code__))
    ['DATA']
    """
    found = {name for asking, names in _BEHIND_NAMES.items() if names_any(code, frozenset({asking})) for name in names}
    return found.union(*map(_IN_TEXT.findall, _texts_of(code))) if names_any(code, _EXPANDING | _STARTING) else found


def _texts_of(code: types.CodeType) -> Iterable[str]:
    for constant in code.co_consts:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, types.CodeType):
            yield from _texts_of(constant)
