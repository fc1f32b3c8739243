"""Which column of a frame or series of pandas does an array look into?

What pandas makes of a frame is copied once it is written to; an array that it hands out sees what is written to the
frame.
"""

from __future__ import annotations

from typing import Any

from rms_jupyter.fingerprint.remembered import library_of
from rms_jupyter.run.task.array_memory import address, is_any_array, owner_of

WHOLE = -1


def is_frame(value: Any) -> bool:
    """Whether a value is a frame or a series of pandas."""
    return library_of(value) == "pandas" and hasattr(value, "_mgr")


def owners_of(frame: Any) -> set[int]:
    """What has the memory of a frame; see `array_memory.owner_of`."""
    blocks = [getattr(block, "_ndarray", getattr(block, "_data", block)) for block in frame._mgr.arrays]
    return {owner_of(block) for block in blocks if is_any_array(block)}


def column_of(frame: Any, array: Any) -> int | None:
    """Return the number of the column that an array is, or WHOLE; None if it is something else of the frame."""
    is_of_one_kind = frame.ndim == 1 or len(frame._mgr.arrays) == 1
    if is_of_one_kind and _is_same_place(frame.to_numpy(), array):
        return WHOLE
    if frame.ndim == 2 and array.ndim == 1:
        return next((n for n in range(frame.shape[1]) if _is_same_place(array_of(frame, n), array)), None)
    return None


def array_of(frame: Any, column: int) -> Any:
    """Return the array that pandas hands out of a column, or of all."""
    return (frame if column == WHOLE else frame.iloc[:, column]).to_numpy()


def _is_same_place(one: Any, other: Any) -> bool:
    same = (one.dtype, one.shape, one.strides) == (other.dtype, other.shape, other.strides)
    return bool(same and address(one) == address(other) and one.flags.writeable == other.flags.writeable)
