"""Digests of values: equal values equal digests, different ones different."""

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import math
import pathlib
import re
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rms_jupyter.fingerprint.code import describe  # noqa: F401  (registers functions and classes)
from rms_jupyter.fingerprint.values import Undigestable, digest


def name_of(value):
    """A test's name: every process that collects it finds the same, whatever the hash seed and the addresses."""
    return type(value).__name__


@dataclasses.dataclass
class Sample:
    name: str
    depth: float = 1.0


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Point:
    def __init__(self, x):
        self.x = x


Pair = collections.namedtuple("Pair", "a b")

DIFFERENT = [
    None, True, 1, 1.0, 1 + 0j, "1", b"1", 0.0, -0.0, math.inf, -math.inf, math.nan, 2**70, -(2**70), "", b"", (), [], {},
    set(), frozenset(), [1], (1,), {1}, frozenset({1}), [[1]], [1, 2], [2, 1], ["1"], [1.0], [True], [None], {"a": 1},
    {"a": 1.0}, {1: "a"}, {"1": "a"}, collections.OrderedDict(a=1), range(3), range(0, 3, 2), slice(1, 2), ..., "\ud800",
    Sample("a"), Sample("a", 2.0), Colour.RED, Colour.BLUE, Point(1), Point(2), Pair(1, 2), Pair(2, 1),
    datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
    datetime.timedelta(1), decimal.Decimal("1.0"), decimal.Decimal("1.00"), fractions.Fraction(1, 2),
    pathlib.PurePosixPath("a"), re.compile("a"), re.compile("a", re.I), bytearray(b"1"), len, math.sqrt, int, Point,
    lambda x: x, lambda x: x + 1,
    np.array([1]), np.array([1.0]), np.array([1], "i4"), np.array([[1]]), np.array(1), np.int64(1), np.float64(1), np.array([]),
    np.array(["a"]), np.array(["a"], object), np.array([1], ">i8"), np.array([1], "M8[D]"), np.array([1], "M8[s]"),
    np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]), np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 3], mask=[1, 0]),
    pd.Series([1]), pd.Series([1], name="a"), pd.Series([1.0]), pd.Series(["1"]), pd.Series([1], index=[5]),
    pd.Series([1], dtype="Int64"), pd.Series([None], dtype="Int64"), pd.Series(["a"], dtype="category"),
    pd.Series(pd.Categorical(["a"], ["a", "b"])), pd.Series(pd.Categorical(["a"], ordered=True)),
    pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]}), pd.DataFrame({"a": [1], "b": [2]}), pd.DataFrame({"b": [2], "a": [1]}),
    pd.DataFrame({"a": ["x"]}), pd.DataFrame({"a": [None]}), pd.DataFrame(), pd.Index([1]), pd.Index([1.0]), pd.RangeIndex(1),
    pd.Series(pd.to_datetime(["2020-01-01"])), pd.Series(pd.to_datetime(["2020-01-01"]).tz_localize("UTC")),
    pd.Series(pd.to_datetime(["2020-01-01"]).tz_localize("Europe/Paris")), pd.MultiIndex.from_tuples([(1, 2)]),
    pd.Series([{"a": 1}]), pd.Series([[1, 2]]), pd.NA, pd.NaT, pd.Timestamp("2020-01-01"),
    pl.Series([1]), pl.Series("a", [1]), pl.Series([1.0]), pl.Series(["a"]), pl.DataFrame({"a": [1]}), pl.Series([None, 1]),
    pl.DataFrame({"a": ["x", None]}), pl.Series([datetime.date(2020, 1, 1)]),
]  # fmt: skip


def test_different_values_have_different_digests():
    seen = {}
    for value in DIFFERENT:
        name = digest(value)
        assert name not in seen, f"{value!r} ({type(value)}) and {seen[name]!r} ({type(seen[name])})"
        seen[name] = value


@pytest.mark.parametrize(
    "a, b",
    [
        ({1, 2, "x"}, {"x", 2, 1}),
        (Sample("a"), Sample("a", 1.0)),
        (np.arange(12).reshape(3, 4), np.asfortranarray(np.arange(12).reshape(3, 4))),
        (np.arange(12)[::2], np.array([0, 2, 4, 6, 8, 10])),
        (np.arange(12).reshape(3, 4).T, np.ascontiguousarray(np.arange(12).reshape(3, 4).T)),
        (pd.DataFrame({"a": [1, 2], "b": [1.5, 2.5]}), pd.DataFrame({"a": [1, 2, 3], "b": [1.5, 2.5, 3.5]}).iloc[:2]),
        (pd.Series(["a", "b"]), pd.concat([pd.Series(["a"]), pd.Series(["b"])], ignore_index=True)),
        (pl.Series([1, 2, 3]), pl.concat([pl.Series([1]), pl.Series([2, 3])])),
        ("abc", "".join(["a", "b", "c"])),
        (lambda x: x + 1, lambda x: x + 1),
        ([[1], [1]], (lambda one: [one, one])([1])),
    ],
    ids=name_of,
)
def test_equal_values_have_equal_digests(a, b):
    assert digest(a) == digest(b)


def test_what_is_under_a_mask_counts():
    assert digest(np.ma.array([1, 99], mask=[0, 1])) != digest(np.ma.array([1, -5], mask=[0, 1]))


@pytest.mark.parametrize(
    "value", [(i for i in ()), open(__file__), sys.stdout, __import__("threading").Lock()], ids=name_of
)
def test_what_has_no_digest_says_why(value):
    with pytest.raises(Undigestable, match=type(value).__name__):
        digest([value])


def test_values_inside_themselves():
    a = [1]
    a.append(a)
    b = [1]
    b.append(b)
    c = [2]
    c.append(c)
    assert digest(a) == digest(b) != digest(c)


def test_entangled_objects_end():
    nodes = [Point(i) for i in range(300)]
    for node in nodes:
        node.others = nodes
    assert digest(nodes) == digest(nodes)


SCALAR = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.complex_numbers()
    | st.dates()
)
VALUE = st.recursive(
    SCALAR,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.permutations(["a", "b", 3, (4,)]), st.permutations(["a", "b", 3, (4,)]))
def test_insertion_order_counts(keys, others):
    assert (digest(dict.fromkeys(keys)) == digest(dict.fromkeys(others))) == (keys == others)
    assert (digest({k: [1] for k in keys}) == digest({k: [1] for k in others})) == (keys == others)


@given(VALUE, VALUE)
def test_digests_tell_values_apart(a, b):
    same = repr(a) == repr(b) and type(a) is type(b)
    if same:
        assert digest(a) == digest(b)
    elif (type(a) is not type(b) or a != b) and not (a != a and b != b):
        assert digest(a) != digest(b)
