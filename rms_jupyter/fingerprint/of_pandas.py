"""When are two pandas objects the same?  Same class, labels, names, dtypes and values, missing ones included."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rms_jupyter.fingerprint.of_numpy import elements
from rms_jupyter.fingerprint.values import Walk, register, tagged


def _values(array: Any, walk: Walk) -> bytes:
    """Describe the array behind a column or an index."""
    kind = walk(str(array.dtype))
    if isinstance(array.dtype, pd.CategoricalDtype):
        return tagged("categories", [kind, walk(array.codes), walk(array.categories), walk(array.ordered)])
    if isinstance(array.dtype, pd.DatetimeTZDtype):
        return tagged("instants", [kind, walk(array.view("i8"))])
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
    return tagged("extension", [kind, walk(array)])


def _series(series: Any, walk: Walk) -> bytes:
    return tagged("Series", [walk(type(series)), walk(series.name), walk(series.index), _values(series.array, walk)])


def _frame(frame: Any, walk: Walk) -> bytes:
    columns = [_values(column.array, walk) for _, column in frame.items()]
    return tagged("DataFrame", [walk(type(frame)), walk(frame.index), walk(frame.columns), *columns])


def _index(index: Any, walk: Walk) -> bytes:
    return tagged("Index", [walk(index.name), _values(index.array, walk)])


def _range_index(index: Any, walk: Walk) -> bytes:
    return tagged("RangeIndex", [walk(index.name), walk((index.start, index.stop, index.step))])


def _multi_index(index: Any, walk: Walk) -> bytes:
    levels = [_values(index.get_level_values(i).array, walk) for i in range(index.nlevels)]
    return tagged("MultiIndex", [walk(list(index.names)), *levels])


register(pd.DataFrame, _frame, subclasses=True)
register(pd.Series, _series, subclasses=True)
register(pd.Index, _index, subclasses=True)
register(pd.RangeIndex, _range_index)
register(pd.MultiIndex, _multi_index)
register(pd.Categorical, _values)
register(type(pd.NA), lambda v, walk: tagged("NA", []))
register(type(pd.NaT), lambda v, walk: tagged("NaT", []))
