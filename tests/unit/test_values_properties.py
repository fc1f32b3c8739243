"""Digests of values, over whatever hypothesis thinks of: what counts, what does not, and that nothing else breaks."""

import collections
import contextlib
import copy
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import io
import itertools
import json
import pathlib
import random
import re
import struct
import subprocess
import sys
import threading
import types
import uuid  # noqa: F401  (the golden expressions use it)
import weakref
import zoneinfo
from pathlib import Path
from unittest import mock

import attrs
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest
import scipy.sparse
import scipy.special
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.neighbors import _ball_tree, _kd_tree

from rms_jupyter.fingerprint import of_pandas
from rms_jupyter.fingerprint.code import describe  # noqa: F401  (registers functions and classes)
from rms_jupyter.fingerprint.values import Undigestable, digest


@dataclasses.dataclass
class Sample:
    name: object
    depth: object = 1.0


@dataclasses.dataclass
class Summed:
    numbers: object

    @functools.cached_property
    def total(self):
        return 42


@attrs.define
class Read:
    start: object
    stop: object


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Point:
    def __init__(self, x, y=0):
        self.x, self.y = x, y

    @functools.cached_property
    def length(self):
        return 42


class Bag(set):
    pass


class Table(dict):
    pass


Pair = collections.namedtuple("Pair", "a b")

# Strategies -------------------------------------------------------------------------------------------------------

ZONES = st.sampled_from([None, datetime.UTC, zoneinfo.ZoneInfo("Europe/Paris"), zoneinfo.ZoneInfo("Asia/Tokyo")])
TEXT = st.text(st.characters(codec=None), max_size=5)  # Lone surrogates among them.
DTYPES = st.sampled_from(
    ["?", "i1", "<i8", ">i4", "u2", "f2", "f4", "f8", "g", "c8", "c16", "M8[ns]", "m8[D]", "S3", "U3"]
)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
ARRAY = hnp.arrays(DTYPES, SHAPES)
RECORDS = hnp.arrays(
    st.sampled_from([np.dtype([("a", "i1"), ("b", "f8")], align=True), np.dtype([("n", [("x", "U2")])])]), 3
)
SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**80), 2**80),
    st.just(7**1000),
    st.floats(),
    st.complex_numbers(),
    st.binary(max_size=5),
    TEXT,
    st.decimals(),
    st.fractions(),
    st.dates(),
    st.times(timezones=ZONES),
    st.datetimes(timezones=ZONES),
    st.timedeltas(),
    st.uuids(),
    st.sampled_from(Colour),
    st.builds(pathlib.PurePosixPath, st.sampled_from(["a", "a/b"])),
    st.builds(range, st.integers(0, 5), st.integers(0, 5), st.integers(1, 3)),
    st.builds(slice, st.integers(), st.none()),
    hnp.arrays(DTYPES, ()).map(lambda array: array[()]),
)
LEAF = SCALAR | ARRAY | RECORDS
HASHABLE = st.integers() | TEXT | st.tuples(st.integers(), TEXT) | st.sampled_from(Colour)
VALUE = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(HASHABLE, inner, max_size=4),
        st.dictionaries(HASHABLE, inner, max_size=4).map(Table),
        st.sets(HASHABLE, max_size=4),
        st.frozensets(HASHABLE, max_size=4),
        st.sets(HASHABLE, max_size=4).map(Bag),
        st.lists(inner, max_size=3).map(collections.deque),
        st.builds(Sample, inner, inner),
        st.builds(Read, inner, inner),
        st.builds(Point, inner, inner),
        st.builds(Pair, inner, inner),
        st.builds(types.SimpleNamespace, a=inner),
        st.lists(inner, max_size=3).map(lambda items: _object_array(items)),
    ),
    max_leaves=10,
)


def _object_array(items):
    array = np.empty(len(items), object)
    for place, item in enumerate(items):
        array[place] = item
    return array


# What does not count ----------------------------------------------------------------------------------------------


def again(value, draw):
    """Build an equal value that is stored another way: other order in sets, other memory layout, other objects."""
    cls = type(value)
    if cls in (dict, Table):
        return cls((again(k, draw), again(v, draw)) for k, v in value.items())
    if cls in (set, frozenset, Bag):
        items = list(value)
        draw(st.randoms()).shuffle(items)
        bigger = set(range(draw(st.sampled_from([0, 100]))))
        grown = set(items) | bigger
        return cls(grown - (bigger - set(items)))
    if cls in (list, tuple, collections.deque):
        return cls(again(item, draw) for item in value)
    if cls is Pair:
        return Pair(*(again(item, draw) for item in value))
    if cls in (Sample, Read, Point):
        names = ["name", "depth"] if cls is Sample else ["start", "stop"] if cls is Read else ["x", "y"]
        return cls(*(again(getattr(value, name), draw) for name in names))
    if cls is types.SimpleNamespace:
        return cls(a=again(value.a, draw))
    if cls is np.ndarray:
        if value.dtype.hasobject:
            return _object_array([again(item, draw) for item in value])
        return relaid(value, draw)
    if cls in (str, bytes):
        return cls(bytearray(value)) if cls is bytes else "".join(list(value))
    return copy.deepcopy(value)


LAYOUTS = {
    "C": lambda a: np.array(a, order="C"),
    "Fortran": lambda a: np.array(a, order="F"),
    "strided": lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a,
    "backwards": lambda a: a[::-1].copy()[::-1] if a.ndim else a,
    "transposed": lambda a: a.T.copy().T,
    "read-only": lambda a: _read_only(a.copy()),
    "unaligned": lambda a: np.frombuffer(b"x" + a.tobytes(), a.dtype, offset=1).reshape(a.shape) if a.size else a,
    "dirty padding": lambda a: _on_dirty_memory(a),
}


def relaid(array, draw):
    """Lay an array out anew in memory."""
    return LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))](array)


def _read_only(array):
    array.flags.writeable = False
    return array


def _on_dirty_memory(array):
    """Copy field by field to memory that is full of ones, so that padding differs."""
    dirty = (
        np.frombuffer(bytearray(b"\xff" * array.nbytes), array.dtype).reshape(array.shape) if array.nbytes else array
    )
    if array.dtype.names:
        for name in array.dtype.names:
            dirty[name] = array[name]
    elif array.nbytes:
        dirty[...] = array
    return dirty


@given(VALUE, st.data())
@settings(max_examples=200)
def test_order_in_sets_memory_layout_and_identity_do_not_count(value, data):
    assert digest(value) == digest(again(value, data.draw))


@given(ARRAY | RECORDS)
def test_the_layout_of_an_array_does_not_count(array):
    assert {digest(laid(array)) for laid in LAYOUTS.values()} == {digest(array)}


def test_a_broadcast_array_counts_as_the_full_one():
    assert digest(np.broadcast_to(np.arange(3), (4, 3))) == digest(np.tile(np.arange(3), (4, 1)))


def test_the_layout_of_a_subclass_does_not_count_and_its_attributes_do():
    class Measured(np.ndarray):
        unit = None

    plain = np.arange(6.0).reshape(2, 3).view(Measured)
    fortran = plain.copy(order="F")
    assert type(fortran) is Measured and digest(plain) == digest(fortran)
    fortran.unit = "m"
    assert digest(plain) != digest(fortran)


def test_what_is_under_a_mask_counts_as_asarray_gives_it():
    kind = [("a", "i4"), ("b", "f8")]
    for values, others, mask, dtype in [
        ([1, 2], [1, 9], [False, True], "i8"),
        (["a", "b"], ["a", "zz"], [False, True], object),
        ([(1, 2.0)], [(1, 3.0)], [(False, True)], kind),
    ]:
        one, other = (np.ma.array(v, mask=mask, dtype=dtype) for v in (values, others))
        assert len({digest(one), digest(other), digest(np.ma.array(values, dtype=dtype))}) == 3
        assert digest(one) == digest(np.ma.array(values, mask=mask, dtype=dtype))
    assert digest(np.ma.masked) == digest(np.ma.masked)


def test_what_a_cached_property_remembers_does_not_count():
    for value in (Point(1), Summed([1])):
        before = digest(value)
        _ = value.total if isinstance(value, Summed) else value.length
        assert digest(value) == before
        value.other = 1
        assert digest(value) != before


@pytest.mark.parametrize("make", [scipy.sparse.csr_array, scipy.sparse.csc_array, scipy.sparse.coo_array, scipy.sparse.csr_matrix, scipy.sparse.dok_array, scipy.sparse.lil_array, scipy.sparse.dia_array, scipy.sparse.bsr_array])  # fmt: skip
def test_sparse_matrices_count_by_their_entries(make):
    matrix, same, other = make(np.eye(3)), make(np.eye(3)), make(np.eye(3) * 2)
    assert digest(matrix) == digest(same) == digest(matrix.copy()) != digest(other)
    for fact in ("has_sorted_indices", "has_canonical_format"):
        getattr(same, fact, None)
    assert digest(matrix) == digest(same)
    assert len({digest(make(np.eye(3))), digest(make(np.eye(4))), digest(make(np.eye(3, dtype="f4")))}) == 3


# Frames -----------------------------------------------------------------------------------------------------------

EXTENSIONS = [
    pd.array([1, None, 3], "Int64"),
    pd.array([True, None, False], "boolean"),
    pd.array([1.5, None, 2.5], "Float64"),
    pd.array(["a", None, "ü"], "str"),
    pd.array(["a", None, "ü"], "string"),
    pd.Categorical(["a", None, "b"]),
    pd.arrays.IntervalArray.from_breaks([0, 1, 2, 3]),
    pd.period_range("2020", periods=3, freq="M").array,
    pd.arrays.SparseArray([0, 0, 1]),
    pd.array(pd.to_datetime(["2020-01-01", None, "2021-01-01"])),
    pd.array(pd.to_datetime(["2020-01-01", None, "2021-01-01"]).tz_localize("Europe/Paris")),
    pd.array(pd.to_timedelta([1, None, 3])),
    pd.arrays.NumpyExtensionArray(np.array([1, 2, 3])),
    pd.array([1, None, 3], "int64[pyarrow]"),
    pd.array([[1], None, []], pd.ArrowDtype(pa.list_(pa.int64()))),
]


@pytest.mark.parametrize("array", EXTENSIONS, ids=lambda a: f"{type(a).__name__} {a.dtype}")
def test_where_a_column_was_taken_from_does_not_count(array):
    for make in (lambda a: a, pd.Series, pd.Index, lambda a: pd.DataFrame({"a": a})):
        whole = digest(make(array))
        assert (
            whole
            == digest(make(array.copy()))
            == digest(make(array[::-1][::-1]))
            == digest(make(array.take([0, 1, 2])))
        )
        assert digest(make(array[1:])) == digest(make(array[1:].copy())) != whole
        assert digest(make(array[[0, 2, 1]])) != whole
    halves = [pd.Series(array[:1]), pd.Series(array[1:])]
    assert digest(pd.concat(halves, ignore_index=True)) == digest(pd.Series(array))


WRITABLE = st.characters(codec="utf-8", exclude_characters="\0")  # Arrow holds no lone surrogates, NumPy no zeros.
FRAME = st.builds(
    lambda columns, index: pd.DataFrame({k: v[: len(index)] for k, v in columns.items()}, index=index),
    st.dictionaries(
        st.text(max_size=2) | st.integers(0, 3),
        hnp.arrays(st.sampled_from(["i8", "f8", "?", "M8[s]"]), 4)
        | hnp.arrays("U2", 4, elements=st.text(WRITABLE, max_size=2))
        | st.lists(st.none() | st.text(max_size=2), min_size=4, max_size=4),
        min_size=1,
        max_size=4,
    ),
    st.lists(st.integers(), min_size=0, max_size=4),
)  # fmt: skip


@given(FRAME, st.data())
def test_the_blocks_of_a_frame_do_not_count(frame, data):
    one_by_one = pd.DataFrame(index=frame.index)
    for name in frame.columns:
        one_by_one[name] = frame[name].array
    one_by_one.columns = frame.columns
    cut = data.draw(st.integers(0, len(frame)))
    joined = pd.concat([frame.iloc[:cut], frame.iloc[cut:]])
    for other in (one_by_one, frame.copy(), frame.iloc[::-1].iloc[::-1], frame[list(frame.columns)], joined):
        assert digest(other) == digest(frame)


@given(FRAME)
def test_a_frame_is_not_changed_by_being_digested_or_used(frame):
    before = digest(frame)
    _ = (
        frame.index.is_unique,
        frame.columns.get_indexer(frame.columns),
        frame.isna().sum(),
        frame.to_numpy(),
        repr(frame),
    )
    assert digest(frame) == before


@given(st.lists(st.none() | st.text(max_size=4), max_size=5), st.sampled_from([np.nan, pd.NA]))
def test_text_stored_by_python_is_that_of_pyarrow_where_there_is_no_pyarrow(texts, missing):
    python, arrow = (pd.array(texts, pd.StringDtype(storage, missing)) for storage in ("python", "pyarrow"))
    assert type(python) is not type(arrow)
    for make in (lambda a: a, pd.Series, pd.Index, pd.Categorical, lambda a: pd.DataFrame({"a": a})):
        assert digest(make(python)) != digest(make(arrow)), "it was asked for"
        with mock.patch.object(of_pandas, "_has_pyarrow", lambda: False):
            assert digest(make(python)) == digest(make(arrow))


def test_ranges_of_the_same_numbers_are_the_same():
    for one, other in [((0, 5, 2), (0, 6, 2)), ((0, 0), (5, 2)), ((3, 4), (3, 5, 7)), ((5, 0, -2), (5, -1, -2))]:
        assert range(*one) == range(*other)
        assert digest(range(*one)) == digest(range(*other))
        assert digest(pd.RangeIndex(*one)) == digest(pd.RangeIndex(*other))


ARROW = [
    ([1, None, 3], pa.int8()),
    ([1.5, float("nan"), None], pa.float32()),
    ([np.float16(1.5), None, np.float16(2)], pa.float16()),
    ([True, None, False], pa.bool_()),
    (["a", None, "ü"], pa.string()),
    (["a", None, "ü"], pa.large_string()),
    (["a", None, "longer than twelve bytes"], pa.string_view()),
    ([b"a", None, b""], pa.binary()),
    ([b"ab", None, b"cd"], pa.binary(2)),
    ([[1, None], None, []], pa.list_(pa.int64())),
    ([[1, 2], None, [3, 4]], pa.list_(pa.int64(), 2)),
    ([{"a": 1, "b": None}, None, {"a": 2, "b": "x"}], pa.struct([("a", pa.int64()), ("b", pa.string())])),
    ([[("a", 1)], None, []], pa.map_(pa.string(), pa.int64())),
    ([datetime.date(2020, 1, 1), None, datetime.date(2020, 1, 2)], pa.date32()),
    ([datetime.datetime(2020, 1, 1), None, datetime.datetime(2020, 1, 2)], pa.timestamp("us", "Europe/Paris")),
    ([datetime.timedelta(1), None, datetime.timedelta(2)], pa.duration("s")),
    ([datetime.time(1), None, datetime.time(2)], pa.time64("us")),
    ([decimal.Decimal("1.5"), None, decimal.Decimal("2.5")], pa.decimal128(5, 2)),
    ([pa.MonthDayNano([1, 2, 3]), None, pa.MonthDayNano([1, 2, 4])], pa.month_day_nano_interval()),
    (["a", None, "a"], pa.dictionary(pa.int32(), pa.string())),
]


@pytest.mark.parametrize("values, kind", ARROW, ids=lambda v: str(v) if isinstance(v, pa.DataType) else "")
def test_chunks_offsets_and_buffers_of_arrow_do_not_count(values, kind):
    array = pa.array(values, kind)
    assert digest(pa.concat_arrays([array, array])[3:]) == digest(array)
    assert digest(pa.concat_arrays([array, array])[:3]) == digest(array)
    for cuts in itertools.chain.from_iterable(itertools.combinations([1, 2], n) for n in range(3)):
        pieces = [array[a:b] for a, b in itertools.pairwise([0, *cuts, 3])]
        assert digest(pa.chunked_array(pieces)) == digest(pa.chunked_array([array]))
        assert digest(pa.table({"a": pa.chunked_array(pieces)})) == digest(pa.table({"a": array}))
    if not pa.types.is_dictionary(kind):
        assert digest(array[1:]) == digest(pa.array(values[1:], kind))
    assert len({digest(array), digest(array[1:]), digest(array[:1]), digest(pa.array([None] * 3, kind))}) == 4


def test_what_is_under_a_null_of_arrow_does_not_count():
    def with_garbage(validity, numbers):
        return pa.Array.from_buffers(pa.int64(), 2, [pa.py_buffer(validity), pa.py_buffer(np.array(numbers).tobytes())])

    assert digest(with_garbage(b"\x01", [1, 99])) == digest(pa.array([1, None]))
    assert digest(with_garbage(b"\x03", [1, 99])) == digest(pa.array([1, 99]))


POLARS = [
    ([1, None, 3], pl.Int8),
    ([1.5, float("nan"), None], pl.Float32),
    ([True, None, False], pl.Boolean),
    (["a", None, "ü"], pl.String),
    ([b"a", None, b""], pl.Binary),
    ([datetime.date(2020, 1, 1), None, datetime.date(2020, 1, 2)], pl.Date),
    ([datetime.datetime(2020, 1, 1), None, datetime.datetime(2020, 1, 2)], pl.Datetime("us", "Europe/Paris")),
    ([datetime.timedelta(1), None, datetime.timedelta(2)], pl.Duration("ms")),
    ([datetime.time(1), None, datetime.time(2)], pl.Time),
    ([[1, None], None, []], pl.List(pl.Int64)),
    ([[1, 2], None, [3, 4]], pl.Array(pl.Int64, 2)),
    ([{"a": 1}, None, {"a": 2}], pl.Struct({"a": pl.Int64})),
    (["a", None, "b"], pl.Categorical),
    (["a", None, "b"], pl.Enum(["a", "b", "c"])),
    ([decimal.Decimal("1.5"), None, decimal.Decimal("2.5")], pl.Decimal(10, 2)),
    ([2**100, None, 3], pl.Int128),
]


@pytest.mark.parametrize("values, kind", POLARS, ids=lambda v: "" if isinstance(v, list) else str(v))
def test_chunks_and_slices_of_polars_do_not_count(values, kind):
    series = pl.Series("n", values, dtype=kind)
    chunked = pl.concat([series[:1], series[1:]], rechunk=False)
    assert chunked.n_chunks() == 2
    assert digest(chunked) == digest(series) == digest(chunked.rechunk())
    assert digest(series[1:]) == digest(pl.Series("n", values[1:], dtype=kind))
    assert digest(pl.DataFrame([chunked])) == digest(pl.DataFrame([series]))
    assert len({digest(series), digest(series[1:]), digest(series.rename("m")), digest(series.reverse())}) == 4


# What counts ------------------------------------------------------------------------------------------------------


def marked(frame, **attrs):
    frame = frame.copy()
    frame.attrs.update(attrs)
    return frame


class Located(pd.DataFrame):
    _metadata = ("place",)

    @property
    def _constructor(self):
        return Located


def located(place):
    frame = Located({"a": [1]})
    frame.place = place
    return frame


class Tagged(pa.ExtensionType):
    def __init__(self, storage, tag):
        self.tag = tag
        super().__init__(storage, "test.tagged")

    def __arrow_ext_serialize__(self):
        return self.tag.encode()

    @classmethod
    def __arrow_ext_deserialize__(cls, storage, tag):
        return cls(storage, tag.decode())


def tagged_array(tag):
    return pa.ExtensionArray.from_storage(Tagged(pa.int64(), tag), pa.array([1]))


FRAME_1 = pd.DataFrame({"a": [1]})
NUMBERS = np.arange(4)
PARIS, BERLIN = zoneinfo.ZoneInfo("Europe/Paris"), zoneinfo.ZoneInfo("Europe/Berlin")
DIFFERENT = {
    "missing values": [None, float("nan"), pd.NA, pd.NaT, np.array([-(2**63)]).view("M8")[0], decimal.Decimal("nan"), np.float64("nan")],
    "missing in objects": [pd.Series([x], dtype=object) for x in (None, float("nan"), pd.NA, pd.NaT, 0, "")],
    "zeros": [0.0, -0.0, 0, False, 0j, complex(-0.0, 0), np.float64(0), np.float64(-0.0), np.float32(0), np.array(0.0)],
    "NaN payloads": [struct.unpack("d", struct.pack("Q", 0x7FF8000000000000 + n))[0] for n in range(3)],
    "zeros in arrays": [np.array([0.0]), np.array([-0.0]), pd.Series([0.0]), pd.Series([-0.0]), pl.Series([-0.0])],
    "big ints": [7**10_000, 7**10_000 + 1, -(7**10_000), 2**64, 2**63, -(2**63) - 1, str(2**64), float(2**64)],
    "text": ["\ud800", "\ud801", "é", "e\u0301", b"\xc3\xa9", bytearray(b"a"), b"a", "a", np.str_("a"), np.bytes_(b"a")],
    "numbers": [1, 1.0, True, 1 + 0j, decimal.Decimal(1), fractions.Fraction(1), np.int64(1), np.bool_(True), "1", [1]],
    "times": [
        datetime.datetime(2020, 10, 25, 2, 30),
        datetime.datetime(2020, 10, 25, 2, 30, tzinfo=PARIS),
        datetime.datetime(2020, 10, 25, 2, 30, tzinfo=PARIS, fold=1),
        datetime.datetime(2020, 10, 25, 2, 30, tzinfo=BERLIN),
        datetime.datetime(2020, 10, 25, 1, 30, tzinfo=datetime.UTC),
        pd.Timestamp(2020, 10, 25, 2, 30),
        pd.Timestamp(2020, 10, 25, 2, 30, tz=PARIS),
        np.datetime64("2020-10-25T02:30"),
        np.datetime64("2020-10-25T02:30:00"),
    ],
    "functions of one name": [np.log1p, scipy.special.log1p, np.exp2, scipy.special.exp2, _ball_tree.newObj, _kd_tree.newObj, re.compile("a").match, re.compile("b").match, re.compile("a").search],
    "paths": [pathlib.PurePosixPath("a"), pathlib.PureWindowsPath("a"), "a"],
    "containers": [[1], (1,), {1}, frozenset({1}), {1: 1}, {1: 1}.keys(), {1: 1}.items(), {1: 1}.values(), Bag({1}), Table({1: 1}), Pair(1, 1), collections.deque([1]), collections.deque([1], 3), types.MappingProxyType({1: 1})],
    "ordered dicts": [collections.OrderedDict(a=1, b=2), collections.OrderedDict(b=2, a=1), {"a": 1, "b": 2}],
    "layouts that matter": [NUMBERS, NUMBERS.astype(">i8"), NUMBERS.astype("i4"), NUMBERS.reshape(2, 2), NUMBERS[::-1], NUMBERS.astype("u8"), NUMBERS.astype("M8[s]"), NUMBERS.astype("m8[s]"), np.matrix(NUMBERS), NUMBERS.astype(object), NUMBERS.astype("U1"), NUMBERS.astype("U2"), NUMBERS.astype(np.dtypes.StringDType())],
    "empty arrays": [np.zeros(s, t) for s in [(0,), (0, 3), (3, 0)] for t in ("i4", "f4")],
    "fields": [np.zeros(1, [("a", "i4")]), np.zeros(1, [("b", "i4")]), np.zeros(1, [("a", "i4"), ("b", "i4")]), np.zeros(1, "i4")],
    "masks": [np.ma.array([1, 2]), np.ma.array([1, 2], mask=[1, 0]), np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 2], fill_value=7), np.ma.array([1, 2], hard_mask=True), np.array([1, 2])],
    "categories": [pd.Categorical(["a"], c, ordered=o) for c in (["a", "b"], ["b", "a"], ["a"]) for o in (False, True)] + [pd.Categorical([1]), pd.Categorical([1.0]), pd.Series(["a"])],
    "zones": [pd.Series(pd.to_datetime(["2020"]).tz_localize(tz).astype(f"datetime64[{unit}{', ' + tz if tz else ''}]")) for tz in (None, "UTC", "Europe/Paris", "Europe/Berlin") for unit in ("s", "ns")],
    "labels": [FRAME_1, FRAME_1.rename_axis(index="i"), FRAME_1.rename_axis(columns="c"), FRAME_1.rename(columns={"a": "b"}), FRAME_1.set_axis([5]), FRAME_1.set_axis(pd.Index([0])), FRAME_1.set_axis(["x"]), FRAME_1["a"], FRAME_1["a"].rename("b"), FRAME_1.astype("i4"), FRAME_1.astype("Int64"), FRAME_1.astype(object), FRAME_1.T],
    "order of columns": [pd.DataFrame({"a": [1], "b": [2]}), pd.DataFrame({"b": [2], "a": [1]}), pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame([[1, 2]], columns=["a", 1]), pd.DataFrame([[1, 2]], columns=["a", "1"])],
    "what frames carry": [FRAME_1, marked(FRAME_1, unit="m"), marked(FRAME_1, unit="s"), FRAME_1.set_flags(allows_duplicate_labels=False), located("here"), located("there")],
    "indexes": [pd.RangeIndex(1), pd.Index([0]), pd.Index([0.0]), pd.Index([0], name="a"), pd.MultiIndex.from_tuples([(0, 1)]), pd.MultiIndex.from_tuples([(0, 1)], names=["a", None]), pd.MultiIndex.from_product([[0, 2], [1]])[:1], pd.IntervalIndex.from_breaks([0, 1]), pd.IntervalIndex.from_breaks([0, 1], closed="left"), pd.PeriodIndex(["2020-01"], freq="M"), pd.PeriodIndex(["2020-01"], freq="D")],
    "freq of an index": [pd.date_range("2020", periods=3, freq="D"), pd.DatetimeIndex(list(pd.date_range("2020", periods=3))), pd.date_range("2020", periods=3, freq="24h")[:2], pd.timedelta_range(0, periods=3, freq="D")],
    "arrow types": [pa.array([1], t) for t in (pa.int8(), pa.int64(), pa.uint64(), pa.float64(), pa.timestamp("s"), pa.timestamp("s", "UTC"), pa.timestamp("ms"))] + [pa.array([None], pa.float64()), pa.array([float("nan")]), tagged_array("a"), tagged_array("b"), pa.chunked_array([[1]]), pa.scalar(1), pa.int64()],
    "arrow dictionaries": [pa.DictionaryArray.from_arrays([0, 1], ["a", "b"]), pa.DictionaryArray.from_arrays([1, 0], ["b", "a"]), pa.DictionaryArray.from_arrays([0, 1], ["a", "b", "c"]), pa.array(["a", "b"])],
    "arrow tables": [pa.table({"a": [1]}), pa.table({"b": [1]}), pa.record_batch({"a": [1]}), pa.table({"a": [1]}).replace_schema_metadata({"k": "v"}), pa.table([[1]], schema=pa.schema([pa.field("a", pa.int64(), nullable=False)])), pa.table({"a": [1]}).select([]), pa.table({"a": [1, 2]}).select([])],
    "polars types": [pl.Series([1], dtype=t) for t in (pl.Int8, pl.Int64, pl.UInt64, pl.Int128, pl.Float64, pl.Datetime("ms"), pl.Datetime("us"), pl.Datetime("us", "UTC"), pl.Duration("us"), pl.Decimal(10, 2), pl.Decimal(10, 3))],
    "polars nulls": [pl.Series([[None]], dtype=pl.List(pl.Int64)), pl.Series([None], dtype=pl.List(pl.Int64)), pl.Series([[]], dtype=pl.List(pl.Int64)), pl.Series([None], dtype=pl.Int64), pl.Series([0]), pl.Series([float("nan")]), pl.Series([None], dtype=pl.Float64)],
    "polars categories": [pl.Series(["a"], dtype=t) for t in (pl.Enum(["a", "b"]), pl.Enum(["b", "a"]), pl.Categorical, pl.String)],
    "polars frames": [pl.DataFrame({"a": [1], "b": [2]}), pl.DataFrame({"b": [2], "a": [1]}), pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [1]}).lazy(), pl.DataFrame({"a": [2]}).lazy(), pl.DataFrame(), pl.DataFrame(height=2)],
}  # fmt: skip


@pytest.mark.parametrize("about", DIFFERENT)
def test_different_values_have_different_digests(about):
    values = DIFFERENT[about]
    assert len({digest(value) for value in values}) == len(values)
    assert len({digest([value]) for value in values}) == len(values)


# One leaf changed -------------------------------------------------------------------------------------------------


def leaves(value, path=()):
    """Give the paths to all leaves of a value."""
    if type(value) in (dict, Table):
        return [p for key, item in value.items() for p in leaves(item, (*path, key))]
    if type(value) in (list, tuple, collections.deque, Pair):
        return [p for place, item in enumerate(value) for p in leaves(item, (*path, place))]
    if type(value) in (Sample, Read, Point, types.SimpleNamespace):
        return [p for name in _names(value) for p in leaves(getattr(value, name), (*path, name))]
    if type(value) is np.ndarray:
        return [(*path, place) for place in np.ndindex(value.shape)]
    return [path]


def _names(value):
    return {Sample: ["name", "depth"], Read: ["start", "stop"], Point: ["x", "y"], types.SimpleNamespace: ["a"]}[
        type(value)
    ]


def with_leaf(value, path, change):
    """Copy a value with one leaf changed."""
    if not path:
        return change(value)
    place, *rest = path
    if type(value) in (tuple, Pair):
        items = list(value)
        items[place] = with_leaf(items[place], rest, change)
        return Pair(*items) if type(value) is Pair else tuple(items)
    copied = copy.copy(value)
    if type(value) in (Sample, Read, Point, types.SimpleNamespace):
        setattr(copied, place, with_leaf(getattr(value, place), rest, change))
    else:
        copied[place] = with_leaf(value[place], rest, change)
    return copied


def changed(leaf):
    """Give something like a leaf, but different."""
    kind = getattr(leaf, "dtype", None)
    if kind is not None:
        flipped = bytearray(np.asarray(leaf).tobytes())
        if kind.names or kind.hasobject or not flipped:
            return "changed"
        place = 0 if kind.byteorder in "<=|" else len(flipped) - 1
        flipped[place] ^= 1
        return np.frombuffer(bytes(flipped), kind)[0]
    if isinstance(leaf, (bool, type(None))):
        return not leaf
    if isinstance(leaf, int):
        return leaf + 1
    if isinstance(leaf, float):
        return struct.unpack("q", struct.pack("d", leaf))[0] ^ 1
    if isinstance(leaf, (str, bytes)):
        return leaf + leaf[:0] + (b"x" if isinstance(leaf, bytes) else "x")
    if isinstance(leaf, (set, frozenset)):
        return type(leaf)([*leaf, "one more"])
    return "changed"


@given(VALUE, st.data())
@settings(max_examples=300)
def test_changing_one_leaf_changes_the_digest(value, data):
    paths = leaves(value)
    assume(paths)
    path = data.draw(st.sampled_from(paths))
    before = digest(value)
    try:
        mutant = with_leaf(value, path, changed)
    except (TypeError, ValueError, OverflowError):
        assume(False)  # The array cannot hold it.
    assert digest(mutant) != before
    assert digest(value) == before


@given(FRAME.filter(lambda frame: frame.size), st.data())
def test_changing_one_cell_of_a_frame_changes_the_digest(frame, data):
    row = data.draw(st.integers(0, len(frame) - 1))
    column = data.draw(st.integers(0, len(frame.columns) - 1))
    mutant = frame.copy()
    series = mutant.iloc[:, column]
    replacement = not series.iloc[row] if series.dtype == bool else "another"
    if series.dtype.kind in "ifM":
        numbers = series.to_numpy().copy()
        numbers.view("i8")[row] ^= 1
        mutant.isetitem(column, numbers)
    else:
        mutant.iloc[row, column] = replacement
        assume(mutant.dtypes.tolist() == frame.dtypes.tolist())
    assert digest(mutant) != digest(frame)
    assert digest(frame.set_axis([*frame.columns[:-1], "another name"], axis=1)) != digest(frame)


@given(st.sets(HASHABLE, min_size=1, max_size=5))
def test_a_set_without_one_of_its_items_is_another(items):
    for item in items:
        assert digest(items - {item}) != digest(items)


@pytest.mark.parametrize("kind", [set, frozenset])
def test_many_items_are_described_as_few_are(kind, monkeypatch):
    items = [(n % 7, str(n)) for n in range(300)]
    few = digest(kind(items))
    monkeypatch.setattr("rms_jupyter.fingerprint.of_python._MANY", 10)
    random.shuffle(items)
    assert digest(kind(items)) == few
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert digest(kind(items)) == few


# In every process, and in every version ----------------------------------------------------------------------------

GOLDEN: dict[str, str] = json.loads(Path(__file__).with_name("golden.json").read_text())


@pytest.mark.parametrize("expression", GOLDEN)
def test_digests_never_change(expression):
    assert digest(evaluate(expression)).hex() == GOLDEN[expression]


def evaluate(expression):
    names = "collections datetime decimal enum fractions pathlib uuid zoneinfo attrs np pd pl pa scipy"
    is_pandas_3 = int(pd.__version__.partition(".")[0]) >= 3
    with contextlib.nullcontext() if is_pandas_3 else pd.option_context("future.infer_string", True):
        return eval(expression, {name: globals()[name] for name in names.split()})


SAME_EVERYWHERE = """
import sys
from rms_jupyter.fingerprint.values import digest
from tests.unit.test_values_properties import *
values = [Bag(map(str, range(50))), Table(a=1, b=Bag("xyz")), Read(1, "a"), Sample(frozenset("abcdefg")), Point(Bag("ab")),
    Colour.RED, Pair(1, {"x", "y"}), collections.Counter("hello"), {(i, str(i)): {str(i)} for i in range(20)},
    {str(i) for i in range(99)}, Read, Colour, Sample, lambda x: x in {"a", "b", "c"}, types.SimpleNamespace(b=1, a={"x", "y"}),
    collections.defaultdict(set, a={"p", "q"}), *GOLDEN_VALUES]
print(*(digest(value).hex() for value in values))
""".replace("*GOLDEN_VALUES", "*map(evaluate, GOLDEN)")


def test_digests_are_the_same_in_any_process():
    def run(seed):
        command = [sys.executable, "-W", "ignore", "-c", SAME_EVERYWHERE]
        path = str(Path(__file__).parents[2])
        env = {"PYTHONHASHSEED": seed, "PYTHONPATH": path}
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True, cwd=path).stdout

    first, second, third = (run(seed) for seed in ("0", "1", "4242"))
    assert first.split() and first == second == third
    assert first.split()[16:] == list(GOLDEN.values())


# What has no digest ------------------------------------------------------------------------------------------------


class Countdown:
    def __iter__(self):
        return self

    def __next__(self):
        raise StopIteration


READ_ONCE = {
    "generator": lambda: (i for i in ()),
    "list_iterator": lambda: iter([1]),
    "dict_keyiterator": lambda: iter({1: 2}),
    "map": lambda: map(str, [1]),
    "zip": lambda: zip([1], [2], strict=True),
    "filter": lambda: filter(None, [1]),
    "enumerate": lambda: enumerate([1]),
    "count": lambda: itertools.count(),
    "islice": lambda: itertools.islice([1], 1),
    "Countdown": Countdown,
}


@pytest.mark.parametrize("name", READ_ONCE)
def test_what_can_be_read_once_says_so(name):
    with pytest.raises(Undigestable, match=f"{name}: it can be read only once; pass a list"):
        digest({"xs": [READ_ONCE[name]()]})


def test_open_files_have_no_digest_and_buffers_in_memory_do(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    for mode in ("r", "rb", "r+b"):
        with open(tmp_path / "a.txt", mode) as file, pytest.raises(Undigestable, match="an open file; pass its path"):
            digest(file)
    assert digest(io.BytesIO(b"a")) == digest(io.BytesIO(b"a")) != digest(io.BytesIO(b"b"))
    assert digest(io.StringIO("a")) == digest(io.StringIO("a")) != digest(io.StringIO("b"))


def test_what_is_yet_to_be_read_has_no_digest(tmp_path):
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "a.parquet")
    for value in (pl.scan_parquet(tmp_path / "a.parquet"), pa.dataset.dataset(tmp_path / "a.parquet")):
        with pytest.raises(Undigestable, match=r"what it will read is not known yet; pass the path"):
            digest([value])


def raising(name):
    def raises(*args):
        raise RuntimeError(f"{name} raises")

    return type("Raising", (), {name: property(raises) if name == "__class__" else raises})()


@pytest.mark.parametrize("name", ["__reduce__", "__reduce_ex__", "__getstate__", "__getattribute__"])
def test_an_object_that_cannot_be_described_says_why(name):
    with pytest.raises(Undigestable, match=f"Raising cannot be described .{name} raises"):
        digest([raising(name)])


@pytest.mark.parametrize(
    "name", ["__eq__", "__hash__", "__repr__", "__str__", "__bool__", "__len__", "__iter__", "__class__"]
)
def test_what_is_not_asked_for_may_raise(name):
    assert digest([raising(name)]) == digest([raising(name)])


def test_nothing_but_undigestable_is_raised():
    class Unspeakable(Exception):
        def __str__(self):
            raise self

    class Mute:
        def __reduce__(self):
            raise Unspeakable

    class Wrong:
        def __reduce__(self):
            return 5

    class Odd(dict):
        def items(self):
            raise Unspeakable

    twice = pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"])
    released = memoryview(bytearray(b"a"))
    released.release()
    locked = (threading.Lock(), threading.current_thread(), weakref.ref(Mute), sys._getframe(), (lambda: 1).__code__)
    for value in (Mute(), Wrong(), Odd(a=1), twice, released, *locked):
        with pytest.raises(Undigestable):
            digest({"x": [value]})


def test_objects_that_answer_everything_have_digests():
    class Anything:
        def __getattr__(self, name):
            return lambda *args, **kwargs: self

    class Liar:
        __class__ = dict

    assert digest(Anything()) == digest(Anything())
    assert digest(Liar()) == digest(Liar()) != digest({})
    assert digest(mock.Mock()) != digest(mock.Mock(a=1))
    assert digest(np) == digest(np) != digest(pd)


def test_deep_values():
    def nested(levels):
        value = []
        for _ in range(levels):
            value = [value]
        return value

    assert digest(nested(50)) != digest(nested(51))
    with pytest.raises(Undigestable, match="list is nested too deeply"):
        digest(nested(10_000))


def test_values_in_cycles():
    def ring(length, mark):
        nodes = [{"mark": mark} for _ in range(length)]
        for one, other in itertools.pairwise([*nodes, nodes[0]]):
            one["next"] = other
        return nodes[0]

    assert digest(ring(1, 1)) == digest(ring(1, 1)) != digest(ring(1, 2))
    assert digest(ring(2, 1)) == digest(ring(2, 1)) != digest(ring(3, 1))
    entangled = [[] for _ in range(60)]
    for node in entangled:
        node.extend(entangled)
    assert digest(entangled) == digest(entangled)
