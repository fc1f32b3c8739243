"""When are two Python values the same?

A digest is 16 bytes of xxh3-128 over a type-tagged description of the value. Values that compare equal and have
the same type have the same digest, in any process:

- ``1``, ``1.0`` and ``True`` differ; so do ``[1]`` and ``(1,)``; a float counts by its bits (``0.0`` is not ``-0.0``);
- a dict or set counts without its order, a list with it; an ``OrderedDict`` with it, since it compares with it;
- a container is described by the digests of its items (or, when all are plain scalars, by one packed block);
- an object is described by its class and by what ``__reduce_ex__`` says of its state; a class or function by its code.

Other modules of this package add types with :func:`register`; libraries that may not be installed are only
imported once a value of theirs turns up.
"""

from __future__ import annotations

import copyreg
import dataclasses
import enum
import importlib
import pathlib
import pickle
import sys
import types
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from xxhash import xxh3_128_digest

Handler = Callable[[Any, "Walk"], bytes]

SCALARS = frozenset({int, float, bool, str, bytes, type(None)})

_MOST_REPEATS = 20_000

_pack = msgspec.msgpack.Encoder().encode
_handlers: dict[type, Handler] = {}
_for_subclasses: dict[type, Handler] = {}
_lazy = {
    "numpy": "of_numpy",
    "pandas": "of_pandas",
    "polars": "of_polars",
    "pyarrow": "of_arrow",
    "matplotlib": "of_matplotlib",
}


class Undigestable(TypeError):
    """A value has no digest; the message says which part, and why."""


def digest(value: Any) -> bytes:
    """Describe a value by 16 bytes that are equal for equal values, in this process and any other.

    Parameters
    ----------
    value : object
        Anything; resources count by the content they stand for.

    Raises
    ------
    Undigestable
        If some part of the value has no stable description (an open file, a lock, a generator).

    Examples
    --------
    >>> digest({"b": 2, "a": 1}) == digest({"a": 1, "b": 2})
    True
    >>> digest(1) == digest(1.0)
    False
    """
    if type(value) in SCALARS:
        return scalar_digest(value)
    try:
        return Walk()(value)
    except _Entangled:
        return _NumberedWalk()(value)
    except RecursionError:
        raise Undigestable(f"{type(value).__qualname__} is nested too deeply") from None


def scalar_digest(value: Any) -> bytes:
    """Describe one of `SCALARS` (exact types)."""
    try:
        return xxh3_128_digest(b"s" + _pack(value))
    except (OverflowError, UnicodeEncodeError):
        return _odd_scalar(value)


def tagged(tag: str, parts: Iterable[bytes]) -> bytes:
    """Combine digests under a tag that keeps kinds apart."""
    return xxh3_128_digest(tag.encode() + b"\0" + b"".join(parts))


def register(cls: type, handler: Handler, subclasses: bool = False) -> None:
    """Say how values of a type are described; `subclasses` extends it to types derived from `cls`."""
    _handlers[cls] = handler
    if subclasses:
        _for_subclasses[cls] = handler


class Walk:
    """One walk over a value: remembers what it has described, and what it is inside of.

    A value inside itself is described by how many levels up it stands. What refers to such an outer level is not
    remembered, because its description holds only at that place; where that makes the walk long, another kind is taken.
    """

    __slots__ = ("_done", "_keep", "_open", "_reach", "_repeats")

    def __init__(self) -> None:
        self._done: dict[int, bytes] = {}
        self._keep: list[Any] = []
        self._open: dict[int, int] = {}
        self._reach = 1 << 62
        self._repeats = 0

    def __call__(self, value: Any) -> bytes:
        """Describe a value that is part of the one walked over."""
        cls = type(value)
        if cls in SCALARS:
            return scalar_digest(value)
        ident, depth = id(value), len(self._open)
        if ident in self._done:
            return self._done[ident]
        if ident in self._open:
            self._reach = min(self._reach, self._open[ident])
            return tagged("cycle", [str(depth - self._open[ident]).encode()])
        outer_reach, self._reach = self._reach, 1 << 62
        self._open[ident] = depth
        try:
            result = (_handlers.get(cls) or _find_handler(cls))(value, self)
        finally:
            del self._open[ident]
        if self._reach >= depth:
            self._done[ident] = result
            self._keep.append(value)
            self._reach = outer_reach
        else:
            self._reach = min(self._reach, outer_reach)
            self._repeats += 1
            if self._repeats > _MOST_REPEATS:
                raise _Entangled
        return result


class _Entangled(Exception):
    """A value refers to itself in so many ways that levels cannot describe it."""


class _NumberedWalk(Walk):
    """Describes a value met again by the number of its first meeting, as pickle does.

    Linear however entangled the value is; but the order of dicts and sharing count, so equal values may differ.
    """

    __slots__ = ()

    def __call__(self, value: Any) -> bytes:
        cls = type(value)
        if cls in SCALARS:
            return scalar_digest(value)
        number = self._open.setdefault(id(value), len(self._open))
        if number < len(self._open) - 1:
            return tagged("met", [str(number).encode()])
        self._keep.append(value)
        return (_handlers.get(cls) or _find_handler(cls))(value, self)


def _find_handler(cls: type) -> Handler:
    handler = _search_handler(cls)
    _handlers[cls] = handler
    return handler


def _search_handler(cls: type) -> Handler:
    for base in cls.__mro__:
        module = _lazy.pop(base.__module__.partition(".")[0], None)
        if module:
            importlib.import_module(f"{__package__}.{module}")
    if cls in _handlers:
        return _handlers[cls]
    for base in cls.__mro__:
        if base in _for_subclasses:
            return _for_subclasses[base]
    if dataclasses.is_dataclass(cls):
        return _dataclass
    return _by_reduce


def _odd_scalar(value: Any) -> bytes:
    """Integers beyond 64 bits and strings with lone surrogates, which msgpack cannot hold."""
    if isinstance(value, int):
        return tagged("int", [str(value).encode()])
    return tagged("str", [value.encode("utf-8", "surrogatepass")])


def _packed(tag: str, items: Any) -> bytes | None:
    try:
        return xxh3_128_digest(tag.encode() + b"\0p" + _pack(items))
    except (OverflowError, UnicodeEncodeError):
        return None


def _sequence(tag: str) -> Handler:
    def describe(value: Any, walk: Walk) -> bytes:
        if SCALARS.issuperset(map(type, value)) and (block := _packed(tag, value)):
            return block
        return tagged(tag, map(walk, value))

    return describe


def _unordered(tag: str) -> Handler:
    def describe(value: Any, walk: Walk) -> bytes:
        return tagged(tag, sorted(map(walk, value)))

    return describe


def _dict(value: dict[Any, Any], walk: Walk) -> bytes:
    kinds = set(map(type, value))
    if len(kinds) == 1 and kinds <= {str, int} and SCALARS.issuperset(map(type, value.values())):
        keys = sorted(value)
        if block := _packed("dict", [keys, [value[k] for k in keys]]):
            return block
    return tagged("dict", sorted(walk(k) + walk(v) for k, v in value.items()))


def _dataclass(value: Any, walk: Walk) -> bytes:
    fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    extra = {k: v for k, v in getattr(value, "__dict__", {}).items() if k not in fields}
    return tagged("dataclass", [walk(type(value)), walk(fields), walk(extra)])


def _enum(value: enum.Enum, walk: Walk) -> bytes:
    return tagged("enum", [walk(type(value)), walk(value.name)])


def _by_reduce(value: Any, walk: Walk) -> bytes:
    """Describe an object by the recipe that pickle would use (PEP 307), never by running it."""
    cls = type(value)
    reducer = copyreg.dispatch_table.get(cls)
    try:
        recipe: Any = reducer(value) if reducer else value.__reduce_ex__(4)
    except RecursionError:
        raise
    except Exception as error:
        raise Undigestable(f"{cls.__module__}.{cls.__qualname__} cannot be described ({error})") from error
    if isinstance(recipe, str):
        found: Any = sys.modules.get(pickle.whichmodule(value, recipe))  # type: ignore[attr-defined]
        for part in recipe.split("."):
            found = getattr(found, part, None)
        if found is not value:
            raise Undigestable(f"{cls.__module__}.{cls.__qualname__} {recipe} is not found by its name")
        return tagged("global", [walk(cls.__module__), walk(recipe)])
    maker, args, state, items, pairs = (*recipe, None, None, None)[:5]
    parts = [walk(maker), walk(args), walk(state)]
    if items is not None:
        parts.append(tagged("items", map(walk, items)))
    if pairs is not None:
        parts.append(tagged("pairs", sorted(walk(k) + walk(v) for k, v in pairs)))
    return tagged("object", parts)


def _refuse(reason: str) -> Handler:
    def describe(value: Any, walk: Walk) -> bytes:
        raise Undigestable(f"{type(value).__qualname__}: {reason}")

    return describe


def _ordered_dict(value: OrderedDict[Any, Any], walk: Walk) -> bytes:
    return tagged("OrderedDict", [d for k, v in value.items() for d in (walk(k), walk(v))])


register(list, _sequence("list"))
register(tuple, _sequence("tuple"))
register(set, _unordered("set"))
register(frozenset, _unordered("frozenset"))
register(dict, _dict)
register(OrderedDict, _ordered_dict)
register(bytearray, lambda v, walk: tagged("bytearray", [bytes(v)]))
register(memoryview, lambda v, walk: tagged("memoryview", [v.format.encode(), str(v.shape).encode(), v.tobytes()]))
register(complex, lambda v, walk: tagged("complex", [walk(v.real), walk(v.imag)]))
register(range, lambda v, walk: tagged("range", [walk((v.start, v.stop, v.step))]))
register(slice, lambda v, walk: tagged("slice", [walk((v.start, v.stop, v.step))]))
register(type(...), lambda v, walk: tagged("ellipsis", []))
register(type(NotImplemented), lambda v, walk: tagged("notimplemented", []))
register(enum.Enum, _enum, subclasses=True)
register(pathlib.PurePath, lambda v, walk: tagged("path", [walk(str(v))]), subclasses=True)
register(types.GeneratorType, _refuse("a generator can be read only once"))
