"""What does pickle lose, and how is it kept all the same?

That a memoryview is one, that an array is read-only or its mask hard, arrays of ctypes, what numpy knows of a kind of
floats; and that a generator of random numbers is the one that all of numpy shares.
"""

from __future__ import annotations

import copyreg
import ctypes
import operator
import pickle
import struct
import sys
from collections import ChainMap
from collections.abc import Callable
from typing import Any

Reducer = Callable[[Any], Any]


class Pickler(pickle.Pickler):
    """Pickles by reference, as `pickle` does, and loses less."""

    def __init__(self, file: Any, protocol: int = 5) -> None:
        super().__init__(file, protocol=protocol)
        self.dispatch_table = ChainMap[Any, Any](reducers(), copyreg.dispatch_table)


def reducers() -> dict[type, Reducer]:
    """How what pickle loses is taken apart, by type; of libraries that are imported."""
    if "numpy" in sys.modules and (numpy := sys.modules["numpy"]) and hasattr(numpy, "ma"):
        _REDUCERS[numpy.ma.MaskedArray] = _masked_array
        _REDUCERS[numpy.random.RandomState] = _random_state
        _REDUCERS[numpy.ndarray] = _array
        _REDUCERS[numpy.finfo] = lambda info: (numpy.finfo, (info.dtype,))
    return _REDUCERS


def _memoryview(view: memoryview) -> tuple[Any, ...]:
    return view_of, (view.tobytes(), view.format, view.shape, view.readonly)


def view_of(data: bytes, format: str, shape: tuple[int, ...], readonly: bool) -> memoryview:
    """Put a memoryview together again."""
    flat = memoryview(data if readonly else bytearray(data))
    return flat if format == "B" and len(shape) == 1 else flat.cast("B").cast(format, shape)  # type: ignore[call-overload]


def _array_type(cls: Any) -> Any:
    """Take ``ctypes.c_int * 3`` apart, which is found by no name."""
    if not hasattr(cls, "_length_"):
        return cls.__qualname__
    parts = (cls._type_, cls._length_)
    return (operator.mul, parts) if operator.mul(*parts) is cls else cls.__qualname__


def _masked_array(array: Any) -> Any:
    if not array.hardmask:
        return array.__reduce_ex__(5)
    soft = array.view()
    soft.soften_mask()
    return hardened, (soft,)


def hardened(array: Any) -> Any:
    """Harden the mask of an array again."""
    array.harden_mask()
    return array


def _array(array: Any) -> Any:
    return array.__reduce_ex__(5) if array.flags.writeable else (frozen, (array.copy(order="K"),))


def frozen(array: Any) -> Any:
    """Make an array read-only again."""
    array.flags.writeable = False
    return array


def _random_state(state: Any) -> Any:
    return (shared_random_state, ()) if state is shared_random_state() else state.__reduce_ex__(5)


def shared_random_state() -> Any:
    """Give the generator behind ``numpy.random.normal`` and its like."""
    import numpy.random

    return numpy.random.mtrand._rand


_REDUCERS: dict[type, Reducer] = {
    memoryview: _memoryview,
    struct.Struct: lambda form: (struct.Struct, (form.format,)),
    type(ctypes.c_int * 1): _array_type,
}
