"""When are two arrays the same?

Same dtype (byte order included), shape and elements. Memory layout does not count: strides, order, read-only or not,
padding between fields and behind the 80 bits of a long double.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from xxhash import xxh3_128

from rms_jupyter.fingerprint.exactly import shared_random_state
from rms_jupyter.fingerprint.recipes import attributes_of, by_recipe, by_reduce
from rms_jupyter.fingerprint.values import Undigestable, Walk, register, tagged

_EXTENDED_BYTES = 10 if np.finfo(np.longdouble).nmant == 63 else 0


def elements(array: np.ndarray[Any, Any], walk: Walk) -> bytes:
    """Describe the elements of an array in C order, whatever its layout in memory."""
    if array.dtype.hasobject or array.dtype.kind == "T":
        return walk(array.ravel().tolist())
    if array.dtype.names:
        return tagged("fields", [elements(array[name], walk) for name in array.dtype.names])
    if array.dtype.char in "gG" and _EXTENDED_BYTES and array.size:
        array = _without_padding(array)
    return content(array)


def content(array: np.ndarray[Any, Any]) -> bytes:
    """Describe the bytes of an array in C order."""
    state = xxh3_128()
    if array.nbytes:
        flat: Any = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        state.update(flat)
    return state.digest()


def texts(lengths: np.ndarray[Any, Any], data: Any, missing: np.ndarray[Any, Any] | None, walk: Walk) -> list[bytes]:
    """Describe texts as Arrow has them: which are missing, the lengths in bytes, and all of them end to end."""
    return [
        walk(None) if missing is None else content(missing),
        content(lengths),
        content(np.frombuffer(data, np.uint8)),
    ]


def _without_padding(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    native = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="), copy=False)).reshape(-1)
    width = np.dtype(np.longdouble).itemsize
    return native.view(np.uint8).reshape(-1, width)[:, :_EXTENDED_BYTES]


def _array(array: np.ndarray[Any, Any], walk: Walk) -> bytes:
    return tagged("ndarray", [_dtype(array.dtype, walk), walk(array.shape), elements(array, walk)])


def _subclass(array: np.ndarray[Any, Any], walk: Walk) -> bytes:
    """Describe an array of another class by its recipe, which has its elements in memory order, and its attributes."""
    walk.doubts = True
    described = by_recipe(array if array.flags.c_contiguous else array.copy(order="C"), walk)
    return tagged("subclass", [described, attributes_of(type(array), getattr(array, "__dict__", {}), walk)])


def _dtype(dtype: np.dtype[Any], walk: Walk) -> bytes:
    parts = [walk(repr(dtype) if dtype.names or dtype.kind == "T" else dtype.str)]
    said = _metadata(dtype)
    return tagged("dtype", [*parts, walk(said)] if said else parts)


def _metadata(dtype: np.dtype[Any]) -> list[Any]:
    """List what was said of a dtype and of those in it; what HDF5's text and references are is said so."""
    inner = [dtype.fields[name][0] for name in dtype.names] if dtype.names and dtype.fields else [dtype.base]
    said = [part for part in map(_metadata, inner) if part] if inner != [dtype] else []
    return [dict(dtype.metadata), *said] if dtype.metadata else said


def _random_state(state: np.random.RandomState, walk: Walk) -> bytes:
    """Describe a generator by its state; the one that all share by its name: any draw changes its state."""
    return walk("the shared generator") if state is shared_random_state() else by_reduce(state, walk)


def _masked(array: Any, walk: Walk) -> bytes:
    """Describe a masked array; what is under the mask counts, as ``np.asarray`` and ``.data`` give it."""
    data, mask = _array(np.ma.getdata(array, subok=False), walk), _array(np.ma.getmaskarray(array), walk)
    hard = [walk("hard mask")] if array.hardmask else []
    return tagged("masked", [walk(type(array)), data, mask, walk(array.fill_value), *hard])


def _mapped(array: np.memmap[Any, Any], walk: Walk) -> bytes:
    """Describe an array that is mapped from a file by how, too: whether what is written reaches the file."""
    return tagged("mapped", [_array(np.asarray(array), walk), walk(array.mode)])


def _scalar(value: np.generic, walk: Walk) -> bytes:
    return tagged("scalar", [_array(np.asarray(value), walk)])


def _ufunc(function: Any, walk: Walk) -> bytes:
    """Describe a ufunc, which does not know its package: what it does tells namesakes of two packages apart."""
    name = function.__name__
    if not any(getattr(module, "__dict__", {}).get(name) is function for module in list(sys.modules.values())):
        raise Undigestable(f"numpy.ufunc {name} is not found by its name")
    return tagged("ufunc", map(walk, [name, function.types, function.signature, function.__doc__]))


register(np.ndarray, _subclass, subclasses=True)
register(np.ndarray, _array)
register(np.memmap, _mapped)
register(np.ma.MaskedArray, _masked, subclasses=True)
register(type(np.ma.masked), by_reduce)
register(np.generic, _scalar, subclasses=True)
register(np.dtype, _dtype, subclasses=True)
register(np.ufunc, _ufunc)
register(np.random.RandomState, _random_state)
register(np.finfo, lambda v, walk: tagged("finfo", [walk(v.dtype)]))
