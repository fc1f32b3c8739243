"""Does code ask for a variable of the environment by its name?"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Mapping
from typing import Any

from rms_jupyter.fingerprint.references import Keyed

_GETTERS = frozenset({"get", "pop", "setdefault", "__getitem__", "__contains__"})


def is_environment(keyed: Keyed, namespace: Mapping[str, Any]) -> bool:
    """Whether the environment is asked: ``os.environ[...]``, ``environ.get(...)``, ``getenv(...)``, by any name.

    Examples
    --------
    >>> is_environment(Keyed("", ("vars", "get"), "HOME"), {"vars": os.environ})
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
