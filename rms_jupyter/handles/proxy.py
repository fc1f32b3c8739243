"""How does something that stands for a value read as that value?

Operators, conversions and protocols are forwarded to the value. What a type *can* do (be called, iterated, indexed)
libraries ask of the class, so a stand-in gets only the abilities that its value has.
"""

from __future__ import annotations

import copy
import operator
import os
from collections.abc import Callable
from typing import Any

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.abilities import LETTERS
from rms_jupyter.fingerprint.nesting import unwrap
from rms_jupyter.model import Reference

_PROTOCOLS = frozenset(
    (
        "__array_interface__ __array_struct__ __arrow_c_stream__ __arrow_c_array__ __arrow_c_schema__ __arrow_array__ "
        "__dataframe__ __dataframe_consortium_standard__ __column_consortium_standard__ __dlpack__ __dlpack_device__ "
        "__array_namespace__ __geo_interface__ __name__ __qualname__ __wrapped__ __signature__ __call__"
    ).split()
)


class Proxy(Reference):
    """Forwards to the value that `_rms_value` gives."""

    __slots__ = ()
    __pandas_priority__ = 5000

    def _rms_value(self) -> Any:
        raise NotImplementedError

    def _rms_look(self) -> Any:
        """Give the value for a look that reads nothing of it."""
        return self._rms_value()

    def _rms_attribute(self, name: str) -> Any:
        return getattr(self._rms_value(), name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_rms", "_repr_", "_ipython_")) or (name.startswith("__") and name not in _PROTOCOLS):
            raise AttributeError(name)
        return self._rms_attribute(name)

    def __setattr__(self, name: str, value: Any) -> None:
        raise _read_only(f".{name} = …")

    def __delattr__(self, name: str) -> None:
        raise _read_only(f"del .{name}")

    def __setitem__(self, key: Any, value: Any) -> None:
        raise _read_only("[…] = …")

    def __delitem__(self, key: Any) -> None:
        raise _read_only("del […]")

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *dir(self._rms_look())})

    def __str__(self) -> str:
        return str(self._rms_look())

    def __format__(self, spec: str) -> str:
        return format(self._rms_look(), spec)

    def __bool__(self) -> bool:
        return bool(self._rms_look())

    def __hash__(self) -> int:
        try:
            return hash(self._rms_look())
        except TypeError:
            return id(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy as np

        if copy is False:
            return np.asarray(self._rms_value(), dtype=dtype, copy=False)
        array = np.asarray(self._rms_value(), dtype=dtype)
        return array.copy() if copy else array

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return getattr(ufunc, method)(*[plain(i) for i in inputs], **{k: plain(v) for k, v in kwargs.items()})

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return function(*unwrap(list(args)), **unwrap(dict(kwargs)))

    def __copy__(self) -> Any:
        return copy.copy(self._rms_value())

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self._rms_value(), memo)


def plain(value: Any) -> Any:
    """Give a value without wrapping; what is inside containers stays as it is."""
    return value._rms_value() if issubclass(type(value), Reference) else value


def _read_only(what: str) -> RmsError:
    return RmsError(
        f"a result is not changed in place ({what})", hint="change a copy: x = r.content.copy(), or x = rms.value(r)"
    )


def _binary(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: operation(self._rms_value(), plain(other))


def _reflected(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: operation(plain(other), self._rms_value())


def _unary(operation: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, *args: operation(self._rms_value(), *args)


for _name in (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and_",
    "or_",
    "xor",
    "lshift",
    "rshift",
):
    _bare = _name.rstrip("_")
    setattr(Proxy, f"__{_bare}__", _binary(getattr(operator, _name)))
    setattr(Proxy, f"__r{_bare}__", _reflected(getattr(operator, _name)))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Proxy, f"__{_name}__", _binary(getattr(operator, _name)))
for _name in ("neg", "pos", "abs", "invert"):
    setattr(Proxy, f"__{_name}__", _unary(getattr(operator, _name)))
setattr(Proxy, "__divmod__", _binary(divmod))  # noqa: B010
setattr(Proxy, "__rdivmod__", _reflected(divmod))  # noqa: B010

_FORWARDED: dict[str, Callable[..., Any]] = {
    "call": lambda self, *args, **kwargs: self._rms_value()(*args, **kwargs),
    "iter": _unary(iter),
    "next": lambda self: self._rms_attribute("__next__")(),
    "len": _unary(len),
    "contains": _binary(operator.contains),
    "getitem": _binary(operator.getitem),
    "reversed": _unary(reversed),
    "index": _unary(operator.index),
    "int": _unary(int),
    "float": _unary(float),
    "complex": _unary(complex),
    "round": _unary(round),
    "enter": lambda self: self._rms_value().__enter__(),
    "exit": lambda self, *error: self._rms_value().__exit__(*error),
    "fspath": _unary(os.fspath),
}
_classes: dict[tuple[type, str], type] = {}


def with_abilities(base: type, letters: str) -> type:
    """Derive a class whose instances can do just what the letters say (see `abilities_of`).

    Parameters
    ----------
    base : type
        A subclass of `Proxy`.
    letters : str
    """
    cls = _classes.get((base, letters))
    if cls is None:
        names = [name for name, letter in LETTERS.items() if letter in letters]
        members = {f"__{name}__": _FORWARDED[name] for name in names + ["exit"] * ("enter" in names)}
        about = {"__slots__": (), "__module__": base.__module__, "__doc__": base.__doc__}
        cls = _classes[base, letters] = type(base.__name__, (base,), about | members)
    return cls
