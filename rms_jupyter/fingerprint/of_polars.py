"""When are two polars objects the same?  Same names, dtypes and values; chunks do not count."""

from __future__ import annotations

from typing import Any

import polars as pl

from rms_jupyter.fingerprint.values import Walk, register, tagged


def _series(series: Any, walk: Walk) -> bytes:
    parts = [walk(series.name), walk(str(series.dtype))]
    if series.dtype.is_numeric() or series.dtype.is_temporal():
        missing = series.is_null().to_numpy() if series.null_count() else None
        numbers = series.to_physical().fill_null(0).rechunk().to_numpy()
        return tagged("polars numbers", [*parts, walk(missing), walk(numbers)])
    return tagged("polars values", [*parts, walk(series.to_list())])


def _frame(frame: Any, walk: Walk) -> bytes:
    return tagged("polars frame", [_series(series, walk) for series in frame.get_columns()])


register(pl.Series, _series)
register(pl.DataFrame, _frame)
