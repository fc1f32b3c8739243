"""Which memory does an array look into, and how is it made to look into it again?"""

from __future__ import annotations

import gc
import sys
import types
from itertools import combinations, islice
from typing import Any

from rms_jupyter.fingerprint import exactly
from rms_jupyter.fingerprint.nesting import everything, is_container

_WINDOWS = (memoryview, types.MappingProxyType)
_MOST_ITEMS = 10_000
_MOST_ARRAYS = 50
_MOST_WORK = 10_000


def is_array(value: Any) -> bool:
    """Whether a value is a plain array of plain data."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(value) is numpy.ndarray and not value.dtype.hasobject


def layout_of(value: Any) -> str:
    """Return what a function may see of an array beside its content: ``F`` for Fortran's order, ``r`` if read-only."""
    is_turned = value.flags.f_contiguous and not value.flags.c_contiguous
    return ("F" if is_turned else "") + ("" if value.flags.writeable else "r")


def is_row(value: Any) -> bool:
    """Whether a value is a row of a structured array, and looks into its memory."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and issubclass(type(value), numpy.void) and is_any_array(value.base)


def is_view(value: Any) -> bool:
    """Whether a value is a plain array that looks into the memory of another one."""
    return is_array(value) and is_array(value.base)


def can_look_into(anchor: Any, value: Any) -> bool:
    """Whether the memory of one array holds all of another one, without gaps."""
    (start, end), (first, last) = _bounds(value), _bounds(anchor)
    return bool(anchor.flags.forc and first <= start and end <= last)


def _bounds(array: Any) -> tuple[int, int]:
    steps = [(length - 1) * stride for length, stride in zip(array.shape, array.strides, strict=True) if length]
    start = address(array)
    return start + sum(step for step in steps if step < 0), start + array.itemsize + sum(s for s in steps if s > 0)


def root_of(array: Any) -> Any:
    """Return the array whose memory it is."""
    while is_view(array):
        array = array.base
    return array


def buffer_of(value: Any) -> Any:
    """Return what a memoryview, an array that is none of another array, or a mappingproxy looks into; else None.

    Examples
    --------
    >>> data = bytearray(2)
    >>> buffer_of(memoryview(data)) is data, buffer_of(data)
    (True, None)
    """
    if type(value) is types.MappingProxyType:
        return gc.get_referents(value)[0]
    found = value if type(value) is memoryview else root_of(value).base if is_array(value) else None
    return found.obj if type(found) is memoryview else found


def is_any_array(value: Any) -> bool:
    """Whether a value is an array, of a class of its own or not: masked, mapped from a file, with a unit."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and issubclass(type(value), numpy.ndarray)


def owner_of(array: Any) -> int:
    """Return the id of what has the memory that an array of any class looks into."""
    while is_any_array(array.base):
        array = array.base
    found = array.base.obj if type(array.base) is memoryview else array.base
    return id(array if found is None or type(found) is bytes else found)


def is_mapped(value: Any) -> bool:
    """Whether an array is, or looks into, one that is mapped from a file; our own are mapped privately, and plain."""
    found = value
    while is_any_array(found) and type(found) is not sys.modules["numpy"].memmap:
        found = found.base
    return is_any_array(found) and (found is value or found.mode != "c")


def address(array: Any) -> int:
    """Return where in memory an array begins."""
    start: int = array.__array_interface__["data"][0]
    return start


def view_of(root: Any, dtype: Any, shape: Any, offset: int, strides: Any) -> Any:
    """Make an array that looks into the memory of another one."""
    import numpy as np

    return np.ndarray(shape, dtype, root if root.flags.c_contiguous else root.T, offset, strides)


def frozen_view_of(root: Any, dtype: Any, shape: Any, offset: int, strides: Any) -> Any:
    """Make a read-only array that looks into the memory of another one."""
    return exactly.frozen(view_of(root, dtype, shape, offset, strides))


def gives_mapped(value: Any) -> bool:
    """Whether a value is, or a container holds, an array that is mapped from a file."""
    items = islice(everything(value), _MOST_ITEMS) if is_container(value) else (value,)
    return "numpy" in sys.modules and any(map(is_mapped, items))


def share_memory(value: Any) -> bool:
    """Whether a container holds several objects of which one looks into the memory of another one.

    Examples
    --------
    >>> import numpy as np
    >>> numbers = np.arange(4)
    >>> share_memory([numbers, numbers[1:]]), share_memory([numbers[:2], numbers[2:]]), share_memory([numbers, numbers])
    (True, False, False)
    """
    if not is_container(value):
        return False
    items = {id(item): item for item in islice(everything(value), _MOST_ITEMS)}
    views = [item for item in items.values() if type(item) in _WINDOWS or is_array(item)]
    if any(id(found) in items for item in views if (found := buffer_of(item)) is not None):
        return True
    arrays = islice(filter(is_array, views), _MOST_ARRAYS)
    return any(_overlap(one, other) for one, other in combinations(arrays, 2))


def _overlap(one: Any, other: Any) -> bool:
    if root_of(one) is not root_of(other):
        return False
    numpy = sys.modules["numpy"]
    try:
        return bool(numpy.shares_memory(one, other, max_work=_MOST_WORK))
    except numpy.exceptions.TooHardError:
        return True
