"""Which resources and file names are inside these arguments, and what are the arguments without the wrapping?"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import os
import types
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath
from typing import Any

from rms_jupyter.fingerprint.classes_of_data import is_dataclass
from rms_jupyter.fingerprint.origin import kind_of_class
from rms_jupyter.fingerprint.references import as_text
from rms_jupyter.fingerprint.values import SCALARS, Undigestable, digest
from rms_jupyter.model import Ref, Reference

_CONTAINERS = (list, tuple, set, frozenset)
_MOST_PATHS, _MOST_NUMBERS = 10_000, 1_000
BEHIND = ("global:", "code:", "env:")  # Roles of what is named behind the arguments' back.
_DEEPEST = 50
_CODE = (types.FunctionType, types.MethodType, functools.partial, type)
_NAMES = frozenset({str, bytes})
_CHANGED_BY_LOOKING = BaseException  # It has no `__dict__` until that is asked for.
_NAMESPACES = (types.SimpleNamespace, argparse.Namespace)


class NestedInputs:
    """What :func:`explore` found: resources and path names, each with its role (``samples[3].path``).

    Attributes
    ----------
    used : list of (Ref, str)
    changed : list of (Ref, str)
        Resources whose content was changed after it was handed out, and where what it is now stands.
    paths : list of (str, str)
        Path as given, role. Those whose role is one of `BEHIND` are inputs only if the call leaves them as they are:
        what a function writes behind its arguments' back is its own affair (a log, perhaps).
    wrapped : set of str
        Names of the arguments that contain a resource, so that they must be unwrapped.
    code : list of (callable, str)
        Functions and classes of the user's, whose code may name files, too.
    """

    __slots__ = ("changed", "code", "paths", "used", "wrapped")

    def __init__(self) -> None:
        self.used: list[tuple[Ref, str]] = []
        self.changed: list[tuple[Ref, str]] = []
        self.paths: list[tuple[str, str]] = []
        self.wrapped: set[str] = set()
        self.code: list[tuple[Any, str]] = []


Lookup = Callable[[Any], "Ref | None"]


def explore(name: str, value: Any, found: NestedInputs, lookup: Lookup, part: bytes | None = None) -> None:
    """Add to `found` what an argument contains.

    Parameters
    ----------
    name : str
        The argument's name; roles begin with it.
    value : object
    found : Inputs
    lookup : callable
        Gives the resource whose content an object is, or was before it was changed; else None.
    part : bytes, optional
        The value's digest, if it is known.
    """
    kind = type(value)
    if kind in SCALARS and kind is not bytes:
        if (text := as_text(value)) is not None:
            found.paths.append((text, name))
        if ref := lookup(value):
            found.used.append((ref, name))
    else:
        _Explorer(name, found, lookup).visit(value, name, 0, part)


class _Explorer:
    """Looks at each container once, however often it is met and whatever it is inside of.

    Types are asked for with `type`, here and below: what a value says of its class may be wrong, or raise.
    """

    def __init__(self, name: str, found: NestedInputs, lookup: Lookup) -> None:
        self._name, self._found, self._lookup = name, found, lookup
        self._seen: set[int] = set()

    def visit(self, value: Any, role: str, depth: int, part: bytes | None = None) -> None:
        kind = type(value)
        if kind in SCALARS:
            if (text := as_text(value)) is not None:
                self._found.paths.append((text, role))
            if ref := self._lookup(value):
                self._found.used.append((ref, role))
        elif issubclass(kind, Reference):
            self._found.used.append((value._rms_ref(), role))
            self._found.wrapped.add(self._name)
        else:
            self._visit_object(value, kind, role, depth, part)

    def _visit_object(self, value: Any, kind: type, role: str, depth: int, part: bytes | None) -> None:
        nature = _nature(kind)
        if nature == "path":
            if (path := _path_of(value)) is not None:
                self._found.paths.append((path, role))
        elif nature == "code":
            self._found.code.append((value, role))
        if (ref := self._lookup(value)) and _is_as_handed_out(value, ref, part):
            self._found.used.append((ref, role))
            return
        if ref:
            self._found.changed.append((ref, role))
        if nature and depth < _DEEPEST and id(value) not in self._seen:
            self._seen.add(id(value))
            for item, inner in _items(value, nature, role):
                self.visit(item, inner, depth + 1)


def _is_as_handed_out(value: Any, ref: Ref, part: bytes | None) -> bool:
    """Whether a value is what it was; what has no digest counts as that: its call runs anyway."""
    try:
        return (part or digest(value)).hex() == ref.digest
    except Undigestable:
        return True


def _items(value: Any, nature: str, role: str) -> Iterator[tuple[Any, str]]:
    """Give the items worth a look: none where a container holds nothing but too many numbers, or too many strings."""
    if nature == "container":
        kinds = set(map(type, contents(value))) if len(value) > _MOST_NUMBERS else set()
        if kinds and kinds <= SCALARS and (kinds.isdisjoint(_NAMES) or len(value) > _MOST_PATHS):
            return
        if issubclass(type(value), dict):
            for key, item in items_of(value):
                yield item, f"{role}.{key}" if type(key) is str else f"{role}[{key!r}]"
        else:
            yield from ((item, f"{role}[{i}]") for i, item in enumerate(contents(value)))
    elif nature == "fields":
        for field in dataclasses.fields(value):
            yield getattr(value, field.name, None), f"{role}.{field.name}"
    elif nature == "attributes":
        for name, item in _attributes(value).items():
            yield item, f"{role}.{name}"


def _attributes(value: Any) -> dict[str, Any]:
    """Copy the attributes of an object that may do anything when asked for them."""
    try:
        return dict(value.__dict__)
    except Exception:
        return {}


@functools.lru_cache(maxsize=4096)
def _nature(kind: type) -> str:
    """What objects of a type are looked at for: the path that they are, their code, their fields or attributes."""
    if issubclass(kind, (PurePath, str)) or hasattr(kind, "__fspath__"):
        return "path"
    if issubclass(kind, _CODE):
        return "code"
    if is_container_type(kind):
        return "container"
    if is_dataclass(kind):
        return "fields"
    is_users = kind_of_class(kind) == "user" and not issubclass(kind, _CHANGED_BY_LOOKING)
    return "attributes" if is_users or kind in _NAMESPACES else ""


def _path_of(value: Any) -> str | None:
    """Give the path that a value is; a class of the user's may fail to say."""
    try:
        return str(value) if issubclass(type(value), (PurePath, str)) else os.fsdecode(value)
    except Exception:
        return None


def everything(value: Any) -> Iterator[Any]:
    """Give a value, and what lists, tuples, sets and dicts in it hold at any depth; each is looked into once.

    Examples
    --------
    >>> list(everything({"a": [1, 2]}))
    [{'a': [1, 2]}, [1, 2], 2, 1]
    """
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        item = waiting.pop()
        yield item
        if is_container(item) and id(item) not in seen:
            seen.add(id(item))
            waiting.extend(contents(item))


def is_container(value: Any) -> bool:
    """Tell lists, tuples, sets and dicts."""
    return is_container_type(type(value))


def is_container_type(kind: type) -> bool:
    """Whether objects of a type are lists, tuples, sets or dicts."""
    return issubclass(kind, (*_CONTAINERS, dict))


def contents(container: Any) -> Iterable[Any]:
    """Give what is in a list, tuple, set or dict (the values), whatever its class makes of being iterated."""
    kind = type(container)
    if issubclass(kind, dict):
        return _kind_of_dict(container).values(container)
    base = next(base for base in _CONTAINERS if issubclass(kind, base))
    items: Iterable[Any] = base.__iter__(container)
    return items


def items_of(mapping: dict[Any, Any]) -> Iterable[tuple[Any, Any]]:
    """Give keys and values of a dict in its order, whatever its class makes of being asked.

    Examples
    --------
    >>> ordered = OrderedDict(a=1, b=2)
    >>> ordered.move_to_end("a")
    >>> list(items_of(ordered)), list(dict.items(ordered))
    ([('b', 2), ('a', 1)], [('a', 1), ('b', 2)])
    """
    return _kind_of_dict(mapping).items(mapping)


def _kind_of_dict(mapping: dict[Any, Any]) -> type[dict[Any, Any]]:
    return OrderedDict if issubclass(type(mapping), OrderedDict) else dict


def unwrap(value: Any, replace: Callable[[Reference], Any] = lambda reference: reference._rms_value()) -> Any:
    """Put values in place of resources, at any depth of lists, tuples, sets, dicts and dataclasses.

    What contains no resource is given back as it is, not copied.

    Examples
    --------
    >>> unwrap({"a": [1, 2]})
    {'a': [1, 2]}
    """
    return _Unwrapper(replace).unwrap(value, 0)


class _Unwrapper:
    """Unwraps each container once; what is inside itself stays as it is."""

    def __init__(self, replace: Callable[[Reference], Any]) -> None:
        self._replace = replace
        self._done: dict[int, Any] = {}

    def unwrap(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind in SCALARS:
            return value
        if issubclass(kind, Reference):
            return self._replace(value)
        if depth > _DEEPEST:
            return value
        ident = id(value)
        if ident not in self._done:
            self._done[ident] = value
            self._done[ident] = self._inside(value, kind, depth + 1)
        return self._done[ident]

    def _inside(self, value: Any, kind: type, depth: int) -> Any:
        if issubclass(kind, _CONTAINERS):
            if SCALARS.issuperset(map(type, contents(value))):
                return value
            items = [self.unwrap(item, depth) for item in contents(value)]
            if all(new is old for new, old in zip(items, contents(value), strict=True)):
                return value
            return kind(*items) if hasattr(kind, "_fields") else kind(items)
        if issubclass(kind, dict):
            changes = self._changes(value, depth)
            if not changes:
                return value
            copied = value.copy()
            copied.update(changes)
            return copied
        if is_dataclass(kind):
            fields = {f.name: getattr(value, f.name, None) for f in dataclasses.fields(kind) if f.init}
            changes = self._changes(fields, depth)
            return dataclasses.replace(value, **changes) if changes else value
        return value

    def _changes(self, items: dict[Any, Any], depth: int) -> dict[Any, Any]:
        return {key: new for key, old in items_of(items) if (new := self.unwrap(old, depth)) is not old}
