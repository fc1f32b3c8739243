"""Does code ask for a variable of the environment by its name?"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Mapping
from typing import Any

from rms_jupyter.fingerprint.references import KeyedLookup, Name, names_any, references

_ASKING = frozenset({"environ", "environb", "getenv"})
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
