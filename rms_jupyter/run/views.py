"""Which memory does an array look into, and how is it made to look into it again?"""

from __future__ import annotations

import sys
from typing import Any


def is_view(value: Any) -> bool:
    """Whether a value is a plain array that looks into the memory of another one."""
    numpy = sys.modules.get("numpy")
    if numpy is None or type(value) is not numpy.ndarray or value.dtype.hasobject:
        return False
    return type(value.base) is numpy.ndarray


def root_of(array: Any) -> Any:
    """Return the array whose memory it is."""
    while is_view(array):
        array = array.base
    return array


def address(array: Any) -> int:
    """Return where in memory an array begins."""
    start: int = array.__array_interface__["data"][0]
    return start


def view_of(root: Any, dtype: Any, shape: Any, offset: int, strides: Any) -> Any:
    """Make an array that looks into the memory of another one."""
    import numpy as np

    return np.ndarray(shape, dtype, root if root.flags.c_contiguous else root.T, offset, strides)
