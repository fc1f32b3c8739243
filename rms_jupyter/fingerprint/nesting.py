"""Which resources and file names are inside these arguments, and what are the arguments without the wrapping?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any

from rms_jupyter.fingerprint.values import SCALARS
from rms_jupyter.model import Ref, Reference

_CONTAINERS = (list, tuple, set, frozenset)
_MOST_PATHS = 10_000
_DEEPEST = 50


class Inputs:
    """What :func:`explore` found: resources and path names, each with its role (``samples[3].path``).

    Attributes
    ----------
    used : list of (Ref, str)
    paths : list of (str, str)
        Path as given, role. Those whose role begins with ``global:`` or ``code:`` are inputs only if the call leaves
        them as they are: what a function writes behind its arguments' back is its own affair (a log, perhaps).
    wrapped : set of str
        Names of the arguments that contain a resource, so that they must be unwrapped.
    """

    __slots__ = ("paths", "used", "wrapped")

    def __init__(self) -> None:
        self.used: list[tuple[Ref, str]] = []
        self.paths: list[tuple[str, str]] = []
        self.wrapped: set[str] = set()


Lookup = Callable[[Any], "Ref | None"]


def explore(name: str, value: Any, found: Inputs, lookup: Lookup) -> None:
    """Add to `found` what an argument contains.

    Parameters
    ----------
    name : str
        The argument's name; roles begin with it.
    value : object
    found : Inputs
    lookup : callable
        Gives the resource whose content an object is, or None.
    """
    kind = type(value)
    if kind is str:
        found.paths.append((value, name))
        if ref := lookup(value):
            found.used.append((ref, name))
    elif kind not in SCALARS:
        _Explorer(name, found, lookup).visit(value, name, 0)


class _Explorer:
    def __init__(self, name: str, found: Inputs, lookup: Lookup) -> None:
        self._name, self._found, self._lookup = name, found, lookup

    def visit(self, value: Any, role: str, depth: int) -> None:
        kind = type(value)
        if kind in SCALARS:
            if kind is str:
                self._found.paths.append((value, role))
        elif isinstance(value, Reference):
            self._found.used.append((value._rms_ref(), role))
            self._found.wrapped.add(self._name)
        elif isinstance(value, PurePath):
            self._found.paths.append((str(value), role))
        elif ref := self._lookup(value):
            self._found.used.append((ref, role))
        elif depth < _DEEPEST:
            for item, inner in _items(value, role):
                self.visit(item, inner, depth + 1)


def _items(value: Any, role: str) -> Iterator[tuple[Any, str]]:
    """Give the items worth a look: none where a container holds nothing but numbers, or too many strings."""
    if isinstance(value, _CONTAINERS):
        kinds = set(map(type, value))
        if not kinds <= SCALARS or (str in kinds and len(value) <= _MOST_PATHS):
            yield from ((item, f"{role}[{i}]") for i, item in enumerate(value))
    elif isinstance(value, dict):
        kinds = set(map(type, value.values()))
        if not kinds <= SCALARS or (str in kinds and len(value) <= _MOST_PATHS):
            yield from (
                (item, f"{role}.{key}" if type(key) is str else f"{role}[{key!r}]") for key, item in value.items()
            )
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield getattr(value, field.name, None), f"{role}.{field.name}"


def unwrap(
    value: Any, replace: Callable[[Reference], Any] = lambda reference: reference._rms_value(), depth: int = 0
) -> Any:
    """Put values in place of resources, at any depth of lists, tuples, sets, dicts and dataclasses.

    What contains no resource is given back as it is, not copied.

    Examples
    --------
    >>> unwrap({"a": [1, 2]})
    {'a': [1, 2]}
    """
    if isinstance(value, Reference):
        return replace(value)
    if depth > _DEEPEST:
        return value
    if isinstance(value, _CONTAINERS):
        if SCALARS.issuperset(map(type, value)):
            return value
        items = [unwrap(item, replace, depth + 1) for item in value]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, dict):
        changes = {k: new for k, old in value.items() if (new := unwrap(old, replace, depth + 1)) is not old}
        if not changes:
            return value
        copied = value.copy()
        copied.update(changes)
        return copied
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name, None) for f in dataclasses.fields(value) if f.init}
        changes = {k: new for k, old in fields.items() if (new := unwrap(old, replace, depth + 1)) is not old}
        return dataclasses.replace(value, **changes) if changes else value
    return value
