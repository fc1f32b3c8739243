"""What arguments and results share is shared on a hit, too; and what arguments share is part of the key."""

import copy
from dataclasses import dataclass, field

import numpy as np
import pytest

from tests.behaviour.test_calls import namespace_of


def fill(grid):
    grid[0][0] = 1
    return [list(row) for row in grid]


def grow(a, b):
    a.append(1)
    return len(b)


def is_one(a, b):
    return a is b


def overwrite(a, b):
    a[:] = 9
    return float(b.sum())


def raise_first(points):
    points[0].x += 1
    return points[1].x


@dataclass
class Point:
    x: int = 0


def same_twice(make):
    value = make()
    return value, value


def first_half(make):
    value = make()
    return value, value[:2]


SHARED = {
    "rows": (fill, lambda: ([[0, 0]] * 2,)),
    "two lists": (grow, lambda: same_twice(lambda: [0])),
    "identity": (is_one, lambda: same_twice(lambda: {"a": 1})),
    "one array": (overwrite, lambda: same_twice(lambda: np.ones(2))),
    "a view": (overwrite, lambda: first_half(lambda: np.ones(2))),
    "instances": (raise_first, lambda: (list(same_twice(Point)),)),
}


def apart(value):
    """A copy in which nothing is shared."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(apart, value))
    return copy.deepcopy(value)


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("order", ["shared first", "apart first"])
def test_what_arguments_share_makes_another_call(s, name, order):
    function, make = SHARED[name]
    pipe = s.pipe(function)
    for _ in range(2):
        for is_shared in (True, False) if order == "shared first" else (False, True):
            expected = function(*(make() if is_shared else apart(make())))
            assert pipe(*(make() if is_shared else apart(make()))) == expected
    assert len(s.tasks()) == 2, "the second time they are hits"


def test_a_global_that_is_an_argument_too(s):
    ns = namespace_of("kept = [1]\ndef grow(xs):\n    xs.append(1)\n    return len(kept)")
    pipe = s.pipe(ns["grow"])
    assert pipe([1]) == 1
    assert pipe(ns["kept"]) == 2 and ns["kept"] == [1, 1]


def test_equal_constants_are_no_sharing(s):
    pipe = s.pipe(lambda a, b: a + b, name="add")
    both = (1, 2)
    pipe(both, both)
    pipe((1, 2), tuple(range(1, 3)))
    assert len(s.tasks()) == 1


# Results --------------------------------------------------------------------------------------------------------------


@dataclass
class Node:
    name: str
    below: list = field(default_factory=list)


def best(records):
    return max(records, key=lambda record: record["score"])


def passed(records):
    return [record for record in records if record["score"] > 1]


def by_name(records):
    return {record["name"]: record for record in records}


def deepest(node):
    return deepest(node.below[0]) if node.below else node


def add_below(node):
    child = Node("new")
    node.below.append(child)
    return child


def pop(records):
    return records.pop()


def wrapped(records):
    return Node("all", records)


def column(arrays):
    return {"first": [arrays["a"][:, 0]]}


def records():
    return [{"name": "a", "score": 1}, {"name": "b", "score": 2}, {"name": "c", "score": 3}]


def tree():
    return Node("root", [Node("leaf")])


HELD = {
    "an item": (best, records, lambda xs, r: r is xs[2]),
    "filtered": (passed, records, lambda xs, r: r[0] is xs[1] and r[1] is xs[2]),
    "indexed": (by_name, records, lambda xs, r: all(r[x["name"]] is x for x in xs)),
    "a node": (deepest, tree, lambda t, r: r is t.below[0]),
    "a new node": (add_below, tree, lambda t, r: r is t.below[1]),
    "taken out": (pop, records, lambda xs, r: len(xs) == 2 and r["name"] == "c"),
    "an attribute": (wrapped, records, lambda xs, r: r.below is xs),
    "a view inside": (column, lambda: {"a": np.ones((2, 2))}, lambda a, r: np.shares_memory(r["first"][0], a["a"])),
}


@pytest.mark.parametrize("name", HELD)
def test_a_result_holds_the_callers_own_objects_on_a_hit(s, name):
    function, make, holds = HELD[name]
    pipe = s.pipe(function)
    for _ in range(2):
        given = make()
        found = pipe(given)
        assert holds(given, found)
    assert len(s.tasks()) == 1, "the second time is a hit"


def test_what_was_taken_out_of_an_argument_is_the_callers_own(s):
    pipe = s.pipe(pop)
    for _ in range(2):
        given = records()
        last = given[-1]
        assert pipe(given) is last
    assert len(s.tasks()) == 1


def test_a_result_that_holds_arguments_where_they_cannot_be_put_runs_each_time(s):
    pipe = s.pipe(lambda xs: {(1, 2): xs}, name="keyed")
    with pytest.warns(match="keyed runs each time.*cannot be put again"):
        pipe([1])
    given = [1]
    assert pipe(given)[1, 2] is given


def test_what_moves_from_one_argument_to_another_is_the_callers_own(s):
    def move(a, b):
        b.append(a.pop())
        return len(b)

    pipe = s.pipe(move)
    for _ in range(2):
        item = {"k": 1}
        a, b = [item], []
        assert pipe(a, b) == 1 and a == [] and b[0] is item
    assert len(s.tasks()) == 1


def test_one_new_object_in_two_arguments_is_one_each_time(s):
    def link(a, b):
        new = {}
        a.append(new)
        b.append(new)

    pipe = s.pipe(link)
    with pytest.warns(match="link runs each time.*it puts one object into several arguments"):
        pipe([], [])
    a, b = [], []
    pipe(a, b)
    assert a[0] is b[0]
