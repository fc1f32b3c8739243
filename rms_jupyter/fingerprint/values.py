"""When are two Python values the same?

A digest is 16 bytes of xxh3-128 over a type-tagged description of the value. Values that compare equal and have
the same type have the same digest, in any process:

- ``1``, ``1.0`` and ``True`` differ; so do ``[1]`` and ``(1,)``, and ``None`` and NaN;
- a float counts by its bits, alone and in arrays and frames: ``0.0`` is not ``-0.0``, and a NaN is the same as another
  of the same payload only (the payload seldom differs, and nothing is gained by looking through every array for it);
- a set counts without its order; a list or dict with it, since a function can see it;
- a container is described by the digests of its items (or, when all are plain scalars, by one packed block);
- an object is described by its class and its fields, or by what ``__reduce_ex__`` says of its state, without what it
  only remembers; a class by its code, a function by its code and its name;
- what a library or a user says of a type (`register`, ``rms.digest_by``, ``__dask_tokenize__``) comes first;
- what can be read only once (a generator, an iterator, an open file) has no digest: to read it is to change it.

The digests of Python's own values, of arrays of numbers, and of frames of numbers and text never change (the tests
hold some of each). Those of other objects hold as long as their libraries describe them alike.

Other modules of this package add types with :func:`register`; libraries that may not be installed are only
imported once a value of theirs turns up.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from xxhash import xxh3_128_digest

from rms_jupyter.errors import RmsError, words_of
from rms_jupyter.fingerprint.remembered import full_name, module_of
from rms_jupyter.fingerprint.traced import untraced

Handler = Callable[[Any, "Walk"], bytes]

SCALARS = frozenset({int, float, bool, str, bytes, type(None)})

_MOST_REPEATS = 1000
_FEW = 32
_DECIMAL_BITS = 2000

_pack = msgspec.msgpack.Encoder(enc_hook=untraced).encode
_handlers: dict[type, Handler] = {}
_for_subclasses: dict[type, Handler] = {}
_by_name: dict[str, Handler] = {}
_by_users: dict[type, Handler] = {}
_lazy = {
    "builtins": "of_python",
    "astropy": "of_astropy",
    "lmfit": "of_lmfit",
    "matplotlib": "of_matplotlib",
    "numba": "of_numba",
    "numpy": "of_numpy",
    "pandas": "of_pandas",
    "polars": "of_polars",
    "pyarrow": "of_arrow",
    "pyarrow._dataset": "of_datasets",
    "scipy": "of_scipy",
    "sympy": "of_sympy",
    "uncertainties": "of_uncertainties",
    "xarray": "of_xarray",
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
    >>> digest({2, 1}) == digest({1, 2})
    True
    >>> digest({"b": 2, "a": 1}) == digest({"a": 1, "b": 2})
    False
    """
    return scalar_digest(value) if type(value) in SCALARS else examined(value)[0]


def examined(value: Any) -> tuple[bytes, bool]:
    """Give the digest of a value, and whether it is of a kind that pickle might bring back as another.

    Raises
    ------
    Undigestable
        As `digest`.
    """
    try:
        return _walk_over(value)
    except (Undigestable, RmsError, MemoryError):
        raise
    except RecursionError:
        raise Undigestable(f"{type(value).__qualname__} is nested too deeply") from None
    except Exception as error:
        raise indescribable(type(value), error) from error


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


def register_by_name(name: str, handler: Handler) -> None:
    """Say how values of a type and of those derived from it are described, without importing its module."""
    _by_name[name] = handler


def digest_by(cls: type, function: Callable[[Any], Any]) -> None:
    """Say what counts in values of a type, and of those derived from it.

    Parameters
    ----------
    cls : type
        One whose values have no digest, or one that does not hold.
    function : callable
        Gives what tells two of them apart, as text, numbers, arrays or anything else that has a digest.

    Examples
    --------
    >>> class Sensor:
    ...     def __init__(self, name):
    ...         self.name, self.wire = name, iter([])
    >>> digest_by(Sensor, lambda sensor: sensor.name)
    >>> digest(Sensor("a")) == digest(Sensor("a")), digest(Sensor("a")) == digest(Sensor("b"))
    (True, False)
    """
    if not isinstance(cls, type) or not callable(function):  # type: ignore[redundant-expr]
        raise RmsError(
            "digest_by takes a type and a function", hint="rms.digest_by(Sensor, lambda sensor: sensor.name)"
        )
    if cls in SCALARS or cls in _PACKERS or cls is object:
        raise RmsError(f"how {cls.__name__} is digested is settled", hint="derive a class of your own from it")

    def describe(value: Any, walk: Walk) -> bytes:
        walk.doubts = True
        return tagged("by its user", [walk(type(value)), walk(function(value))])

    _by_users[cls] = describe
    for known in [known for known in _handlers if issubclass(known, cls)]:
        del _handlers[known]


class Walk:
    """One walk over a value: remembers what it has described, and what it is inside of.

    A value inside itself is described by how many levels up it stands. What refers to such an outer level is not
    remembered, because its description holds only at that place; where that makes the walk long, another kind is taken.

    Attributes
    ----------
    doubts : bool
        Whether it has met what pickle might bring back as another.
    """

    __slots__ = ("_done", "_keep", "_open", "_reach", "_repeats", "doubts")

    def __init__(self) -> None:
        self.doubts = False
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

    def if_any(self, value: Any) -> bytes | None:
        """Describe a part, or return None where it has no digest."""
        reach = self._reach
        try:
            return self(value)
        except Undigestable:
            self._reach = reach
            return None


class _Entangled(Exception):
    """A value refers to itself in so many ways that levels cannot describe it."""


class _NumberedWalk(Walk):
    """Describes a value met again by the number of its first meeting, as pickle does.

    Linear however entangled the value is; but sharing counts, so equal values may differ.
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


def _walk_over(value: Any) -> tuple[bytes, bool]:
    walk = Walk()
    try:
        return walk(value), walk.doubts
    except _Entangled:
        walk = _NumberedWalk()
        return walk(value), walk.doubts


def indescribable(cls: type, error: Exception) -> Undigestable:
    """Word what kept a value from being described."""
    return Undigestable(f"{full_name(cls)} cannot be described ({words_of(error)})")


def _find_handler(cls: type) -> Handler:
    handler = _search_handler(cls)
    _handlers[cls] = handler
    return handler


def _search_handler(cls: type) -> Handler:
    from rms_jupyter.fingerprint import recipes

    for base in cls.__mro__:
        module = module_of(base)
        for name in (module, module.partition(".")[0]):
            if of_them := _lazy.get(name):
                importlib.import_module(f"{__package__}.{of_them}")
    by_user = next((_by_users[base] for base in cls.__mro__ if base in _by_users), None)
    if handler := by_user or _handlers.get(cls) or _registered(cls):
        return handler
    if reads_once(cls):
        is_file = issubclass(cls, io.IOBase)
        return refuse("an open file; pass its path" if is_file else "it can be read only once; pass a list")
    if hasattr(cls, "__dask_tokenize__"):
        return recipes.by_token
    return recipes.by_fields if recipes.has_fields(cls) else recipes.by_reduce


def _registered(cls: type) -> Handler | None:
    found = (_for_subclasses.get(base) or _by_name.get(full_name(base)) for base in cls.__mro__)
    return next(filter(None, found), None)


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


def packed_sequence(value: Any) -> bytes | None:
    """Describe a list or tuple of plain scalars; None for any other."""
    return _packed(type(value).__name__, value) if SCALARS.issuperset(map(type, value)) else None


def packed_dict(value: dict[Any, Any]) -> bytes | None:
    """Describe a dict of plain scalars, with its order; None for any other."""
    if SCALARS.issuperset(map(type, value)) and SCALARS.issuperset(map(type, value.values())):
        return _packed("dict in order", [*value, *value.values()])
    return None


def packed_attributes(value: dict[Any, Any]) -> bytes | None:
    """Describe attributes that are plain scalars, in any order; None for any other."""
    if set(map(type, value)) == {str} and SCALARS.issuperset(map(type, value.values())):
        names = sorted(value)
        return _packed("dict", [names, [value[name] for name in names]])
    return None


_PACKERS: dict[type, Callable[[Any], bytes | None]] = {
    list: packed_sequence,
    tuple: packed_sequence,
    dict: packed_dict,
}


def refuse(reason: str) -> Handler:
    """Make a handler for values that have no digest, and say why."""

    def describe(value: Any, walk: Walk) -> bytes:
        raise Undigestable(f"{type(value).__qualname__}: {reason}")

    return describe
