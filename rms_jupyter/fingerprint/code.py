"""What code does a function run, and which globals does it read?

A code version is made of named parts: the text of the function, its defaults, what its closure holds, and,
transitively, each user-code function and class it refers to; installed packages count by name and version.
Plain data in globals is not part of the version: it is *read*, looked up at each call, and is an input.
"""

from __future__ import annotations

import functools
import logging
import threading
import types
from collections.abc import Callable
from typing import Any

from rms_jupyter.fingerprint.describer import Describer
from rms_jupyter.fingerprint.met_code import met_in_description
from rms_jupyter.fingerprint.origin import kind_of_class, origin_of
from rms_jupyter.fingerprint.remembered import module_of
from rms_jupyter.fingerprint.values import Undigestable, Walk, register, scalar_digest, tagged
from rms_jupyter.fingerprint.version import CodeVersion as CodeVersion
from rms_jupyter.fingerprint.version import Read as Read


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
    name = name_of(function)
    describer = Describer(name, ignore)
    describer.visit(function, name)
    return describer.finish()


class _Shared(threading.local):
    """Descriptions made while one call is identified, by the `id` of what they describe, which they hold."""

    versions: dict[int, tuple[Any, CodeVersion]] | None = None


_shared = _Shared()


class describing_once:
    """Describe each function among the arguments and globals of a call once, however often it is met in the block."""

    __slots__ = ("_outer",)

    def __enter__(self) -> None:
        self._outer, _shared.versions = _shared.versions, {}

    def __exit__(self, *error: object) -> None:
        _shared.versions = self._outer


def describe_once(function: Callable[..., Any]) -> CodeVersion:
    """Describe a function, or give the description made in the same block of `describing_once`."""
    if _shared.versions is None:
        return describe(function)
    if id(function) not in _shared.versions:
        _shared.versions[id(function)] = function, describe(function)
    return _shared.versions[id(function)][1]


def described_so_far() -> list[CodeVersion]:
    """The descriptions made so far in the block of `describing_once`."""
    return [version for _, version in (_shared.versions or {}).values()]


def name_of(function: Any) -> str:
    """What a function is called; a partial like the function in it, an object like its class.

    Examples
    --------
    >>> name_of(functools.partial(max, 1))
    'max'
    """
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


def _describe_callable(value: Any, walk: Walk) -> bytes:
    """A function among the arguments counts by its name, its code and the globals it reads.

    One in what a description comes across counts by what it is made of; all that it refers to joins the description.
    """
    if (parts := met_in_description(value)) is not None:
        return tagged("function met", map(walk, parts))
    version = describe_once(value)
    if version.obstacle:
        raise Undigestable(version.obstacle)
    reads = [walk(read.label) + walk(read.namespace.get(read.name)) for read in version.reads]
    return tagged("function", [scalar_digest(name_of(value)), version.digest, *sorted(reads)])


def _describe_method(method: types.MethodType, walk: Walk) -> bytes:
    return tagged("method", [walk(method.__self__), walk(method.__func__)])


def _describe_class(cls: type, walk: Walk) -> bytes:
    if kind_of_class(cls) == "user" and met_in_description(cls) is None:
        return _describe_callable(cls, walk)
    return tagged("class", [scalar_digest(module_of(cls)), scalar_digest(cls.__qualname__)])


def _describe_builtin(value: Any, walk: Walk) -> bytes:
    owner = getattr(value, "__self__", None)
    if owner is not None and not isinstance(owner, (types.ModuleType, type)):
        return tagged("bound builtin", [walk(owner), walk(value.__name__)])
    return tagged("builtin", [walk(value.__module__ or ""), walk(value.__qualname__)])


register(types.FunctionType, _describe_callable)
register(types.MethodType, _describe_method)
register(functools.partial, _describe_callable)
register(functools._lru_cache_wrapper, _describe_callable)
register(type, _describe_class, subclasses=True)
register(types.BuiltinFunctionType, _describe_builtin, subclasses=True)
register(types.ModuleType, lambda v, walk: tagged("module", [walk(v.__name__), walk(origin_of(v.__name__).version)]))
register(logging.Logger, lambda v, walk: tagged("logger", [walk(v.name)]), subclasses=True)
