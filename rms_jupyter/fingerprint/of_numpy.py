"""When are two arrays the same?  Same dtype (byte order included), shape and elements; memory layout does not count."""

from __future__ import annotations

from typing import Any

import numpy as np
from xxhash import xxh3_128

from rms_jupyter.fingerprint.values import Walk, register, tagged


def elements(array: np.ndarray[Any, Any], walk: Walk) -> bytes:
    """Describe the elements of an array in C order, whatever its layout in memory."""
    if array.dtype.hasobject or array.dtype.kind == "T":
        return walk(array.ravel().tolist())
    if array.dtype.names:
        return tagged("fields", [elements(array[name], walk) for name in array.dtype.names])
    state = xxh3_128()
    if array.nbytes:
        flat: Any = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        state.update(flat)
    return state.digest()


def _array(array: np.ndarray[Any, Any], walk: Walk) -> bytes:
    return tagged("ndarray", [_dtype(array.dtype, walk), walk(array.shape), elements(array, walk)])


def _dtype(dtype: np.dtype[Any], walk: Walk) -> bytes:
    return tagged("dtype", [walk(repr(dtype) if dtype.names or dtype.kind == "T" else dtype.str)])


def _masked(array: Any, walk: Walk) -> bytes:
    mask = np.ma.getmaskarray(array)
    filled = np.ma.getdata(array).copy()
    filled[mask] = np.zeros((), filled.dtype)
    return tagged("masked", [walk(type(array)), _array(filled, walk), _array(mask, walk), walk(array.fill_value)])


def _scalar(value: np.generic, walk: Walk) -> bytes:
    return tagged("scalar", [_array(np.asarray(value), walk)])


register(np.ndarray, _array)
register(np.memmap, lambda v, walk: _array(np.asarray(v), walk))
register(np.ma.MaskedArray, _masked)
register(np.generic, _scalar, subclasses=True)
register(np.dtype, _dtype, subclasses=True)
