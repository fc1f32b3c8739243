"""What do the globals that code names stand for: more code, or an input of the call?"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import logging
import os
import sys
import types
from collections.abc import Collection, Mapping
from importlib.util import resolve_name
from typing import Any

from rms_jupyter.fingerprint import named_in_packages
from rms_jupyter.fingerprint.anatomy import getattr_or_none, is_code, is_ours, is_special
from rms_jupyter.fingerprint.code_parts import CodeParts, CodeWalk
from rms_jupyter.fingerprint.origin import kind_of
from rms_jupyter.fingerprint.references import Import, Name
from rms_jupyter.fingerprint.version import MISSING

_BUILT_IN = frozenset(vars(builtins))


class CodeGlobals:
    """Finds what global names stand for.

    Parameters
    ----------
    parts : CodeParts
        Where it is noted.
    walk : CodeWalk
        Goes on with the code that is found.
    """

    def __init__(self, parts: CodeParts, walk: CodeWalk) -> None:
        self._parts, self._walk = parts, walk
        self._seen: set[int] = set()

    def look_up(self, namespace: dict[str, Any], name: str, attributes: tuple[str, ...] = (), prefix: str = "") -> None:
        """Describe what a name stands for; of a module, its `attributes` that the code names."""
        label = prefix + name
        if label in self._parts.ignore:
            return
        value = namespace.get(name, MISSING)
        if isinstance(value, types.ModuleType):
            self._parts.watch(namespace, name)
            if kind_of(value.__name__) != "user":
                self._parts.add_package(value.__name__)
                if name != value.__name__:
                    self._parts.version.parts[label] = value.__name__
                self._patched(value, attributes)
            elif attributes:
                self.look_up(vars(value), attributes[0], attributes[1:], prefix=f"{value.__name__}.")
                if attributes[0] not in vars(value) and "__getattr__" in vars(value):
                    self.look_up(vars(value), "__getattr__", prefix=f"{value.__name__}.")
            else:
                self._module(value)
            return
        if not self._parts.is_first_look(namespace, name):
            return
        if value is MISSING or is_code(value):
            self._parts.watch(namespace, name)
            if value is MISSING:
                self._built_in(name)
            else:
                self._walk.name(value, label)
                self._walk.visit(value, label)
                if is_ours(value) and not isinstance(value, type):
                    self.attributes(value, label)
        elif not isinstance(value, logging.Logger) and value is not os.environ:
            self._parts.add_read(label, namespace, name)

    def _built_in(self, name: str) -> None:
        """What the user has put among the names that Python knows everywhere: ``builtins.print = logged``."""
        value = vars(builtins).get(name)
        is_users = isinstance(value, (types.FunctionType, type)) and kind_of(value.__module__) == "user"
        if is_users or (name not in _BUILT_IN and not is_code(value)):
            self.look_up(vars(builtins), name)
        elif name in vars(builtins):
            self._parts.watch(vars(builtins), name)

    def _patched(self, owner: Any, attributes: tuple[str, ...]) -> None:
        """What the user has put into a package, or a class of one: ``math.degrees = mine``, ``math.pi = 3``."""
        if not attributes:
            return
        name, inner = attributes[0], attributes[1:]
        if name not in vars(owner):
            if isinstance(owner, types.ModuleType):
                named_in_packages.note_late(f"{owner.__name__}.{name}")
            return
        value = vars(owner)[name]
        self._parts.watch(vars(owner), name)
        if isinstance(value, types.ModuleType):
            if kind_of(value.__name__) != "user":
                self._patched(value, inner)
        elif isinstance(value, (types.FunctionType, type)) and kind_of(value.__module__) == "user":
            named_in_packages.note(owner, name)
            self.look_up(vars(owner), name, inner, prefix=f"{named_in_packages.called(owner)}.")
        elif isinstance(value, type):
            self._patched(value, inner)
        elif named_in_packages.may_be_put(owner, name, value):
            named_in_packages.note(owner, name)
            self._walk.data(f"{named_in_packages.called(owner)}.{name}", lambda: value)

    def patch(self, namespace: Mapping[str, Any], assigned: Name) -> None:
        """Watch what the code puts into a package, or into a class of one: ``sys.displayhook = print``."""
        owner = namespace.get(assigned.name)
        *inner, name = assigned.attributes
        for attribute in inner:
            owner = getattr_or_none(owner, attribute)
        home = owner.__name__ if isinstance(owner, types.ModuleType) else getattr_or_none(owner, "__module__")
        if isinstance(owner, (types.ModuleType, type)) and isinstance(home, str) and kind_of(home) != "user":
            self._parts.watch(vars(owner), name)

    def attributes(self, function: Any, label: str) -> None:
        """What the user has put on a function, or pipe: ``helper.factor = 2``."""
        names = getattr_or_none(function, "__dict__")
        names = {} if names is None else names  # An empty one may be filled.
        own = getattr(type(function), "own_attributes", ())
        self._parts.hold_size(names, label)
        for name in sorted(names.keys() - own):
            if not is_special(name):
                self.look_up(names, name, prefix=f"{label}.")

    def _module(self, module: types.ModuleType) -> None:
        """A local module used as a whole: every function and class defined in it counts."""
        if id(module) in self._seen:
            return
        self._seen.add(id(module))
        self._parts.hold_size(vars(module), module.__name__)
        for name in sorted(vars(module)):
            if not name.startswith("__"):
                self.look_up(vars(module), name, prefix=f"{module.__name__}.")

    def import_(self, namespace: dict[str, Any], statement: Import, named: Collection[str]) -> None:
        """An import inside the function: a package's version; what is taken of a local module, or all of it.

        Local modules are imported for that, as the function would do: what they refer to counts too. Where the
        function does something before, which may decide what the module is, only it imports it the first time.
        """
        package = namespace.get("__package__") or namespace.get("__name__") or ""
        try:
            name = resolve_name("." * statement.level + statement.module, package)
        except ImportError:
            return
        if kind_of(name) != "user":
            self._parts.add_package(name)
            if name not in sys.modules:
                named_in_packages.note_late(name)
            for taken in statement.names or sorted(named) if name in sys.modules else ():
                self._patched(sys.modules[name], (taken,))
            return
        is_new = name not in sys.modules and _is_there(name.partition(".")[0])
        if statement.is_late and is_new and "import" not in self._parts.ignore:
            self._parts.refuse(
                f"import: until this kernel has imported {name}, as what is done before decides what that is"
            )
            self._parts.hold(name, lambda: sys.modules.get(name), None)
            return
        module = _imported(name)
        if module is None and "import" not in self._parts.ignore:
            self._parts.version.parts[f"import {name}"] = "not there"
            self._parts.hold(name, lambda: _is_there(name), False)
        elif module is not None:
            self._parts.hold(name, lambda: sys.modules.get(name), module)
        for taken in statement.names if module else ():
            if not hasattr(module, taken):
                _imported(f"{name}.{taken}")
            self.look_up(vars(module), taken, prefix=f"{name}.")
        if not statement.names and (outermost := sys.modules.get(name.partition(".")[0])):
            self._module(outermost)


def _imported(name: str) -> Any:
    """Import a module for its code; None where that fails, as it would fail in the function."""
    try:
        return importlib.import_module(name)
    except Exception:
        return None


def _is_there(name: str) -> bool:
    """Whether a module could be imported now."""
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
