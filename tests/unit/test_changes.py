"""An object that the caller holds becomes what a call has made of it, in place."""

from __future__ import annotations

import array
import copy
import random
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from rms_jupyter.fingerprint.code import describe  # noqa: F401  (registers functions and classes)
from rms_jupyter.fingerprint.values import digest
from rms_jupyter.run.task.changes import become, can_change
from rms_jupyter.run.task.reach import Reach
from rms_jupyter.run.task.twins import Twins, origins_of


class Plain:
    def __init__(self, **names):
        self.__dict__.update(names)


class Slotted:
    __slots__ = ("a", "b")


class Tagged(list):
    pass


@dataclass
class Point:
    x: float
    near: list


def slotted(**names):
    made = Slotted()
    for name, value in names.items():
        setattr(made, name, value)
    return made


def drawn(generator):
    generator.random()
    return generator


def tagged(items, tag):
    made = Tagged(items)
    made.tag = tag
    return made


def noted(frame, **attrs):
    frame.attrs.update(attrs)
    return frame


def replayed(target, change):
    """Change an object as a hit does: a recorded call has made the change to another one like it."""
    recorded = copy.deepcopy(target)
    before = Reach({"": recorded})
    change(recorded)
    content, now = copy.deepcopy(recorded), Reach({"": target})
    twins = Twins(content, origins_of(recorded, before), now, {id(part) for part in now.objects})
    assert twins.fit()
    twins.change()


CHANGES = [
    ([1, 2, 3], [3, 1]),
    ([], [1]),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({"a": [1]}, {"a": [1, 2], "c": 3}),
    (OrderedDict(a=1, b=2), OrderedDict(b=2, a=1)),
    (defaultdict(list, a=[1]), defaultdict(list, a=[1], b=[])),
    (Counter("aab"), Counter("abbc")),
    ({1, 2}, {2, 3}),
    (bytearray(b"ab"), bytearray(b"abc")),
    (deque([1, 2], 3), deque([2, 3, 4], 3)),
    (array.array("d", [1.0]), array.array("d", [2.0, 3.0])),
    (np.zeros((2, 3)), np.arange(6.0).reshape(2, 3)),
    (np.array(["a", None], dtype=object), np.array([[1], None], dtype=object)),
    (np.ma.masked_equal([1, 2, 3], 2), np.ma.masked_equal([1, 5, 3], 3)),
    (np.random.default_rng(1), drawn(np.random.default_rng(1))),
    (np.random.RandomState(1), drawn(np.random.RandomState(1))),
    (random.Random(1), drawn(random.Random(1))),
    (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1.5], "b": ["x"]}, index=[7])),
    (pd.DataFrame({"a": [1]}), noted(pd.DataFrame({"a": [1]}), unit="m")),
    (pd.Series([1, 2], name="a"), pd.Series(["x"], index=[3], name="b")),
    (Plain(a=1, b=[2]), Plain(b=[2, 3])),
    (slotted(a=1, b=2), slotted(b=[3])),
    (Point(1.0, [1]), Point(2.0, [1, 2])),
    (tagged([1], "x"), tagged([1, 2], "y")),
]


@pytest.mark.parametrize(("target", "new"), CHANGES, ids=lambda value: type(value).__name__)
def test_an_object_is_changed_in_place(target, new):
    target, new = copy.deepcopy(target), copy.deepcopy(new)
    wanted, ident = digest(new), id(target)
    order = list(new) if isinstance(new, dict) else None
    assert can_change(target)
    assert become(target, new)
    assert digest(target) == wanted and id(target) == ident
    assert order is None or list(target) == order


@pytest.mark.parametrize(
    ("target", "new"),
    [
        ((1,), (2,)),
        ("a", "b"),
        (1, 2),
        ([1], (1,)),
        (np.zeros(2), np.zeros(3)),
        (np.zeros(2), np.zeros(2, int)),
        (deque([1], 2), deque([1], 3)),
        (array.array("d"), array.array("i")),
        (frozenset({1}), frozenset({2})),
        (np.random.Generator(np.random.PCG64(1)), np.random.Generator(np.random.MT19937(1))),
        (len, max),
        (Plain, Point),
    ],
)
def test_what_cannot_become_the_other_is_told_and_stays(target, new):
    before = repr(target)
    assert not become(target, new)
    assert repr(target) == before


def test_a_read_only_array_cannot_be_changed():
    fixed = np.zeros(2)
    fixed.flags.writeable = False
    assert not can_change(fixed) and not become(fixed, np.ones(2))


def test_parts_stay_the_same_objects_wherever_they_go():
    a, b, c = [1], [2], [3]
    rows = [c, a, b]
    replayed(rows, lambda rows: rows.sort())
    assert rows == [[1], [2], [3]] and rows[0] is a and rows[1] is b and rows[2] is c
    named = {"old": a}
    replayed(named, lambda named: named.update(new=named.pop("old")))
    assert named["new"] is a and list(named) == ["new"]


def test_a_part_that_is_replaced_by_one_like_it_is_another():
    row = [1]
    table = {"row": row}
    replayed(table, lambda table: table.update(row=[1]))
    assert table == {"row": [1]} and table["row"] is not row


def test_a_part_that_has_changed_is_changed_for_all_who_hold_it():
    row, inner = [1, 2], np.zeros(2)
    table = {"rows": [row, (inner, "x")], "at": Plain(row=row)}

    def change(table):
        table["at"].row.append(3)
        table["rows"][1][0][:] = 1

    replayed(table, change)
    assert row == [1, 2, 3] and inner.tolist() == [1, 1]
    assert table["rows"][0] is row is table["at"].row and table["rows"][1][0] is inner


def test_what_is_shared_in_the_new_value_is_shared_afterwards_also_with_itself():
    target, shared = [0], [1]
    replayed(target, lambda target: target.__setitem__(slice(None), [shared, shared, target]))
    assert target[0] == [1] and target[0] is target[1] and target[2] is target


def test_a_generator_that_has_spawned_spawns_the_next():
    mine, other = np.random.default_rng(5), np.random.default_rng(5)
    other.spawn(2)
    assert become(mine, other)
    assert mine.spawn(1)[0].random() == other.spawn(1)[0].random()


def test_a_view_sees_what_its_base_has_become():
    base = np.zeros(4)
    view = base[1:3]
    assert become(base, np.arange(4.0))
    assert view.tolist() == [1, 2]
