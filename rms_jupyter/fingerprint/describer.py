"""Which parts is a code version made of?  Walks from a function to everything of the user's that it refers to."""

from __future__ import annotations

import copyreg
import functools
import types
from collections.abc import Callable, MutableMapping, MutableSet
from typing import Any

from rms_jupyter.errors import words_of
from rms_jupyter.fingerprint.anatomy import (
    contents,
    defaults,
    getattr_or_none,
    home_of,
    is_code,
    is_fixed,
    is_ours,
    is_special,
    name_in,
    qualname,
)
from rms_jupyter.fingerprint.code_classes import CodeClasses
from rms_jupyter.fingerprint.code_globals import CodeGlobals
from rms_jupyter.fingerprint.code_parts import CodeParts
from rms_jupyter.fingerprint.met_code import digest_by_parts, digest_or_none
from rms_jupyter.fingerprint.origin import kind_of, kind_of_function
from rms_jupyter.fingerprint.patience import Patience
from rms_jupyter.fingerprint.references import (
    Import,
    Name,
    attributes_assigned,
    imported_by_text,
    named_in_text,
    names_any,
    names_of,
    references,
)
from rms_jupyter.fingerprint.source import source_of
from rms_jupyter.fingerprint.values import SCALARS, digest, tagged
from rms_jupyter.fingerprint.version import MISSING, CodeVersion

_OF_CALLERS = frozenset({"f_globals", "f_locals"})
_IMPORTING = frozenset({"import_module", "__import__"})
_OF_ONE_OBJECT = frozenset({"__repr__", "__str__", "__hash__", "__eq__", "__copy__", "__deepcopy__"})
_KEEP = (dict, list, set, MutableMapping, MutableSet)


class Describer:
    """Describes one function.

    Parameters
    ----------
    root, ignore
        See `CodeParts`.
    """

    def __init__(self, root: str, ignore: tuple[str, ...]) -> None:
        self._parts = CodeParts(root, ignore)
        self._globals, self._classes = CodeGlobals(self._parts, self), CodeClasses(self._parts, self)
        self._seen: set[int] = set()
        self._met: list[Any] = []  # Kept, so that no `id` is used twice.
        self._patience = Patience(f"reading the code that {root} rests on")

    def finish(self) -> CodeVersion:
        """Digest what was found."""
        self._classes.finish()
        return self._parts.finish(self._classes.docs)

    def visit(self, thing: Any, label: str) -> None:
        """Describe something callable, a class or a module, once."""
        if id(thing) in self._seen or label in self._parts.ignore:
            return
        self._seen.add(id(thing))
        self._patience.tick()
        if isinstance(thing, types.FunctionType):
            self._function(thing, label)
        elif isinstance(thing, type):
            self._classes.visit(thing, label)
        elif isinstance(thing, types.ModuleType):
            self._parts.add_package(thing.__name__)
        elif isinstance(thing, (functools.partial, functools.partialmethod)):
            self.visit(thing.func, label)
            self.data(f"{label} partial", lambda: (thing.args, thing.keywords))
        elif module := home_of(thing):
            self._parts.add_name(label, module, qualname(thing))
        elif isinstance(thing, types.MethodType):
            self.visit(thing.__func__, label)
            self.data(f"{label}.__self__", lambda: thing.__self__)
        else:
            if (wrapped := getattr_or_none(thing, "__wrapped__")) is not None:
                self.visit(wrapped, label)
            if isinstance(thing, functools._lru_cache_wrapper):
                self._parts.version.caches.append(thing)
            self._object(thing, label)

    def _function(self, function: types.FunctionType, label: str) -> None:
        code = function.__code__
        if "__create_fn__" in code.co_qualname or (code.co_name == "__hash__" and "<attrs gen" in code.co_filename):
            return  # Written by dataclasses and attrs: the fields say it all; attrs salts what it writes.
        registry = getattr_or_none(function, "registry")
        if isinstance(registry, types.MappingProxyType):
            self._parts.hold(label, lambda: list(registry.values()), list(registry.values()))
        for kind, implementation in registry.items() if isinstance(registry, types.MappingProxyType) else ():
            self.visit(implementation, f"{label}[{getattr(kind, '__qualname__', kind)}]")
        wrapped = getattr_or_none(function, "__wrapped__")
        if wrapped is not None:
            self.visit(wrapped, label)
            label = code.co_qualname.partition(".<locals>")[0]
        kind = kind_of_function(function)
        if kind == "ours":
            for held in filter(is_code, map(contents, function.__closure__ or ())):
                self.visit(held, label)
            return
        if kind != "user":
            place = f":{code.co_firstlineno}" if "<" in code.co_qualname else ""
            self._parts.add_name(label, str(function.__globals__.get("__name__")), code.co_qualname + place)
            self._closure(function, label, only_code=wrapped is not None or kind == "stdlib")
            return
        label = self._parts.unused(label)
        text = source_of(function, is_ours)
        self._parts.add_text(label, text)
        self._globals.attributes(function, label)
        for name, value in defaults(function):
            self.data(f"{label} default {name}", lambda value=value: value)  # type: ignore[misc]
        self._closure(function, label)
        self._parts.add_code(code, function.__globals__)
        for module in imported_by_text(code):
            if module is not None:
                self._globals.import_(function.__globals__, Import(module), names_of(code))
            elif not self._parts.ignore.intersection(_IMPORTING):
                self._parts.refuse("import_module: it imports modules by names that it is given or makes up")
        if names_any(code, _OF_CALLERS):
            self._parts.refuse(f"{label}: it looks at the variables of whoever calls it")
        if _looks_up_by_id(function) and "id" not in self._parts.ignore:
            self._parts.refuse(f"id: {label} looks up by it what is kept of each object")
        for assigned in attributes_assigned(code):
            self._globals.patch(function.__globals__, assigned)
        for reference in references(code):
            if isinstance(reference, Import):
                self._globals.import_(function.__globals__, reference, names_of(code))
            else:
                self._globals.look_up(function.__globals__, *reference)
        for name in sorted(named_in_text(code, function.__doc__)):
            if name in function.__globals__:
                self._globals.look_up(function.__globals__, name)

    def _closure(self, function: types.FunctionType, label: str, only_code: bool = False) -> None:
        """What the cells hold; of other people's decorators (`only_code`) no containers: they keep caches there."""
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            value = contents(cell)
            self._parts.hold(name, lambda cell=cell, value=value: contents(cell) is value, True)  # type: ignore[misc]
            if is_code(value):
                self.name(value, name)
                own = getattr(value, "__name__", name)
                self.visit(value, own if own.isidentifier() else f"{label}.{name}")
            elif value is not MISSING and (not only_code or is_fixed(name, value)):
                self.data(f"{label} closure {name}", lambda cell=cell: contents(cell))  # type: ignore[misc]

    def _object(self, thing: Any, label: str) -> None:
        """Something that can be called and is no function: its class and its state."""
        kinds = {kind_of(base.__module__) for base in type(thing).__mro__ if base is not object}
        if "ours" in kinds:
            if (code_version := getattr_or_none(thing, "code_version")) is not None:
                self._parts.add_version(code_version(), label)
            return
        if "user" in kinds:
            self.visit(type(thing), type(thing).__qualname__)
        if kinds != {"user"}:
            self._parts.add_package(type(thing).__module__)
            if "user" in kinds or getattr_or_none(thing, "__wrapped__") is None:
                self.data(f"{label} state", lambda: thing, opaque=True)
            return
        for name in copyreg._slotnames(type(thing)):  # type: ignore[attr-defined]
            self.data(f"{label}.{name}", lambda name=name: getattr(thing, name, None))  # type: ignore[misc]
        if hasattr(thing, "__dict__"):
            self._parts.hold_size(vars(thing), label)
        for name, value in sorted(getattr(thing, "__dict__", {}).items()):
            if not is_special(name):
                self._parts.watch(vars(thing), name)
                self.data(f"{label}.{name}", lambda value=value: value)  # type: ignore[misc]

    def data(self, label: str, get: Callable[[], Any], opaque: bool = False) -> None:
        """Describe a value that the code holds; one that is `opaque` is no code, though it can be called."""
        if label in self._parts.ignore or label.rpartition(" ")[2] in self._parts.ignore:
            return
        value = get()
        if is_code(value) and not opaque:
            self.name(value, label)
            self.visit(value, label)
            return
        try:
            held, met = digest_by_parts(value)
        except Exception as error:
            self._parts.refuse(f"{label}: {words_of(error)}")
            return
        if not self._parts.is_default_of_root(label):  # Those come as arguments, where they are used.
            self._parts.note_paths(value)
        if type(value) not in SCALARS:
            self._parts.hold(label, lambda: digest_or_none(get()), held)
        self._parts.version.parts[label] = self._with_met(held, met, label).hex()

    def _with_met(self, held: bytes, met: list[Any], label: str) -> bytes:
        """Describe the functions and classes that were met in data, into the digest of the data."""
        if not met:
            return held
        self._met += met
        version = self._parts.version
        outer = version.parts, version.sources
        version.parts, version.sources = {}, {}
        for code in met:
            self.visit(code, name_in(code, label))
        inner = sorted(version.parts.items())
        version.parts, version.sources = outer
        return tagged("data", [held, digest(inner)])

    def name(self, function: Any, label: str) -> None:
        """What a function is called, where that is not what the code calls it: it may be passed on as data."""
        if not isinstance(function, types.FunctionType) or kind_of(function.__module__) != "user":
            return  # Others count by their names anyway.
        name = getattr_or_none(function, "__name__")
        if isinstance(name, str) and name != label.rpartition(".")[2]:
            self._parts.version.parts[self._parts.unused(f"name of {label}")] = name


def _looks_up_by_id(function: types.FunctionType) -> bool:
    """Whether code asks for `id` where that may be the key to what outlives a call: in a global, or of `self`."""
    code, names = function.__code__, function.__globals__
    if "id" not in code.co_names or "id" in names or function.__name__ in _OF_ONE_OBJECT:
        return False
    found = [reference for reference in references(code) if isinstance(reference, Name)]
    if Name("id") not in found:
        return False
    is_kept = any(
        isinstance(held, _KEEP) or (isinstance(held, type) and one.attributes)
        for one in found
        if (held := names.get(one.name)) is not None
    )
    return is_kept or code.co_varnames[: code.co_argcount][:1] == ("self",)
