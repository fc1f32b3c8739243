"""What is a piece of code?  Asks functions and classes, which may do anything when asked, without surprises."""

from __future__ import annotations

import abc
import dataclasses
import enum
import functools
import inspect
import pickle
import re
import sys
import types
from collections.abc import Iterator
from typing import Any

from rms_jupyter.fingerprint.classes_of_data import is_dataclass
from rms_jupyter.fingerprint.origin import kind_of, kind_of_function
from rms_jupyter.fingerprint.values import SCALARS, digest
from rms_jupyter.fingerprint.version import MISSING
from rms_jupyter.model import Reference

_BOUND = (types.MethodType, types.BuiltinMethodType, types.MethodWrapperType)
_CODE = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType, type, functools.partial)
_DATA = ("default", "json_schema_extra", "examples")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def is_code(value: Any) -> bool:
    """Functions, classes and modules count by code; anything else is data, callable objects included."""
    if isinstance(value, _CODE):
        return True
    if not callable(value) or issubclass(type(value), Reference):
        return False
    return getattr_or_none(value, "__wrapped__") is not None or getattr_or_none(value, "__name__") is not None


def getattr_or_none(value: Any, name: str) -> Any:
    """Read an attribute of an object that may do anything when asked."""
    try:
        return getattr(value, name, None)
    except Exception:
        return None


def home_of(thing: Any) -> str:
    """The module of a package, or compiled, where something that is no plain function is found by its name; else ''."""
    name = qualname(thing)
    owner = getattr_or_none(thing, "__self__")
    homes = [getattr_or_none(thing, "__module__"), type(owner).__module__]
    if homes[0] is None and name and not isinstance(thing, _BOUND):
        homes.append(pickle.whichmodule(thing, name))  # type: ignore[attr-defined]
    for home in homes:
        module = sys.modules.get(home) if isinstance(home, str) else None
        if module is None or (kind_of(home) == "user" and not compiled_file(home)):
            continue
        found: Any = module
        for part in (name if owner is None else name.rpartition(".")[2]).split("."):
            found = getattr_or_none(found, part)
        if found is not None and (found is thing or (isinstance(thing, _BOUND) and found == thing)):
            return str(home)
    return ""


def compiled_file(module: str) -> str:
    """Give the file of a compiled module, else ''."""
    path = getattr(sys.modules.get(module), "__file__", None) or ""
    return path if path.endswith((".so", ".pyd")) else ""


def qualname(thing: Any) -> str:
    """Give what something calls itself, else ''."""
    return str(getattr_or_none(thing, "__qualname__") or getattr_or_none(thing, "__name__") or "")


def is_fixed(name: str, value: Any) -> bool:
    """Whether what a closure of other people's code holds is no cache: what it was given, as a rule."""
    return type(value) in SCALARS or type(value) in (tuple, frozenset) or name in ("kwds", "kwargs", "keywords")


def is_special(name: str) -> bool:
    """Tell names that Python gives meaning to."""
    return name.startswith("__") and name.endswith("__")


def is_incidental(cls: type, name: str, member: Any) -> bool:
    """Tell what Python and its libraries put into classes (``__module__``, ``__slotnames__``, ``_abc_impl``)."""
    inner = member.__func__ if isinstance(member, (staticmethod, classmethod)) else member
    if issubclass(cls, enum.Enum) and not isinstance(member, property):
        own = isinstance(inner, types.FunctionType) and kind_of_function(inner) == "user"
        return name in cls.__members__ or (name.startswith("_") and not own)
    if is_special(name) and name != "__slots__":
        return name.startswith("__annotate") or not (is_code(inner) or isinstance(member, property))
    return name == "_abc_impl"


def members_of(cls: type) -> int:
    """Count the members of a class; that Python has looked for its slots, to copy an instance, does not count."""
    return len(vars(cls)) - ("__slotnames__" in vars(cls))


def adopted_by(cls: abc.ABCMeta) -> list[str]:
    """Name the classes that were registered with an abstract one: ``Shape.register(Square)``."""
    registered, *_ = abc._get_dump(cls)  # type: ignore[attr-defined]
    return sorted(f"{found.__module__}.{found.__qualname__}" for ref in registered if (found := ref()) is not None)


def outline(cls: type) -> tuple[Any, ...]:
    """What a class is beside its members: its name, its bases and its annotated fields, in order."""
    try:
        annotations = inspect.get_annotations(cls)
    except Exception:
        annotations = {}
    fields = [(name, _ADDRESS.sub("", repr(kind))) for name, kind in annotations.items()]
    params = repr(vars(cls).get("__dataclass_params__"))
    return cls.__qualname__, [base.__qualname__ for base in cls.__bases__], fields, params, *_options_of_fields(cls)


def _options_of_fields(cls: type) -> list[str]:
    """Say what is declared of fields beside their types and defaults: ``field(compare=False)``, ``Field(gt=0)``."""
    found: list[tuple[Any, ...]] = []
    for item in dataclasses.fields(cls) if is_dataclass(cls) else ():
        options = item.init, item.repr, item.hash, item.compare
        if options != (True, True, None, True) or item.metadata:
            found.append((item.name, options, _as_data(dict(item.metadata))))
    for name, field in _fields_of_pydantic(cls).items():
        declared = field.__repr_args__()
        found.append((name, [(option, _as_data(value) if option in _DATA else value) for option, value in declared]))
    return [_ADDRESS.sub("", repr(field)) for field in found]


def _as_data(value: Any) -> Any:
    """Return the digest of what is data: as text, sets have their items in another order in each process."""
    try:
        return digest(value)
    except Exception:
        return value


def functions_of_fields(cls: type) -> Iterator[tuple[str, Any]]:
    """Give the functions with which pydantic makes and checks fields, by the names of these."""
    for name, field in _fields_of_pydantic(cls).items():
        checks = getattr_or_none(field, "metadata") or ()
        functions = getattr_or_none(field, "default_factory"), *(getattr_or_none(check, "func") for check in checks)
        yield from ((name, function) for function in functions if is_code(function))


def _fields_of_pydantic(cls: type) -> dict[str, Any]:
    fields = vars(cls).get("__pydantic_fields__")
    return fields if isinstance(fields, dict) else {}


def is_ours(value: Any) -> bool:
    """Tell what belongs to this package, or is an instance of a class of it."""
    module = value.__name__ if isinstance(value, types.ModuleType) else getattr(type(value), "__module__", "")
    return any(kind_of(m) == "ours" for m in (module, getattr(value, "__module__", None) or "__main__"))


def defaults(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Give the defaults of a function's parameters, by name."""
    code, values = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    yield from zip(names[len(names) - len(values) :], values, strict=True)
    yield from sorted((function.__kwdefaults__ or {}).items())


def name_in(code: Any, label: str) -> str:
    """Name what was met in the data of a part: as it calls itself, or like the part."""
    name = getattr_or_none(code, "__name__")
    return name if isinstance(name, str) and name.isidentifier() else f"{label} item"


def contents(cell: types.CellType) -> Any:
    """Give what a closure's cell holds; `MISSING` if it is empty."""
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING
