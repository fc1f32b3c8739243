"""When are two pandas objects the same?

Same class, labels, names, dtypes, values (missing ones included), and whatever else they carry: ``attrs``, flags, the
``freq`` of an index, the attributes of a subclass. Blocks, views and copies do not count, nor whether text is stored by
pyarrow or by Python; but where there is pyarrow, to store it by Python is to be asked for, and counts.
"""

from __future__ import annotations

import functools
import importlib.util
from typing import Any

import numpy as np
import pandas as pd

from rms_jupyter.fingerprint.of_numpy import elements, texts
from rms_jupyter.fingerprint.of_python import bounds
from rms_jupyter.fingerprint.recipes import by_reduce
from rms_jupyter.fingerprint.values import Walk, register, tagged


def _class(cls: type, walk: Walk) -> bytes:
    """Describe a class of pandas by its public name: each version defines it in another module."""
    if getattr(pd, cls.__qualname__, None) is cls:
        return tagged("class", [walk(pd.__name__), walk(cls.__qualname__)])
    return walk(cls)


def _values(array: Any, walk: Walk) -> bytes:
    """Describe the array behind a column or an index."""
    dtype, kind = array.dtype, walk(str(array.dtype))
    if isinstance(dtype, pd.CategoricalDtype):
        return tagged("categories", [kind, walk(array.codes), walk(array.categories), walk(array.ordered)])
    if isinstance(dtype, pd.DatetimeTZDtype):
        return tagged("instants", [kind, walk(array.view("i8"))])
    if isinstance(dtype, pd.IntervalDtype):
        return tagged("intervals", [kind, walk(pd.Index(array.left)), walk(pd.Index(array.right))])
    if isinstance(dtype, pd.SparseDtype):
        where = array.sp_index.to_int_index().indices
        return tagged("sparse", [kind, walk(len(array)), walk(where), walk(array.sp_values)])
    if isinstance(dtype, pd.StringDtype):
        own = [walk(dtype.storage)] if dtype.storage == "python" and _has_pyarrow() else []
        return tagged("arrow", [kind, _text(array, walk), *own])
    arrow = getattr(array, "_pa_array", None)
    if arrow is not None:
        from rms_jupyter.fingerprint.of_arrow import column

        return tagged("arrow", [kind, column(arrow, walk)])
    if hasattr(array, "_mask") and hasattr(array, "_data"):
        missing = array.isna()
        filled = array._data.copy()
        filled[missing] = 0
        return tagged("nullable", [kind, walk(filled), walk(missing)])
    numpy_array = getattr(array, "_ndarray", None)
    if numpy_array is not None:
        return tagged("array", [kind, elements(numpy_array, walk)])
    return tagged("extension", [kind, by_reduce(array.copy(), walk)])


@functools.cache
def _has_pyarrow() -> bool:
    """Whether pandas stores text by pyarrow where nobody asks for Python."""
    return importlib.util.find_spec("pyarrow") is not None


def _text(array: Any, walk: Walk) -> bytes:
    """Describe text as an Arrow column of large strings, however it is stored."""
    arrow = getattr(array, "_pa_array", None)
    if arrow is not None:
        import pyarrow as pa

        from rms_jupyter.fingerprint.of_arrow import column

        return column(arrow.cast(pa.large_string()), walk)
    missing = array.isna()
    plain = array.astype(object)
    plain[missing] = ""
    encoded = [text.encode("utf-8", "surrogatepass") for text in plain]
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    parts = texts(lengths, b"".join(encoded), missing if missing.any() else None, walk)
    return tagged("arrow text", [walk("large_string"), walk(len(encoded)), *parts])


def _series(series: Any, walk: Walk) -> bytes:
    parts = [_class(type(series), walk), walk(series.name), walk(series.index), _values(series.array, walk)]
    return tagged("Series", [*parts, *_marks(series, walk)])


def _frame(frame: Any, walk: Walk) -> bytes:
    columns = [_values(column.array, walk) for _, column in frame.items()]
    parts = [_class(type(frame), walk), walk(frame.index), walk(frame.columns), *columns]
    return tagged("DataFrame", [*parts, *_marks(frame, walk)])


def _marks(data: Any, walk: Walk) -> list[bytes]:
    """Describe what only few frames and series carry beside their data."""
    own = {name: getattr(data, name, None) for name in type(data)._metadata if name not in ("name", "_name")}
    marks = own | ({"attrs": data.attrs} if data.attrs else {})
    if not data.flags.allows_duplicate_labels:
        marks["unique labels"] = True
    return [walk(marks)] if marks else []


def _index(index: Any, walk: Walk) -> bytes:
    return tagged("Index", [walk(index.name), _values(index.array, walk)])


def _spaced_index(index: Any, walk: Walk) -> bytes:
    freq = [] if index.freq is None else [walk(index.freq)]
    return tagged("Index", [walk(index.name), _values(index.array, walk), *freq])


def _range_index(index: Any, walk: Walk) -> bytes:
    return tagged("RangeIndex", [walk(index.name), walk(bounds(range(index.start, index.stop, index.step)))])


def _multi_index(index: Any, walk: Walk) -> bytes:
    """Describe labels on several levels; labels that a level has and no row uses are seen in ``levels``."""
    return tagged("MultiIndex", [walk(list(index.names)), walk(list(index.levels)), walk(list(index.codes))])


register(pd.DataFrame, _frame, subclasses=True)
register(pd.Series, _series, subclasses=True)
register(pd.Index, _index, subclasses=True)
register(pd.DatetimeIndex, _spaced_index)
register(pd.TimedeltaIndex, _spaced_index)
register(pd.RangeIndex, _range_index)
register(pd.MultiIndex, _multi_index)
register(pd.api.extensions.ExtensionArray, _values, subclasses=True)
register(type(pd.NA), lambda v, walk: tagged("NA", []))
register(type(pd.NaT), lambda v, walk: tagged("NaT", []))
