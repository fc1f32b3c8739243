"""What code does a function run, and which globals does it read?

A code version is made of named parts: the text of the function, its defaults, what its closure holds, and,
transitively, each user-code function and class it refers to; installed packages count by name and version.
Plain data in globals is not part of the version: it is *read*, looked up at each call, and is an input.
"""

from __future__ import annotations

import builtins
import dataclasses
import dis
import enum
import functools
import importlib.machinery
import importlib.util
import logging
import re
import sys
import threading
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rms_jupyter.fingerprint.origin import origin_of
from rms_jupyter.fingerprint.source import source_of
from rms_jupyter.fingerprint.values import (
    SCALARS,
    Undigestable,
    Walk,
    digest,
    register,
    scalar_digest,
    tagged,
)

_MISSING = object()
_FILE_NAME = re.compile(r"[^\n\0*?<>|]{0,250}[./][\w-]+")
_in_progress = threading.local()


@dataclass(frozen=True, slots=True)
class Read:
    """A global that holds plain data: an input of the call, with the role ``global:label``."""

    label: str
    namespace: dict[str, Any]
    name: str

    def value(self) -> Any:
        """Look the global up; raises `KeyError` when it is gone."""
        return self.namespace[self.name]


@dataclass(slots=True)
class CodeVersion:
    """A function's code as it would run now.

    Attributes
    ----------
    digest : bytes
        16 bytes, equal when all parts are.
    parts : dict of str to str
        Name of each part (``late``, ``helper``, ``default cutoff``, ``numpy``) to its digest in hex or its version.
    sources : dict of str to str
        Text of the parts that have one, for showing differences.
    reads : list of Read
        Globals that hold plain data.
    literals : list of str
        Texts in the code that could name files (``"flights.csv"``).
    edited : list of str
        Files that were edited since they were imported: what runs is older than what they say.
    obstacle : str
        A closure or default that cannot be described, and why.
    closed : bool
        Whether nothing but the arguments decides what the code computes: no globals, no files.
    """

    digest: bytes = b""
    parts: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    reads: list[Read] = field(default_factory=list)
    literals: list[str] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    obstacle: str = ""
    closed: bool = False
    _watched: list[tuple[Mapping[str, Any], str, Any]] = field(default_factory=list)
    _held: list[tuple[Callable[[], Any], bytes]] = field(default_factory=list)

    def holds(self) -> bool:
        """Tell cheaply whether nothing that the version describes was rebound or mutated since."""
        for namespace, name, value in self._watched:
            if namespace.get(name, _MISSING) is not value:
                return False
        return not self._held or all(digest(get()) == held for get, held in self._held)


def describe(function: Callable[..., Any], ignore: tuple[str, ...] = ()) -> CodeVersion:
    """Describe the code of a function, transitively.

    Parameters
    ----------
    function : callable
        A function, class, bound method, partial, or an object with ``__wrapped__``.
    ignore : tuple of str
        Globals and parts that do not count.

    Examples
    --------
    >>> namespace = {"rate": 2, "__name__": "__main__"}
    >>> exec("def double(x): return x * rate", namespace)
    >>> version = describe(namespace["double"])
    >>> list(version.parts), [read.label for read in version.reads]
    (['double'], ['rate'])
    """
    busy: set[int] = _in_progress.__dict__.setdefault("ids", set())
    name = getattr(function, "__name__", type(function).__name__)
    if id(function) in busy:
        return CodeVersion(tagged("itself", [scalar_digest(name)]))
    busy.add(id(function))
    try:
        describer = _Describer(ignore)
        describer.visit(function, name, root=True)
        return describer.finish()
    finally:
        busy.discard(id(function))


class _Describer:
    def __init__(self, ignore: tuple[str, ...]) -> None:
        self._ignore = set(ignore)
        self._seen: set[int] = set()
        self._names: set[tuple[int, str]] = set()
        self._root = ""
        self.version = CodeVersion()

    def finish(self) -> CodeVersion:
        version = self.version
        version.reads.sort(key=lambda read: read.label)
        named = [(("" if name == self._root else name), value) for name, value in version.parts.items()]
        version.closed = not (version.reads or version.literals or version.obstacle)
        version.digest = tagged("code", [digest(part) for part in sorted(named)])
        return version

    def visit(self, thing: Any, label: str, root: bool = False) -> None:
        """Describe something callable, a class or a module, once."""
        if root:
            self._root = label
        if id(thing) in self._seen or label in self._ignore:
            return
        self._seen.add(id(thing))
        if isinstance(thing, types.FunctionType):
            self._function(thing, label)
        elif isinstance(thing, type):
            self._class(thing, label)
        elif isinstance(thing, types.ModuleType):
            self._package(thing.__name__)
        elif isinstance(thing, types.MethodType):
            self.visit(thing.__func__, label)
            self._data(f"{label}.__self__", lambda: thing.__self__)
        elif isinstance(thing, functools.partial):
            self.visit(thing.func, label)
            self._data(f"{label} partial", lambda: (thing.args, thing.keywords))
        elif hasattr(thing, "__wrapped__"):
            self.visit(thing.__wrapped__, label)
            self._package(type(thing).__module__)
        else:
            self._package(getattr(thing, "__module__", None) or type(thing).__module__)

    def _function(self, function: types.FunctionType, label: str) -> None:
        if origin_of(function.__module__).kind != "user":
            self._package(function.__module__)
            if hasattr(function, "__wrapped__"):
                self.visit(function.__wrapped__, label)
            self._closure(function, label)
            return
        text = source_of(function, is_ours)
        label = self._unused(label)
        self.version.parts[label] = text.digest.hex()
        self.version.sources[label] = text.text
        if text.edited_file and text.edited_file not in self.version.edited:
            self.version.edited.append(text.edited_file)
        for name, value in _defaults(function):
            self._data(f"{label} default {name}", lambda value=value: value)  # type: ignore[misc]
        self._closure(function, label)
        self.version.literals += [path for path in _paths_in(function.__code__) if path not in self.version.literals]
        for name, attributes in references_of(function.__code__):
            self._global(function.__globals__, name, attributes)

    def _closure(self, function: types.FunctionType, label: str) -> None:
        user = origin_of(function.__module__).kind == "user"
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            try:
                value = cell.cell_contents
            except ValueError:
                continue
            if _is_code(value):
                self.visit(value, f"{label}.{name}" if getattr(value, "__name__", name) != name else name)
            elif user and name != "__class__":
                self._data(f"{label} closure {name}", lambda cell=cell: cell.cell_contents, rebindable=True)  # type: ignore[misc]

    def _global(self, namespace: dict[str, Any], name: str, attributes: tuple[str, ...], prefix: str = "") -> None:
        if name.startswith("import "):
            self._import(name.removeprefix("import "))
            return
        label = prefix + name
        if label in self._ignore or ((id(namespace), name) in self._names and not attributes):
            return
        if name not in namespace:
            if not prefix and not hasattr(builtins, name):
                self.version._watched.append((namespace, name, _MISSING))
            return
        value = namespace[name]
        if isinstance(value, types.ModuleType):
            self.version._watched.append((namespace, name, value))
            if origin_of(value.__name__).kind != "user":
                self._package(value.__name__)
            elif attributes:
                self._global(vars(value), attributes[0], attributes[1:], prefix=f"{value.__name__}.")
            else:
                self._module(value)
            return
        self._names.add((id(namespace), name))
        if isinstance(value, logging.Logger):
            return
        if _is_code(value):
            self.version._watched.append((namespace, name, value))
            self.visit(value, label)
        else:
            self.version.reads.append(Read(self._unread(label, namespace), namespace, name))

    def _module(self, module: types.ModuleType) -> None:
        """A local module used as a whole: every function and class defined in it counts."""
        if id(module) in self._seen:
            return
        self._seen.add(id(module))
        for name in sorted(vars(module)):
            if not name.startswith("__"):
                self._global(vars(module), name, (), prefix=f"{module.__name__}.")

    def _import(self, module_name: str) -> None:
        """An import inside the function: the package's version, or all of a local module."""
        module = sys.modules.get(module_name)
        if module is not None:
            if origin_of(module_name).kind == "user":
                self._module(module)
            else:
                self._package(module_name)
            return
        try:
            spec = importlib.util.find_spec(module_name)
        except (ImportError, ValueError):
            return
        if spec is not None and spec.origin and "site-packages" in spec.origin:
            self._package(module_name)
        elif spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            self.version.parts[module_name] = digest(spec.loader.get_data(spec.loader.path)).hex()

    def _class(self, cls: type, label: str) -> None:
        if origin_of(cls.__module__).kind != "user":
            self._package(cls.__module__)
            return
        for base in cls.__bases__:
            self.visit(base, base.__qualname__)
        self.version.parts[f"class {label}"] = digest(_outline(cls)).hex()
        if issubclass(cls, enum.Enum):
            self._attribute(f"{label} members", {m.name: m.value for m in cls})
        for name, member in sorted(vars(cls).items()):
            if _is_incidental(name, member) or (issubclass(cls, enum.Enum) and name.startswith("_")):
                continue
            self.version._watched.append((vars(cls), name, member))
            inner = getattr(member, "__func__", None) or getattr(member, "func", member)
            if isinstance(member, property):
                for accessor in filter(None, (member.fget, member.fset, member.fdel)):
                    self.visit(accessor, f"{label}.{name}")
            elif isinstance(inner, types.FunctionType):
                if inner.__code__.co_filename != "<string>":
                    self.visit(inner, f"{label}.{name}")
            elif isinstance(inner, type):
                self.visit(inner, f"{label}.{name}")
            elif not isinstance(member, (cls, types.MemberDescriptorType)):
                self._attribute(f"{label}.{name}", member)
        for item in dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ():
            if item.default_factory is not dataclasses.MISSING:
                self.visit(item.default_factory, f"{label}.{item.name}")

    def _attribute(self, label: str, member: Any) -> None:
        try:
            held = digest(member)
        except Undigestable:
            self.version.parts[label] = type(member).__qualname__
            return
        self.version.parts[label] = held.hex()
        if type(member) not in SCALARS:
            self.version._held.append((lambda: member, held))

    def _data(self, label: str, get: Callable[[], Any], rebindable: bool = False) -> None:
        value = get()
        if label in self._ignore or label.rpartition(" ")[2] in self._ignore:
            return
        if _is_code(value):
            self.visit(value, label)
            return
        try:
            held = digest(value)
        except Undigestable as error:
            self.version.obstacle = f"{label}: {error}"
            return
        self.version.parts[label] = held.hex()
        if rebindable or type(value) not in SCALARS:
            self.version._held.append((get, held))

    def _package(self, module_name: str | None) -> None:
        origin = origin_of(module_name)
        if origin.kind == "package" and origin.package not in self._ignore:
            self.version.parts[origin.package] = origin.version

    def _unread(self, label: str, namespace: dict[str, Any]) -> str:
        """Tell globals of one name in several modules apart: ``CUTOFF``, ``helpers.CUTOFF``."""
        taken = any(read.label == label and read.namespace is not namespace for read in self.version.reads)
        return f"{namespace.get('__name__')}.{label}" if taken else label

    def _unused(self, label: str) -> str:
        """Tell functions of one name apart: ``scale``, ``scale (2)``."""
        name, count = label, 1
        while name in self.version.parts:
            count += 1
            name = f"{label} ({count})"
        return name


def _is_code(value: Any) -> bool:
    """Functions, classes and modules count by code; anything else is data, callable objects included."""
    if isinstance(value, (types.FunctionType, type, types.MethodType, types.ModuleType, functools.partial)):
        return True
    return callable(value) and (hasattr(value, "__wrapped__") or hasattr(value, "__name__"))


def _is_incidental(name: str, member: Any) -> bool:
    """Tell what Python and its libraries put into classes (``__module__``, ``__slotnames__``, ``_abc_impl``)."""
    is_special = name.startswith("__") and name.endswith("__")
    if is_special and name != "__slots__":
        return not isinstance(member, (types.FunctionType, property, staticmethod, classmethod))
    return name == "_abc_impl"


def _outline(cls: type) -> tuple[Any, ...]:
    """What a class is beside its members: its name, its bases and its annotated fields, in order."""
    fields = [(name, repr(kind)) for name, kind in vars(cls).get("__annotations__", {}).items()]
    params = repr(vars(cls).get("__dataclass_params__"))
    return cls.__qualname__, [base.__qualname__ for base in cls.__bases__], fields, params


def is_ours(value: Any) -> bool:
    """Tell what belongs to this package, or is an instance of a class of it."""
    module = value.__name__ if isinstance(value, types.ModuleType) else getattr(type(value), "__module__", "")
    return any(origin_of(m).kind == "ours" for m in (module, getattr(value, "__module__", None) or "__main__"))


def _defaults(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    code, values = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    yield from zip(names[len(names) - len(values) :], values, strict=True)
    yield from sorted((function.__kwdefaults__ or {}).items())


@functools.lru_cache(maxsize=4096)
def references_of(code: types.CodeType) -> list[tuple[str, tuple[str, ...]]]:
    """Global names that a code object reads, each with the attributes asked of it: ``helpers.clean``."""
    found: dict[tuple[str, tuple[str, ...]], None] = {}
    name = ""
    attributes: tuple[str, ...] = ()
    for instruction in dis.get_instructions(code):
        if name and instruction.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            attributes = (*attributes, instruction.argval)
            continue
        if name:
            found[name, attributes] = None
        name, attributes = "", ()
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            name = instruction.argval
        elif instruction.opname == "IMPORT_NAME":
            found[f"import {instruction.argval}", ()] = None
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found.update(dict.fromkeys(references_of(constant)))
    return list(found)


def _paths_in(code: types.CodeType) -> Iterator[str]:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _paths_in(constant)
        elif isinstance(constant, str) and _FILE_NAME.fullmatch(constant):
            yield constant


def _describe_callable(value: Any, walk: Walk) -> bytes:
    """A function among the arguments counts by its code and the globals it reads."""
    version = describe(value)
    reads = [walk(read.label) + walk(read.namespace.get(read.name)) for read in version.reads]
    return tagged("function", [version.digest, *sorted(reads)])


def _describe_class(cls: type, walk: Walk) -> bytes:
    if origin_of(cls.__module__).kind == "user":
        return _describe_callable(cls, walk)
    return tagged("class", [scalar_digest(cls.__module__), scalar_digest(cls.__qualname__)])


def _describe_builtin(value: Any, walk: Walk) -> bytes:
    owner = getattr(value, "__self__", None)
    if owner is not None and not isinstance(owner, (types.ModuleType, type)):
        return tagged("bound builtin", [walk(owner), walk(value.__name__)])
    return tagged("builtin", [walk(value.__module__ or ""), walk(value.__qualname__)])


register(types.FunctionType, _describe_callable)
register(types.MethodType, _describe_callable)
register(functools.partial, _describe_callable)
register(type, _describe_class, subclasses=True)
register(types.BuiltinFunctionType, _describe_builtin)
register(types.ModuleType, lambda v, walk: tagged("module", [walk(v.__name__), walk(origin_of(v.__name__).version)]))
register(logging.Logger, lambda v, walk: tagged("logger", [walk(v.name)]), subclasses=True)
