"""When are two polars objects the same?

Same names, dtypes and values; chunks do not count, nor how a categorical numbers its categories. A lazy frame that
reads files has no digest, because what it will read is not in it.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from rms_jupyter.fingerprint.recipes import by_reduce
from rms_jupyter.fingerprint.values import Undigestable, Walk, register, tagged


def _series(series: Any, walk: Walk) -> bytes:
    parts = [walk(series.name), walk(str(series.dtype))]
    if (series.dtype.is_numeric() or series.dtype.is_temporal()) and _fits_numpy(physical := series.to_physical()):
        missing = series.is_null().to_numpy() if series.null_count() else None
        numbers = physical.fill_null(0).rechunk().to_numpy()
        return tagged("polars numbers", [*parts, walk(missing), walk(numbers)])
    return tagged("polars values", [*parts, walk(series.to_list())])


def _fits_numpy(physical: Any) -> bool:
    return not physical.dtype.is_decimal() and "128" not in str(physical.dtype)


def _frame(frame: Any, walk: Walk) -> bytes:
    height = [] if frame.width or not frame.height else [walk(frame.height)]
    return tagged("polars frame", [_series(series, walk) for series in frame.get_columns()] + height)


def _lazy_frame(frame: Any, walk: Walk) -> bytes:
    if "SCAN" in frame.explain(optimized=False):
        raise Undigestable("LazyFrame: what it will read is not known yet; pass the path, or frame.collect()")
    return by_reduce(frame, walk)


register(pl.Series, _series)
register(pl.DataFrame, _frame)
register(pl.LazyFrame, _lazy_frame)
