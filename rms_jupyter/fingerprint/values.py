"""When are two Python values the same?

A digest is 16 bytes of xxh3-128 over a type-tagged description of the value. Values that compare equal and have
the same type have the same digest, in any process:

- ``1``, ``1.0`` and ``True`` differ; so do ``[1]`` and ``(1,)``, and ``None`` and NaN;
- a float counts by its bits, alone and in arrays and frames: ``0.0`` is not ``-0.0``, and a NaN is the same as another
  of the same payload only (the payload seldom differs, and nothing is gained by looking through every array for it);
- a dict or set counts without its order, a list with it; an ``OrderedDict`` with it, since it compares with it;
- a container is described by the digests of its items (or, when all are plain scalars, by one packed block);
- an object is described by its class and by what ``__reduce_ex__`` says of its state, but for what a
  ``cached_property`` has put there; a class or function by its code;
- what can be read only once (a generator, an iterator, an open file) has no digest: to read it is to change it.

The digests of Python's own values, of arrays of numbers, and of frames of numbers and text never change (the tests
hold some of each). Those of other objects hold as long as their libraries describe them alike.

Other modules of this package add types with :func:`register`; libraries that may not be installed are only
imported once a value of theirs turns up.
"""

from __future__ import annotations

import copyreg
import dataclasses
import enum
import functools
import importlib
import io
import pathlib
import pickle
import sys
import types
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import msgspec
from xxhash import xxh3_128_digest

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.origin import kind_of
from rms_jupyter.fingerprint.traced import untraced

Handler = Callable[[Any, "Walk"], bytes]

SCALARS = frozenset({int, float, bool, str, bytes, type(None)})

_MOST_REPEATS = 1000
_FEW = 32
_MANY = 50_000
_DECIMAL_BITS = 2000

_pack = msgspec.msgpack.Encoder(enc_hook=untraced).encode
_handlers: dict[type, Handler] = {}
_for_subclasses: dict[type, Handler] = {}
_lazy = {
    "numpy": "of_numpy",
    "scipy": "of_scipy",
    "pandas": "of_pandas",
    "polars": "of_polars",
    "pyarrow": "of_arrow",
    "pyarrow._dataset": "of_datasets",
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
        return _walk_over(value)
    except (Undigestable, RmsError, MemoryError):
        raise
    except RecursionError:
        raise Undigestable(f"{type(value).__qualname__} is nested too deeply") from None
    except Exception as error:
        raise _indescribable(type(value), error) from error


def reads_once(cls: type) -> bool:
    """Tell types whose instances are used up by reading them: iterators and files, but not those held in memory.

    Examples
    --------
    >>> reads_once(map), reads_once(list), reads_once(io.BytesIO)
    (True, False, False)
    """
    return any("__next__" in vars(base) for base in cls.__mro__) and not issubclass(cls, (io.BytesIO, io.StringIO))


def scalar_digest(value: Any) -> bytes:
    """Describe one of `SCALARS` (exact types)."""
    try:
        return xxh3_128_digest(b"s" + _pack(value))
    except (OverflowError, UnicodeEncodeError):
        return _odd_scalar(value)


def tagged(tag: str, parts: Iterable[bytes]) -> bytes:
    """Combine digests under a tag that keeps kinds apart."""
    return xxh3_128_digest(b"".join([tag.encode(), b"\0", *parts]))


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
        if cls in _PACKERS and len(value) <= _FEW and (block := _PACKERS[cls](value)):
            return block
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
        if (number := self._open.get(id(value))) is not None:
            return tagged("met", [str(number).encode()])
        self._open[id(value)] = len(self._open)
        self._keep.append(value)
        return (_handlers.get(cls) or _find_handler(cls))(value, self)


def _walk_over(value: Any) -> bytes:
    try:
        return Walk()(value)
    except _Entangled:
        return _NumberedWalk()(value)


def module_of(thing: Any) -> str:
    """Name the module that a class or function says it is of; Cython's kinds of functions say nothing that can be read.

    Examples
    --------
    >>> module_of(int), module_of(type("Made", (), {"__module__": None}))
    ('builtins', '')
    """
    module = getattr(thing, "__module__", None)
    return module if isinstance(module, str) else ""


def _indescribable(cls: type, error: Exception) -> Undigestable:
    try:
        why = str(error)
    except Exception:
        why = type(error).__name__
    return Undigestable(f"{module_of(cls)}.{cls.__qualname__} cannot be described ({why})")


def _find_handler(cls: type) -> Handler:
    handler = _search_handler(cls)
    _handlers[cls] = handler
    return handler


def _search_handler(cls: type) -> Handler:
    for base in cls.__mro__:
        module = module_of(base)
        for name in (module, module.partition(".")[0]):
            if handlers := _lazy.get(name):
                importlib.import_module(f"{__package__}.{handlers}")
    if cls in _handlers:
        return _handlers[cls]
    for base in cls.__mro__:
        if base in _for_subclasses:
            return _for_subclasses[base]
    if reads_once(cls):
        is_file = issubclass(cls, io.IOBase)
        return refuse("an open file; pass its path" if is_file else "it can be read only once; pass a list")
    handler = _dataclass if dataclasses.is_dataclass(cls) else by_reduce
    caches = {n for base in cls.__mro__ for n, m in vars(base).items() if isinstance(m, functools.cached_property)}
    return functools.partial(handler, caches=caches) if caches else handler


def _odd_scalar(value: Any) -> bytes:
    """Integers beyond 64 bits and strings with lone surrogates, which msgpack cannot hold."""
    if isinstance(value, int):
        # Python refuses to write long ones in decimal; the limit can be set, and must not be part of the digest.
        return tagged("int", [(str(value) if value.bit_length() < _DECIMAL_BITS else hex(value)).encode()])
    return tagged("str", [value.encode("utf-8", "surrogatepass")])


def _packed(tag: str, items: Any) -> bytes | None:
    try:
        return xxh3_128_digest(tag.encode() + b"\0p" + _pack(items))
    except (OverflowError, UnicodeEncodeError):
        return None


def _packed_sequence(value: Any) -> bytes | None:
    """Describe a list or tuple of plain scalars; None for any other."""
    return _packed(type(value).__name__, value) if SCALARS.issuperset(map(type, value)) else None


def _packed_dict(value: dict[Any, Any]) -> bytes | None:
    """Describe a dict of text, or of whole numbers, to plain scalars; None for any other."""
    kinds = set(map(type, value))
    if len(kinds) == 1 and kinds <= {str, int} and SCALARS.issuperset(map(type, value.values())):
        keys = sorted(value)
        return _packed("dict", [keys, [value[k] for k in keys]])
    return None


_PACKERS: dict[type, Callable[[Any], bytes | None]] = {
    list: _packed_sequence,
    tuple: _packed_sequence,
    dict: _packed_dict,
}


def _sequence(value: Any, walk: Walk) -> bytes:
    return _packed_sequence(value) or tagged(type(value).__name__, map(walk, value))


def _unordered(tag: str) -> Handler:
    def describe(value: Any, walk: Walk) -> bytes:
        return tagged(tag, _in_order(map(walk, value), len(value), 16))

    return describe


def _dict(value: dict[Any, Any], walk: Walk) -> bytes:
    return _packed_dict(value) or tagged("dict", _in_order(_pairs(value.items(), walk), len(value), 32))


def _pairs(items: Iterable[tuple[Any, Any]], walk: Walk) -> Iterator[bytes]:
    return (walk(k) + walk(v) for k, v in items)


def _in_order(parts: Iterable[bytes], count: int, width: int) -> list[Any]:
    """Sort digests of one width; many of them as one block, which takes a tenth of the time and half of the memory."""
    if count < _MANY:
        return sorted(parts)
    try:
        import numpy as np
    except ImportError:
        return sorted(parts)
    block = bytearray()
    for part in parts:
        block += part
    np.frombuffer(block, f"S{width}").sort()
    return [block]


def _dataclass(value: Any, walk: Walk, caches: Collection[str] = ()) -> bytes:
    fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    extra = {k: v for k, v in getattr(value, "__dict__", {}).items() if k not in fields and k not in caches}
    return tagged("dataclass", [walk(type(value)), walk(fields), walk(extra)])


def _enum(value: enum.Enum, walk: Walk) -> bytes:
    return tagged("enum", [walk(type(value)), walk(value.name)])


def by_reduce(value: Any, walk: Walk, caches: Collection[str] = ()) -> bytes:
    """Describe an object by the recipe that pickle would use (PEP 307), never by running it.

    Parameters
    ----------
    value : object
    walk : Walk
    caches : collection of str
        Attributes that only remember what was computed.
    """
    cls = type(value)
    # Importing Dask registers a recipe for exceptions that keeps their tracebacks.
    reducer = None if issubclass(cls, BaseException) else copyreg.dispatch_table.get(cls)
    try:
        recipe: Any = reducer(value) if reducer else value.__reduce_ex__(4)
    except RecursionError:
        raise
    except Exception as error:
        raise _indescribable(cls, error) from error
    if isinstance(recipe, str):
        found: Any = sys.modules.get(pickle.whichmodule(value, recipe))  # type: ignore[attr-defined]
        for part in recipe.split("."):
            found = getattr(found, part, None)
        if found is not value:
            raise Undigestable(f"{module_of(cls)}.{cls.__qualname__} {recipe} is not found by its name")
        return tagged("global", [walk(module_of(value) or module_of(cls)), walk(recipe)])
    maker, args, state, items, pairs = (*recipe, None, None, None)[:5]
    if cls.__reduce__ in _UNORDERED_RECIPES:  # Theirs lists the items as they come.
        args = (frozenset(value),)
    parts = [_maker(maker, walk), walk(args), walk(_without(caches, state) if caches else state)]
    if items is not None:
        parts.append(tagged("items", map(walk, items)))
    if pairs is not None:
        described = _pairs(pairs, walk)
        parts.append(tagged("pairs", described if issubclass(cls, OrderedDict) else sorted(described)))
    return tagged("object", parts)


def _maker(maker: Any, walk: Walk) -> bytes:
    """Describe what a recipe calls: by name, whatever the version, where it is not the user's."""
    if isinstance(maker, types.FunctionType) and kind_of(maker.__module__) in ("stdlib", "package"):
        return tagged("maker", [walk(maker.__module__), walk(maker.__qualname__)])
    return walk(maker)


_UNORDERED_RECIPES: tuple[Any, ...] = (set.__reduce__, frozenset.__reduce__)


def _without(names: Collection[str], state: Any) -> Any:
    """Leave attributes out of an object's state: a dict, or a dict and what is in slots."""
    if isinstance(state, tuple):
        return tuple(_without(names, part) for part in state)
    return {k: v for k, v in state.items() if k not in names} or None if isinstance(state, dict) else state


def refuse(reason: str) -> Handler:
    """Make a handler for values that have no digest, and say why."""

    def describe(value: Any, walk: Walk) -> bytes:
        raise Undigestable(f"{type(value).__qualname__}: {reason}")

    return describe


def _ordered_dict(value: OrderedDict[Any, Any], walk: Walk) -> bytes:
    return tagged("OrderedDict", [d for k, v in value.items() for d in (walk(k), walk(v))])


def _range(value: range, walk: Walk) -> bytes:
    return tagged("range", [walk(bounds(value))])


def bounds(value: range) -> tuple[int, int, int]:
    """Give start, stop and step, the same for ranges of the same numbers.

    Examples
    --------
    >>> bounds(range(0, 5, 2)), bounds(range(0, 6, 2)), bounds(range(7, 3))
    ((0, 6, 2), (0, 6, 2), (0, 0, 1))
    """
    step = value.step if len(value) > 1 else 1
    return (value[0], value[-1] + step, step) if value else (0, 0, 1)


register(list, _sequence)
register(tuple, _sequence)
register(set, _unordered("set"))
register(frozenset, _unordered("frozenset"))
register(dict, _dict)
register(OrderedDict, _ordered_dict)
register(type({}.keys()), _unordered("dict_keys"))
register(type({}.items()), _unordered("dict_items"))
register(type({}.values()), lambda v, walk: tagged("dict_values", map(walk, v)))
register(types.MappingProxyType, lambda v, walk: tagged("mappingproxy", [walk(dict(v))]))
register(bytearray, lambda v, walk: tagged("bytearray", [bytes(v)]))
register(memoryview, lambda v, walk: tagged("memoryview", [v.format.encode(), str(v.shape).encode(), v.tobytes()]))
register(complex, lambda v, walk: tagged("complex", [walk(v.real), walk(v.imag)]))
register(range, _range)
register(slice, lambda v, walk: tagged("slice", [walk((v.start, v.stop, v.step))]))
register(type(...), lambda v, walk: tagged("ellipsis", []))
register(type(NotImplemented), lambda v, walk: tagged("notimplemented", []))
register(enum.Enum, _enum, subclasses=True)
register(pathlib.PurePath, lambda v, walk: tagged("path", [walk(str(v))]), subclasses=True)
register(pathlib.PureWindowsPath, lambda v, walk: tagged("windows path", [walk(str(v))]), subclasses=True)
