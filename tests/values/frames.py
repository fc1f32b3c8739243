"""Frames: pandas, polars, pyarrow."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc


def frame(**options):
    return pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"], "c": [0.5, np.nan, -0.0]}, **options)


def marked(data, **attrs):
    data.attrs.update(attrs)
    return data


def resorted():
    made = frame()
    made["d"] = 1
    return made.drop(columns="d")


class Located(pd.DataFrame):
    _metadata = ["place"]

    @property
    def _constructor(self):
        return Located


def located(place):
    made = Located({"a": [1]})
    made.place = place
    return made


DAYS = pd.date_range("2020", periods=3, tz="Europe/Paris")
VALUES = """
frame()
frame().assign(a=[1, 2, 4])
frame().rename(columns={"a": "A"})
frame()[["b", "a", "c"]]
frame().set_index("a")
frame().set_index(["a", "b"])
frame().set_axis([7, 8, 9])
frame().rename_axis(index="i")
frame().rename_axis(columns="k")
frame().astype({"a": "i4"})
frame().astype({"a": "Int64"})
frame().astype({"b": "category"})
frame().astype({"b": object})
frame().astype({"b": "string"})
frame().iloc[:0]
frame().iloc[::-1]
frame().set_flags(allows_duplicate_labels=False)
marked(frame(), unit="m")
marked(frame(), unit="s")
located("here")
located("there")
pd.DataFrame()
pd.DataFrame(index=[1, 2])
pd.DataFrame([[1, 2]], columns=["a", "a"])
pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["p", "q"]))
pd.DataFrame({"a": [np.float16(1)]})
pd.DataFrame({"a": [True, False]})
pd.DataFrame({"a": [{"x", "y"}, [1]]})
pd.DataFrame({"a": [1 + 2j]})
pd.DataFrame({"a": pd.to_timedelta([1, None])})
pd.DataFrame({"t": DAYS})
pd.DataFrame({"a": [1]}, index=DAYS[:1])
pd.DataFrame({"a": [datetime.date(2020, 1, 1)]})
pd.DataFrame({"a": pd.array([1, None], "int64[pyarrow]")})
pd.DataFrame({"a": pd.arrays.SparseArray([0, 0, 1])})
pd.Series([1, 2])
pd.Series([1, 2], name="a")
pd.Series([1, 2], index=["x", "y"])
pd.Series([1.0, -0.0])
pd.Series([1.0, 0.0])
pd.Series(["a", None])
pd.Series(["a", None], dtype="string")
pd.Series([1, None], dtype="Int64")
pd.Series([True, None], dtype="boolean")
pd.Series(DAYS)
pd.Series(DAYS.tz_convert("UTC"))
pd.Series(DAYS.tz_localize(None))
pd.Series(DAYS.tz_localize(None).astype("M8[s]"))
pd.Series(pd.period_range("2020", periods=2, freq="M"))
pd.Series(["a"], dtype="category")
pd.Series(pd.Categorical(["a"], ["a", "b"]))
pd.Series(pd.Categorical(["a"], ["b", "a"]))
pd.Series(pd.Categorical(["a"], ["a", "b"], ordered=True))
pd.Series(pd.arrays.IntervalArray.from_breaks([0, 1, 2]))
marked(pd.Series([1, 2]), unit="m")
pd.Index([1, 2])
pd.Index([1, 2], name="a")
pd.Index(["a", "b"])
pd.Index(["a", "b"], dtype=object)
pd.RangeIndex(2)
pd.MultiIndex.from_product([[1, 2], ["a"]], names=["x", "y"])
pd.MultiIndex.from_product([[1, 2], ["a"]])
pd.IntervalIndex.from_breaks([0, 1], closed="left")
pd.CategoricalIndex(["a", "b"])
pd.date_range("2020", periods=3)
pd.date_range("2020", periods=3, freq="B")
pd.bdate_range("2020", periods=3, freq="C", holidays=["2020-01-02"])
pd.date_range("2020", periods=3)._with_freq(None)
pd.timedelta_range(0, periods=2)
pd.period_range("2020", periods=2, freq="D")
pd.Timestamp("2020-01-01")
pd.Timestamp("2020-01-01", tz="UTC")
pd.Timestamp("2020-01-01").as_unit("ns")
pd.Timedelta(1, "D")
pd.Period("2020-01", "M")
pd.Interval(0, 1)
pd.NA
pd.NaT
pd.offsets.MonthEnd(1)
pd.offsets.MonthEnd(2)
pd.offsets.BusinessDay()
pd.offsets.CustomBusinessDay(holidays=["2020-01-02"])
pd.offsets.DateOffset(months=2)
pd.CategoricalDtype(["a", "b"])
pd.CategoricalDtype(["b", "a"])
pd.CategoricalDtype(["a", "b"], ordered=True)
pd.DatetimeTZDtype("ns", "UTC")
pd.DatetimeTZDtype("ns", "Europe/Paris")
pd.Int64Dtype()
pd.Int32Dtype()
pd.StringDtype("python")
pd.SparseDtype("f8", 0.0)
pd.SparseDtype("f8", 1.0)
pd.ArrowDtype(pa.int64())
pd.IntervalDtype("i8", "left")
pd.PeriodDtype("M")
pd.Categorical(["a", None])
pd.array([1, None], "Int64")
pd.arrays.SparseArray([0, 0, 1])
pd.arrays.SparseArray([0, 0, 1], fill_value=1)
frame().groupby("a")
frame().groupby("a", sort=False)
frame().groupby("b")["a"]
frame().rolling(2)
frame().rolling(3)
frame().expanding()
frame().ewm(alpha=0.5)
frame().set_index(DAYS).resample("D")
pd.NamedAgg("a", "max")
pd.Grouper(key="a")
pl.DataFrame({"a": [1, 2], "b": ["x", None]})
pl.DataFrame({"b": ["x", None], "a": [1, 2]})
pl.DataFrame({"a": [1, 2], "b": ["x", None]}).clear()
pl.DataFrame({"a": [[1], None]})
pl.DataFrame({"a": [{"x": 1, "y": "z"}]})
pl.DataFrame({"a": ["x", "y"]}, schema={"a": pl.Categorical})
pl.DataFrame({"a": ["x", "y"]}, schema={"a": pl.Enum(["x", "y"])})
pl.DataFrame({"a": ["x", "y"]}, schema={"a": pl.Enum(["y", "x"])})
pl.DataFrame()
pl.DataFrame(height=2)
pl.Series([1, None])
pl.Series("a", [1, None])
pl.Series([0.0])
pl.Series([-0.0])
pl.Series([b"a"])
pl.Series([datetime.date(2020, 1, 1)])
pl.Series([datetime.datetime(2020, 1, 1)])
pl.Series([datetime.datetime(2020, 1, 1)]).dt.replace_time_zone("UTC")
pl.Series([datetime.timedelta(1)])
pl.Series([datetime.time(1)])
pl.Series([True, None])
pl.Series([1, 2], dtype=pl.Decimal(10, 2))
pl.Series([[1, 2]], dtype=pl.Array(pl.Int64, 2))
pl.DataFrame({"a": [1]}).lazy().filter(pl.col("a") > 0)
pl.DataFrame({"a": [1]}).lazy().filter(pl.col("a") > 1)
pl.col("a") + 1
pl.col("a") + 2
pl.Int64
pl.Int64()
pl.Datetime("us", "UTC")
pl.Enum(["a", "b"])
pl.Schema({"a": pl.Int64})
pa.array([1, None])
pa.array(["a", None])
pa.array([[1], None])
pa.array([{"a": 1}, None])
pa.array(["a", "b", "a"]).dictionary_encode()
pa.array([1.0, -0.0])
pa.array([1.0, 0.0])
pa.array([datetime.datetime(2020, 1, 1)], pa.timestamp("us", "UTC"))
pa.array([datetime.datetime(2020, 1, 1)], pa.timestamp("us"))
pa.chunked_array([[1], [2]])
pa.scalar(1)
pa.scalar("a")
pa.scalar(None)
pa.int64()
pa.timestamp("us", "UTC")
pa.list_(pa.int64())
pa.field("a", pa.int64())
pa.field("a", pa.int64(), nullable=False)
pa.schema([("a", pa.int64())])
pa.schema([("a", pa.int64())], metadata={"k": "v"})
pa.table({"a": [1, 2], "b": ["x", None]})
pa.table({"a": [1, 2], "b": ["x", None]}).replace_schema_metadata({"k": "v"})
pa.record_batch({"a": [1, 2]})
pa.py_buffer(b"abc")
pc.field("a") > 1
pc.field("a") > 2
"""

NOT_KEPT = """
pl.Series([{"x", "y"}], dtype=pl.Object)
"""
