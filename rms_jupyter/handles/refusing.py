"""What does a handle say where its value is expected?  That the value is at hand, and how to write it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

_OPERATORS = (
    "add sub mul truediv floordiv mod divmod pow matmul and or xor lshift rshift "
    "radd rsub rmul rtruediv rfloordiv rmod rdivmod rpow rmatmul rand ror rxor rlshift rrshift "
    "neg pos abs invert lt le gt ge len iter contains getitem setitem delitem reversed "
    "int float complex round trunc floor ceil array array_ufunc array_function"
).split()


class Refusing:
    """Refuses to be used as a value; `_rms_refuse` words and raises the error."""

    __slots__ = ()

    def _rms_refuse(self, use: str) -> NoReturn:
        raise NotImplementedError

    def __bool__(self) -> bool:
        return True  # As any object; else Python would ask for its length.


def _refusing(name: str) -> Callable[..., Any]:
    def refuse(self: Refusing, *args: Any, **kwargs: Any) -> NoReturn:
        __tracebackhide__ = True
        self._rms_refuse(f"__{name}__")

    refuse.__name__ = f"__{name}__"
    return refuse


for _name in _OPERATORS:
    setattr(Refusing, f"__{_name}__", _refusing(_name))
