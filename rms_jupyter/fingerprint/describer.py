"""Which parts is a code version made of?  Walks from a function to everything of the user's that it refers to."""

from __future__ import annotations

import abc
import builtins
import copyreg
import dataclasses
import enum
import functools
import importlib
import importlib.util
import logging
import os
import re
import sys
import types
from collections.abc import Callable, Collection, Mapping
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

from rms_jupyter.errors import words_of
from rms_jupyter.fingerprint import named_in_packages, put_into_packages, registered
from rms_jupyter.fingerprint.anatomy import (
    adopted_by,
    compiled_file,
    contents,
    defaults,
    functions_of_fields,
    getattr_or_none,
    home_of,
    is_code,
    is_fixed,
    is_incidental,
    is_ours,
    is_special,
    members_of,
    name_in,
    outline,
    qualname,
)
from rms_jupyter.fingerprint.classes_of_data import is_dataclass
from rms_jupyter.fingerprint.environment import asks_environment, is_environment, variables_filled_in
from rms_jupyter.fingerprint.met_code import digest_by_parts, digest_or_none
from rms_jupyter.fingerprint.nesting import NestedInputs, explore
from rms_jupyter.fingerprint.origin import kind_of, kind_of_class, kind_of_function, origin_of, public_name
from rms_jupyter.fingerprint.patience import Patience
from rms_jupyter.fingerprint.put_on_classes import put_on_classes
from rms_jupyter.fingerprint.references import (
    Import,
    Name,
    attributes_assigned,
    globals_assigned,
    imported_by_text,
    is_word,
    keyed_lookups,
    looks_like_path,
    looks_up_by_text,
    named_in_text,
    names_any,
    names_of,
    opens_files,
    paths_in,
    references,
    words_in,
)
from rms_jupyter.fingerprint.settings import makes_text, settings_of
from rms_jupyter.fingerprint.source import source_of
from rms_jupyter.fingerprint.values import SCALARS, digest, tagged
from rms_jupyter.fingerprint.version import ENVIRONMENT, MISSING, CodeVersion, Read

_ASKS_AS_WRITTEN = re.compile(
    r"\b__doc__\b|\b__annotations__\b|\b(getdoc|getsource|getsourcelines|get_annotations|get_type_hints|signature)\("
)
_OF_CALLERS = frozenset({"f_globals", "f_locals"})
_ASK_KIND = frozenset({"isinstance", "issubclass", "singledispatch", "singledispatchmethod"})
_SUBCLASSES = frozenset({"__subclasses__"})
_IMPORTING = frozenset({"import_module", "__import__"})
_BUILT_IN = frozenset(vars(builtins))


class Describer:
    """Describes one function into `version`.

    Parameters
    ----------
    root : str
        What the function is called: the name of its first part, which does not count.
    ignore : tuple of str
        Globals and parts that do not count.
    """

    def __init__(self, root: str, ignore: tuple[str, ...]) -> None:
        self._root, self._ignore = root, set(ignore)
        self._identity = ""
        self._seen: set[int] = set()
        self._met: list[Any] = []  # Kept, so that no `id` is used twice.
        self._names: set[tuple[int, str]] = set()
        self._paths: dict[str, None] = {}
        self._words: dict[str, None] = {}
        self._opens_files = False
        self._assigned: list[tuple[dict[str, Any], str]] = []
        self._classes: list[tuple[type, str]] = []
        self._foreign: list[type] = []
        self._named: set[str] = set()
        self._put: set[str] = set()
        self._asks_subclasses = False
        self._patience = Patience(f"reading the code that {root} rests on")
        self.version = CodeVersion()

    def finish(self) -> CodeVersion:
        """Digest what was found."""
        version = self.version
        self._subclasses()
        self._adopted()
        self._put_on_classes()
        self._as_written()
        version.reads = sorted({read.label: read for read in version.reads}.values(), key=lambda read: read.label)
        version.literals = [*self._paths, *(self._words if self._opens_files else ())]
        named = sorted((self._without_root(name), part) for name, part in version.parts.items())
        version.settings = settings_of(version.parts, version.sources.values())
        version.makes_text = makes_text(version.sources.values())
        for namespace, name in self._assigned:
            label = name if name not in version.assigned else f"{namespace.get('__name__')}.{name}"
            version.assigned[label] = namespace, name, (id(namespace), name) in self._names
        version.closed = not (version.reads or version.literals or version.obstacle or version.assigned)
        version.digest = tagged("code", map(digest, [self._identity, *named]))
        return version

    def visit(self, thing: Any, label: str) -> None:
        """Describe something callable, a class or a module, once."""
        if id(thing) in self._seen or label in self._ignore:
            return
        self._seen.add(id(thing))
        self._patience.tick()
        if isinstance(thing, types.FunctionType):
            self._function(thing, label)
        elif isinstance(thing, type):
            self._class(thing, label)
        elif isinstance(thing, types.ModuleType):
            self._package(thing.__name__)
        elif isinstance(thing, (functools.partial, functools.partialmethod)):
            self.visit(thing.func, label)
            self._data(f"{label} partial", lambda: (thing.args, thing.keywords))
        elif module := home_of(thing):
            self._by_name(label, module, qualname(thing))
        elif isinstance(thing, types.MethodType):
            self.visit(thing.__func__, label)
            self._data(f"{label}.__self__", lambda: thing.__self__)
        else:
            if (wrapped := getattr_or_none(thing, "__wrapped__")) is not None:
                self.visit(wrapped, label)
            if isinstance(thing, functools._lru_cache_wrapper):
                self.version.caches.append(thing)
            self._object(thing, label)

    # Functions -----------------------------------------------------------------------------------------------------

    def _function(self, function: types.FunctionType, label: str) -> None:
        code = function.__code__
        if "__create_fn__" in code.co_qualname or (code.co_name == "__hash__" and "<attrs gen" in code.co_filename):
            return  # Written by dataclasses and attrs: the fields say it all; attrs salts what it writes.
        registry = getattr_or_none(function, "registry")
        if isinstance(registry, types.MappingProxyType):
            self._hold(label, lambda: list(registry.values()), list(registry.values()))
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
            self._by_name(label, str(function.__globals__.get("__name__")), code.co_qualname + place)
            self._closure(function, label, only_code=wrapped is not None or kind == "stdlib")
            return
        label = self._unused(label)
        text = source_of(function, is_ours)
        self.version.parts[label] = text.digest.hex()
        self.version.sources[label] = text.text
        if text.edited_file and text.edited_file not in self.version.edited:
            self.version.edited.append(text.edited_file)
        self._attributes(function, label)
        for name, value in defaults(function):
            self._data(f"{label} default {name}", lambda value=value: value)  # type: ignore[misc]
        self._closure(function, label)
        self._paths.update(dict.fromkeys(paths_in(code)))
        self._words.update(dict.fromkeys(words_in(code)))
        self._opens_files = self._opens_files or opens_files(code)
        self._named |= names_of(code)
        self._asks_subclasses = self._asks_subclasses or names_any(code, _SUBCLASSES)
        for keyed in keyed_lookups(code):
            if is_environment(keyed, function.__globals__):
                self.version.reads.append(Read(f"{ENVIRONMENT}{keyed.key}", os.environ, keyed.key))
        filled_in = sorted(variables_filled_in(code))
        self.version.reads += [Read(f"{ENVIRONMENT}{name}", os.environ, name) for name in filled_in]
        for module in imported_by_text(code):
            if module is not None:
                self._import(function.__globals__, Import(module), names_of(code))
            elif not self._ignore.intersection(_IMPORTING):
                made_up = "import_module: it imports modules by names that it is given or makes up"
                self.version.obstacle = self.version.obstacle or made_up
        if names_any(code, _OF_CALLERS):
            callers = f"{label}: it looks at the variables of whoever calls it"
            self.version.obstacle = self.version.obstacle or callers
        for assigned in attributes_assigned(code):
            self._patch(function.__globals__, assigned)
        self._assigned += [(function.__globals__, name) for name in sorted(globals_assigned(code))]
        version = self.version
        version.names_environment = version.names_environment or asks_environment(code, function.__globals__)
        for reference in references(code):
            if isinstance(reference, Import):
                self._import(function.__globals__, reference, names_of(code))
            else:
                self._global(function.__globals__, *reference)
        if looks_up_by_text(code) and not any(known is function.__globals__ for known in version.looked_up_by_text):
            version.looked_up_by_text.append(function.__globals__)
        for name in sorted(named_in_text(code, function.__doc__)):
            if name in function.__globals__:
                self._global(function.__globals__, name)

    def _closure(self, function: types.FunctionType, label: str, only_code: bool = False) -> None:
        """What the cells hold; of other people's decorators (`only_code`) no containers: they keep caches there."""
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            value = contents(cell)
            self._hold(name, lambda cell=cell, value=value: contents(cell) is value, True)  # type: ignore[misc]
            if is_code(value):
                self._name(value, name)
                own = getattr(value, "__name__", name)
                self.visit(value, own if own.isidentifier() else f"{label}.{name}")
            elif value is not MISSING and (not only_code or is_fixed(name, value)):
                self._data(f"{label} closure {name}", lambda cell=cell: contents(cell))  # type: ignore[misc]

    def _by_name(self, label: str, module: str, qualname: str) -> None:
        """What counts by its name, and by the version of its package (or the content of a compiled local module)."""
        origin = origin_of(module)
        self._package(module)
        name = public_name(module, qualname)
        if label != self._root or self._identity:
            self.version.parts[self._unused(label)] = name
        else:
            self._identity = name
            if origin.kind == "stdlib":
                self.version.parts["Python"] = f"{sys.version_info.major}.{sys.version_info.minor}"
        if origin.kind == "user" and (path := compiled_file(module)):
            self.version.parts[module] = digest(Path(path).read_bytes()).hex()

    def _object(self, thing: Any, label: str) -> None:
        """Something that can be called and is no function: its class and its state."""
        kinds = {kind_of(base.__module__) for base in type(thing).__mro__ if base is not object}
        if "ours" in kinds:
            if (code_version := getattr_or_none(thing, "code_version")) is not None:
                self._add(code_version(), label)
            return
        if "user" in kinds:
            self.visit(type(thing), type(thing).__qualname__)
        if kinds != {"user"}:
            self._package(type(thing).__module__)
            if "user" in kinds or getattr_or_none(thing, "__wrapped__") is None:
                self._data(f"{label} state", lambda: thing, opaque=True)
            return
        for name in copyreg._slotnames(type(thing)):  # type: ignore[attr-defined]
            self._data(f"{label}.{name}", lambda name=name: getattr(thing, name, None))  # type: ignore[misc]
        if hasattr(thing, "__dict__"):
            self._hold_size(vars(thing), label)
        for name, value in sorted(getattr(thing, "__dict__", {}).items()):
            if not is_special(name):
                self._watch(vars(thing), name)
                self._data(f"{label}.{name}", lambda value=value: value)  # type: ignore[misc]

    def _add(self, other: CodeVersion, label: str) -> None:
        """What describes itself: a command."""
        version = self.version
        version.parts |= {f"{label} {name}": part for name, part in other.parts.items()}
        version.sources |= {f"{label} {name}": text for name, text in other.sources.items()}
        version.reads += other.reads
        version.held += other.held
        version.caches += other.caches
        self._paths.update(dict.fromkeys(other.literals))
        version.obstacle = version.obstacle or other.obstacle

    # Globals and modules -------------------------------------------------------------------------------------------

    def _global(self, namespace: dict[str, Any], name: str, attributes: tuple[str, ...] = (), prefix: str = "") -> None:
        label = prefix + name
        if label in self._ignore:
            return
        value = namespace.get(name, MISSING)
        if isinstance(value, types.ModuleType):
            self._watch(namespace, name)
            if kind_of(value.__name__) != "user":
                self._package(value.__name__)
                if name != value.__name__:
                    self.version.parts[label] = value.__name__
                self._patched(value, attributes)
            elif attributes:
                self._global(vars(value), attributes[0], attributes[1:], prefix=f"{value.__name__}.")
                if attributes[0] not in vars(value) and "__getattr__" in vars(value):
                    self._global(vars(value), "__getattr__", prefix=f"{value.__name__}.")
            else:
                self._module(value)
            return
        if (id(namespace), name) in self._names:
            return
        self._names.add((id(namespace), name))
        if value is MISSING or is_code(value):
            self._watch(namespace, name)
            if value is MISSING:
                self._built_in(name)
            else:
                self._name(value, label)
                self.visit(value, label)
                if is_ours(value) and not isinstance(value, type):
                    self._attributes(value, label)
        elif not isinstance(value, logging.Logger) and value is not os.environ:
            self.version.reads.append(Read(self._unread(label, namespace), namespace, name))

    def _built_in(self, name: str) -> None:
        """What the user has put among the names that Python knows everywhere: ``builtins.print = logged``."""
        value = vars(builtins).get(name)
        is_users = isinstance(value, (types.FunctionType, type)) and kind_of(value.__module__) == "user"
        if is_users or (name not in _BUILT_IN and not is_code(value)):
            self._global(vars(builtins), name)
        elif name in vars(builtins):
            self._watch(vars(builtins), name)

    def _patched(self, owner: Any, attributes: tuple[str, ...]) -> None:
        """What the user has put into a package, or a class of one: ``math.degrees = mine``, ``math.pi = 3``."""
        if not attributes or attributes[0] not in vars(owner):
            return
        name, inner = attributes[0], attributes[1:]
        value = vars(owner)[name]
        self._watch(vars(owner), name)
        if isinstance(value, types.ModuleType):
            if kind_of(value.__name__) != "user":
                self._patched(value, inner)
        elif isinstance(value, (types.FunctionType, type)) and kind_of(value.__module__) == "user":
            named_in_packages.note(owner, name)
            self._global(vars(owner), name, inner, prefix=f"{named_in_packages.called(owner)}.")
        elif isinstance(value, type):
            self._patched(value, inner)
        elif named_in_packages.may_be_put(owner, name, value):
            named_in_packages.note(owner, name)
            self._data(f"{named_in_packages.called(owner)}.{name}", lambda: value)

    def _patch(self, namespace: Mapping[str, Any], assigned: Name) -> None:
        """Watch what the code puts into a package, or into a class of one: ``sys.displayhook = print``."""
        owner = namespace.get(assigned.name)
        *inner, name = assigned.attributes
        for attribute in inner:
            owner = getattr_or_none(owner, attribute)
        home = owner.__name__ if isinstance(owner, types.ModuleType) else getattr_or_none(owner, "__module__")
        if isinstance(owner, (types.ModuleType, type)) and isinstance(home, str) and kind_of(home) != "user":
            self._watch(vars(owner), name)

    def _attributes(self, function: Any, label: str) -> None:
        """What the user has put on a function, or pipe: ``helper.factor = 2``."""
        names = getattr_or_none(function, "__dict__")
        names = {} if names is None else names  # An empty one may be filled.
        own = getattr(type(function), "own_attributes", ())
        self._hold_size(names, label)
        for name in sorted(names.keys() - own):
            if not is_special(name):
                self._global(names, name, prefix=f"{label}.")

    def _module(self, module: types.ModuleType) -> None:
        """A local module used as a whole: every function and class defined in it counts."""
        if id(module) in self._seen:
            return
        self._seen.add(id(module))
        self._hold_size(vars(module), module.__name__)
        for name in sorted(vars(module)):
            if not name.startswith("__"):
                self._global(vars(module), name, prefix=f"{module.__name__}.")

    def _import(self, namespace: dict[str, Any], statement: Import, named: Collection[str]) -> None:
        """An import inside the function: a package's version; what is taken of a local module, or all of it.

        Local modules are imported for that, as the function would do: what they refer to counts too.
        """
        package = namespace.get("__package__") or namespace.get("__name__") or ""
        try:
            name = resolve_name("." * statement.level + statement.module, package)
        except ImportError:
            return
        if kind_of(name) != "user":
            self._package(name)
            for taken in statement.names or sorted(named) if name in sys.modules else ():
                self._patched(sys.modules[name], (taken,))
            return
        module = _imported(name)
        if module is None and "import" not in self._ignore:
            self.version.parts[f"import {name}"] = "not there"
            self._hold(name, lambda: _is_there(name), False)
        for taken in statement.names if module else ():
            if not hasattr(module, taken):
                _imported(f"{name}.{taken}")
            self._global(vars(module), taken, prefix=f"{name}.")
        if not statement.names and (outermost := sys.modules.get(name.partition(".")[0])):
            self._module(outermost)

    # Classes -------------------------------------------------------------------------------------------------------

    def _class(self, cls: type, label: str) -> None:
        if kind_of_class(cls) != "user":
            self._foreign.append(cls)
            self._by_name(label, cls.__module__, cls.__qualname__)
            return
        self._classes.append((cls, label))
        for base in (*cls.__bases__, type(cls)):
            if kind_of_class(base) == "user":
                self.visit(base, base.__qualname__)
            else:
                self._package(base.__module__)
        if isinstance(cls, abc.ABCMeta) and (adopted := adopted_by(cls)):
            self.version.parts[f"{label} adopted"] = ", ".join(adopted)
        if isinstance(cls, abc.ABCMeta):
            self._hold(label, abc.get_cache_token, abc.get_cache_token())
        size = members_of(cls)
        self._hold(label, lambda: members_of(cls), size)
        self.version.parts[self._unused(f"class {label}")] = digest(outline(cls)).hex()
        if issubclass(cls, enum.Enum):
            members = [(name, member.value) for name, member in cls.__members__.items()]
            self._data(f"{label} members", lambda: members)
        for name, member in sorted(vars(cls).items()):
            if not is_incidental(cls, name, member):
                self._watch(vars(cls), name)
                self._member(f"{label}.{name}", member)
        for item in dataclasses.fields(cls) if is_dataclass(cls) else ():
            if not isinstance(item.default_factory, type(dataclasses.MISSING)):  # Cloudpickle makes others.
                self.visit(item.default_factory, f"{label}.{item.name}")
        for name, function in functions_of_fields(cls):
            self.visit(function, f"{label}.{name}")

    def _subclasses(self) -> None:
        """The classes made from those that were met, where the code asks for them."""
        for cls, label in self._classes if self._asks_subclasses else ():  # It grows.
            found: list[type] = type.__subclasses__(cls)
            self._hold(label, lambda cls=cls: type.__subclasses__(cls), found)  # type: ignore[misc]
            self.version.parts[self._unused(f"subclasses of {label}")] = ", ".join(c.__qualname__ for c in found)
            for inner in found:
                self.visit(inner, inner.__qualname__)

    def _adopted(self) -> None:
        """The classes that the user has registered with abstract ones of packages, which all code may ask for."""
        if not self._named.isdisjoint(_ASK_KIND):
            self._hold_size(registered.adopted, "classes registered with abstract ones")
        for cls, adopted in registered.adopted_by_packages().items():
            self.version.parts[f"{cls} adopted"] = ", ".join(adopted)

    def _put_on_classes(self) -> None:
        """What the user has put into packages, and on classes of theirs, where the code names it: ``frame.lab``."""
        done: set[str] = set()
        self._put_into_packages(())
        while names := self._named - done:  # What was put there names more.
            done |= names
            self._put_into_packages(names)
            for cls, name, code in put_on_classes(names, self._foreign):
                self._watch(vars(cls), name)
                self.visit(code, f"{cls.__qualname__}.{name}")

    def _put_into_packages(self, names: Collection[str]) -> None:
        for put in put_into_packages.counting(names):
            if put.label in self._put:
                continue
            self._put.add(put.label)
            self._watch(vars(put.owner), put.name)
            if (now := put.now()) is MISSING and put.was_there:
                self.version.parts[put.label] = "deleted"
            elif now is not put.came:
                self._member(put.label, now)

    def _as_written(self) -> None:
        """Docstrings, annotations and comments, where the code asks for them."""
        texts = list(self.version.sources.values())
        if any(map(_ASKS_AS_WRITTEN.search, texts)):
            docs = [cls.__doc__ for cls, _ in self._classes]
            self.version.parts[self._unused("docstrings and comments")] = digest([*texts, *docs]).hex()

    def _member(self, label: str, member: Any) -> None:
        if isinstance(member, (staticmethod, classmethod)):
            member = member.__func__
        if isinstance(member, (functools.cached_property, functools.singledispatchmethod)):
            member = getattr(member, "dispatcher", member.func)
        if isinstance(member, property):
            accessors = {"": member.fget, " setter": member.fset, " deleter": member.fdel}
            for suffix, accessor in accessors.items():
                if accessor is not None:
                    self.visit(accessor, label + suffix)
        elif is_code(member) or isinstance(member, functools.partialmethod):
            self.visit(member, label)
        elif not isinstance(member, (types.MemberDescriptorType, types.GetSetDescriptorType)):
            self._data(label, lambda: member)

    # What all of them do -------------------------------------------------------------------------------------------

    def _data(self, label: str, get: Callable[[], Any], opaque: bool = False) -> None:
        if label in self._ignore or label.rpartition(" ")[2] in self._ignore:
            return
        value = get()
        if is_code(value) and not opaque:
            self._name(value, label)
            self.visit(value, label)
            return
        try:
            held, met = digest_by_parts(value)
        except Exception as error:
            self.version.obstacle = self.version.obstacle or f"{label}: {words_of(error)}"
            return
        if not label.startswith(f"{self._root} default "):  # Those come as arguments, where they are used.
            self._note_paths(value)
        if type(value) not in SCALARS:
            self._hold(label, lambda: digest_or_none(get()), held)
        self.version.parts[label] = self._with_met(held, met, label).hex()

    def _with_met(self, held: bytes, met: list[Any], label: str) -> bytes:
        """Describe the functions and classes that were met in data, into the digest of the data."""
        if not met:
            return held
        self._met += met
        outer = self.version.parts, self.version.sources
        self.version.parts, self.version.sources = {}, {}
        for code in met:
            self.visit(code, name_in(code, label))
        inner = sorted(self.version.parts.items())
        self.version.parts, self.version.sources = outer
        return tagged("data", [held, digest(inner)])

    def _note_paths(self, value: Any) -> None:
        """Data that the code holds (attributes of classes, defaults of helpers, closures) may name files, too."""
        found = NestedInputs()
        explore("", value, found, lambda _: None)
        for path, _ in found.paths:
            if looks_like_path(path):
                self._paths[path] = None
            elif is_word(path):
                self._words[path] = None

    def _name(self, function: Any, label: str) -> None:
        """What a function is called, where that is not what the code calls it: it may be passed on as data."""
        if not isinstance(function, types.FunctionType) or kind_of(function.__module__) != "user":
            return  # Others count by their names anyway.
        name = getattr_or_none(function, "__name__")
        if isinstance(name, str) and name != label.rpartition(".")[2]:
            self.version.parts[self._unused(f"name of {label}")] = name

    def _package(self, module_name: str | None) -> None:
        origin = origin_of(module_name)
        if origin.kind == "package" and origin.package not in self._ignore:
            self.version.parts[origin.package] = origin.version
            if origin.edited:
                edited = f"{origin.package}: {origin.edited} was edited since it was imported"
                self.version.obstacle = self.version.obstacle or edited

    def _watch(self, namespace: Mapping[str, Any], name: str) -> None:
        self.version.watched.append((namespace, name, namespace.get(name, MISSING)))

    def _hold(self, label: str, look: Callable[[], Any], found: Any) -> None:
        self.version.held.append((label.rpartition(" ")[2], look, found))

    def _hold_size(self, names: Mapping[Any, Any], label: str) -> None:
        self._hold(label, lambda: len(names), len(names))

    def _without_root(self, label: str) -> str:
        is_below = label.startswith((f"{self._root} ", f"{self._root}."))
        return label.removeprefix(self._root) if label == self._root or is_below else label

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
