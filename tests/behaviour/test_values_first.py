"""Values first: a call gives the function's own value, which is the user's; the record stays as it was."""

import copy
import gc
import io
import json
import pickle
import re
import weakref

import numpy as np
import pandas as pd
import pytest
import scipy.optimize

import rms_jupyter as rms

RUNS = []


@pytest.fixture(autouse=True)
def no_runs():
    RUNS.clear()


def double(x):
    return x * 2


def twice(s):
    return s.pipe(double)


def upstream_of(s, result):
    """The names of the pipes that a result comes from, its own first."""
    return [node.pipe for node in s.lineage(rms.info(result), down=False).tasks]


# A result is what the function returned ---------------------------------------------------------------------------


VALUES = [
    3, 300, -7, 2**80, 2.5, float("nan"), 1 + 2j, True, None, "", "a", "text that is longer", b"bytes", (), (1, 2), [], [1, [2]],
    {}, {"a": [1]}, {1, 2}, frozenset({1}), range(3), ..., np.float64(3), np.int8(3), np.bool_(True), np.arange(3.0), np.dtype("i4"),
    np.zeros(1, "i4,f8")[0], np.datetime64("2020-01-01"), pd.DataFrame({"a": [1]}), pd.Series([1]), pd.Timestamp("2020-01-01"),
    pd.offsets.MonthEnd(1), pd.NaT, pd.NA, type("Nowhere", (), {"__module__": None}),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda v: f"{type(v).__name__} {v!r}"[:30])
def test_the_first_run_gives_the_very_object_and_a_hit_an_equal_one(s, value):
    made = []

    def make():
        made.append(copy.copy(value))
        return made[-1]

    make_ = s.pipe(make, ignore=("made", "value"))
    first, again = make_(), make_()
    assert len(made) == 1
    if type(value) is not int:
        assert first is made[0]
    for got in (first, again):
        assert type(got) == type(value) and isinstance(got, type(value)) and repr(got) == repr(value)  # noqa: E721 - as users write it


def test_a_small_number_is_an_int_in_all_but_identity(s):
    n = twice(s)(4)
    assert (n, repr(n), str(n), f"{n:03d}", type(n) == int, isinstance(n, int)) == (8, "8", "8", "008", True, True)  # noqa: E721 - as users write it
    assert {8: "eight"}[n] == "eight" and [*range(10)][n] == 8 and {int: 1}[type(n)] == 1
    assert json.dumps([n]) == "[8]" and type(pickle.loads(pickle.dumps(n))) is int and copy.deepcopy(n) is n
    assert type(n + 1) is int and np.asarray(n).dtype == np.int64 and pd.Series([n]).dtype == np.int64
    assert n.bit_length() == 4 and divmod(n, 3) == (2, 2) and 1 < n < 9 and type(n).__name__ == "int"


USES = {
    "an item of an array": lambda f: np.put(v := np.zeros(3), 0, f(np.float64(3))) or v.tolist(),
    "set item": lambda f: set_item(np.zeros(3), f(np.float64(3))),
    "set slice": lambda f: set_item(np.zeros(3), f(np.ones(3)), slice(None)),
    "structured item": lambda f: set_item(np.zeros(2, "i4,f8"), (f(1), f(2.5))),
    "fill": lambda f: np.full(2, f(3)).tolist(),
    "isnan": lambda f: [bool(np.isnan(f(1.0))), np.isnan(f(np.ones(2))).tolist()],
    "array of results": lambda f: np.array([f(1.5), f(1.5)]).tolist(),
    "array of arrays": lambda f: np.array([f(np.ones(2)), f(np.ones(2))]).tolist(),
    "stack": lambda f: np.vstack([f(np.ones(2)), f(np.zeros(2))]).tolist(),
    "dtype": lambda f: np.array([f(1), f(2)]).dtype,
    "type": lambda f: [type(f(1.5)) == float, type(f(1.5)) is float, type(f("a")) is str],  # noqa: E721 - as users write it
    "isinstance": lambda f: [isinstance(f(x), type(x)) for x in (1, 1.5, "a", [1], (1,))],
    "print": lambda f: [f(1), {"a": f(2)}, (f(3.5),)].__repr__(),
    "is None": lambda f: f(Nothing()) is None,
    "is True": lambda f: f(Yes()) is True,
    "set item in a frame": lambda f: set_loc(pd.DataFrame({"a": [1.0, 2.0]}), f(1.5)),
    "index": lambda f: "abcdef"[f(1)] + "abcdef"[f(1) : f(2)],
    "range": lambda f: list(range(f(2))),
    "format": lambda f: f"{f(1.5):.2f} {f(1)!r:>3} {format(f(2), 'd')}",
    "json": lambda f: json.dumps({"a": f(1), "b": f([1])}, sort_keys=True),
    "match": lambda f: matched(f(2)),
    "unpacked": lambda f: [*f([1, 2])],
    "keywords": lambda f: dict(**f(Table()).copy()),
    "bytes": lambda f: bytes(f(2)),
    "sum": lambda f: sum(f(i) for i in range(5)),
    "sorted": lambda f: sorted([f(3), f(1), 4]),
    "set": lambda f: len({f(1), 2, f(1)}),
    "polynomial": lambda f: np.polyval([f(1), f(2)], f(3)),
    "html": lambda f: "<td>2</td>" in f(pd.DataFrame({"a": [1]}))._repr_html_(),
    "frame of results": lambda f: pd.DataFrame({"a": [f(1), f(2)]}).a.sum(),
    "concat": lambda f: pd.concat([f(pd.Series([1])), f(pd.Series([2]))]).tolist(),
    "write": lambda f: io.BytesIO(f(b"ab")).getvalue(),
    "exact": lambda f: (f(1.1)).hex(),
}


class Nothing:
    def __mul__(self, other):
        return None


class Yes:
    def __mul__(self, other):
        return True


class Table:
    def __mul__(self, other):
        return {"a": 1}


def set_item(array, value, where=0):
    array[where] = value
    return array.tolist()


def set_loc(frame, value):
    frame.loc[0, "a"] = value
    return frame.a.tolist()


def matched(value):
    match value:
        case int(n):
            return f"int {n}"
        case _:
            return "other"


@pytest.mark.parametrize("use", USES)
def test_used_where_the_value_is(s, use):
    f = twice(s)
    assert USES[use](f) == USES[use](double)
    assert USES[use](f) == USES[use](double), "on a hit"


def test_optimizers_and_integrators_take_pipes(s):
    def cost(x):
        return float(((x - 1) ** 2).sum())

    def slope(x):
        return 2 * (x - 1)

    found = scipy.optimize.minimize(s.pipe(cost), np.zeros(2), jac=s.pipe(slope))
    assert np.array_equal(found.x, scipy.optimize.minimize(cost, np.zeros(2), jac=slope).x)
    assert scipy.optimize.brentq(s.pipe(lambda x: x**2 - 2, name="root"), 0, 2) == pytest.approx(2**0.5)
    assert scipy.integrate.quad(s.pipe(lambda x: x, name="line"), 0, 2)[0] == pytest.approx(2)


def test_functions_that_take_functions_take_pipes(s):
    square = s.pipe(lambda x: x * x, name="square")
    assert list(map(square, [1, 2])) == [1, 4] and sorted([3, -1], key=square) == [-1, 3]
    assert pd.Series([1, 2]).map(square).tolist() == [1, 4] and np.vectorize(square)([1, 2]).tolist() == [1, 4]
    assert pd.DataFrame({"a": [1, 2]}).apply(s.pipe(lambda column: column.sum(), name="summed")).tolist() == [3]


def label(x):
    return f"point {x}"


class Point:
    def __init__(self, x):
        self.x = x

    def __repr__(self):
        return label(self.x)

    _repr_html_ = __repr__


def test_a_repr_that_calls_a_pipe(s, monkeypatch):
    monkeypatch.setitem(globals(), "label", s.pipe(label))
    move = s.pipe(lambda x: Point(x + 1), name="move")
    assert repr(Point(1)) == "point 1" and repr(move(1)) == "point 2" and move(1)._repr_html_() == "point 2"
    assert rms.info(move(1)).task.hit and rms.info(repr(move(1))).task.call == "label(2)"


def test_what_a_call_gives_is_no_handle_unless_asked_for(s):
    assert type(s.pipe(double)([1])) is list and type(s.run(s.pipes["double"], [[1]])) is list
    assert type(s.register_pipe(double)([1])) is rms.Resource
    assert type(s.pipe(double, returns="resource")([1])) is rms.Resource
    assert type(s.register_pipe(double, returns="value")([1])) is list


# What is changed in the notebook ----------------------------------------------------------------------------------


def load(n):
    RUNS.append(n)
    return pd.DataFrame({"a": range(n), "b": [[i] for i in range(n)]})


def total(frame):
    return int(sum(frame["a"])) + sum(map(sum, frame["b"]))


def rows(n):
    RUNS.append(n)
    return {"a": list(range(n)), "b": [[i] for i in range(n)], "c": {1, 2}}


def numbers(n):
    RUNS.append(n)
    return np.arange(n)


def large(n):
    RUNS.append(n)
    return np.arange(n * 10_000)


def summed(array):
    return int(array.sum())


class Model:
    def __init__(self, n):
        self.a, self.b = list(range(n)), [[i] for i in range(n)]

    def __getitem__(self, name):
        return getattr(self, name)


def model(n):
    RUNS.append(n)
    return Model(n)


def with_cell(frame, change):
    change(frame["b"])


CHANGES = {
    "loc": (load, total, lambda d: d.loc.__setitem__((0, "a"), 1000)),
    "iloc": (load, total, lambda d: d.iloc.__setitem__((1, 0), 1000)),
    "at": (load, total, lambda d: d.at.__setitem__((2, "a"), 1000)),
    "iat": (load, total, lambda d: d.iat.__setitem__((2, 0), 1000)),
    "column": (load, total, lambda d: d.__setitem__("a", 7)),
    "masked": (load, total, lambda d: d.__setitem__("a", d.a.mask(d.a > 1, 500))),
    "insert": (load, lambda frame: frame.shape[1], lambda d: d.insert(0, "z", 1)),
    "pop": (load, lambda frame: len(frame.columns), lambda d: d.pop("b")),
    "del": (load, lambda frame: len(frame.columns), lambda d: d.__delitem__("b")),
    "update": (load, total, lambda d: d.update(pd.DataFrame({"a": [50, 60]}))),
    "inplace": (load, total, lambda d: d.drop(index=3, inplace=True)),
    "sort in place": (
        load,
        lambda frame: int(frame.a.iloc[0]),
        lambda d: d.sort_values("a", ascending=False, inplace=True),
    ),
    "rename in place": (load, lambda frame: list(frame.columns), lambda d: d.rename(columns={"a": "q"}, inplace=True)),
    "names": (load, lambda frame: list(frame.columns), lambda d: setattr(d, "columns", ["x", "y"])),
    "index": (load, lambda frame: list(frame.index), lambda d: setattr(d, "index", list("wxyz"))),
    "attrs": (load, lambda frame: str(frame.attrs), lambda d: d.attrs.update(unit="m")),
    "a list in a cell": (load, total, lambda d: d["b"][0].append(1000)),
    "a list in an item": (rows, total, lambda d: d["b"][0].append(1000)),
    "append": (rows, total, lambda d: d["a"].append(1000)),
    "dict": (rows, lambda d: sorted(d), lambda d: d.update(z=1)),
    "dict pop": (rows, lambda d: sorted(d), lambda d: d.pop("c")),
    "set": (rows, lambda d: len(d["c"]), lambda d: d["c"].add(5)),
    "attribute": (model, total, lambda m: m.a.append(1000)),
    "set attribute": (model, total, lambda m: setattr(m, "a", [1000])),
    "array": (numbers, summed, lambda a: a.__setitem__(0, 1000)),
    "large array": (large, summed, lambda a: a.__setitem__(0, 1000)),
    "array in place": (numbers, summed, lambda a: a.__iadd__(1)),
    "out=": (large, summed, lambda a: np.multiply(a, 2, out=a)),
    "sort": (numbers, lambda a: int(a[0]), lambda a: a[::-1].sort()),
    "setflags": (large, summed, lambda a: (a.setflags(write=True), a.__setitem__(0, 9))),
    "a view": (large, summed, lambda a: a[5:].fill(0)),
    "shape": (numbers, lambda a: a.ndim, lambda a: setattr(a, "shape", (2, 2))),
}


@pytest.mark.parametrize("when", ["first", "hit", "fresh session"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.filterwarnings(
    "ignore::pandas.errors.ChainedAssignmentError", "ignore:Setting the shape", "ignore:The inplace keyword"
)
def test_a_changed_value_is_another_and_the_record_stays(s, reopen, change, when):
    make, use, alter = CHANGES[change]
    expected_before = use(make(4))
    changed = make(4)
    alter(changed)
    expected = use(changed)
    assert expected != expected_before
    RUNS.clear()

    def pipes(session):
        return session.pipe(make, ignore="RUNS"), session.pipe(use, name="use")

    make_, use_ = pipes(s)
    if when != "first":
        make_(4)
    if when == "fresh session":
        s = reopen(s)
        make_, use_ = pipes(s)
    value = make_(4)
    alter(value)
    assert use_(value) == expected
    assert use_(make_(4)) == expected_before, "the record is as the function made it"
    assert use_(value) == expected
    s = reopen(s)
    make_, use_ = pipes(s)
    assert use_(make_(4)) == expected_before and RUNS == [4]
    again = make_(4)
    alter(again)
    assert use_(again) == expected


def test_the_next_use_of_a_changed_value_is_given_with_an_edge(s):
    make_, use_ = s.pipe(load, ignore="RUNS"), s.pipe(total)
    frame = make_(4)
    before = rms.info(frame)
    frame.loc[0, "a"] = 1000
    after = rms.info(use_(frame))
    edges = s.lineage(after, down=False).edges
    [given] = [source for source, target, role in edges if target == after.task.id and role == "frame"]
    assert given != before.id and (before.id, given, "changed in the notebook") in edges
    assert s.sql("SELECT src, dst FROM edges WHERE role = 'changed in the notebook'").fetchall() == [(before.id, given)]
    assert upstream_of(s, use_(frame)) == ["total", "load"] and rms.info(use_(frame)).task.hit
    frame.loc[0, "a"] = 0
    direct = s.lineage(rms.info(use_(frame)), down=False)
    assert "changed in the notebook" not in {role for *_, role in direct.edges}, "it is what it was again"


def test_hits_are_equal_writable_and_distinct(s):
    for make in (load, rows, numbers, large, model):
        make_ = s.pipe(make, ignore="RUNS")
        first, second, third = make_(4), make_(4), make_(4)
        assert len({id(first), id(second), id(third)}) == 3 and len(RUNS) == 1
        if isinstance(first, np.ndarray):
            assert second.flags.writeable and third.flags.writeable and not np.shares_memory(second, third)
            second[:] = -1
            assert (third == first).all() and (make_(4) == first).all()
        RUNS.clear()


def test_a_hit_whose_content_is_gone_runs_again(s):
    make_ = s.pipe(large, ignore="RUNS")
    first = make_(2)
    for path in (s.path / "objects").rglob("*.npy"):
        path.unlink()
    again = make_(2)
    assert np.array_equal(first, again) and again.flags.writeable and RUNS == [2, 2]
    again[:] = 0
    assert np.array_equal(make_(2), first) and rms.info(again).content[-1] == 19_999


# Lineage by identity ----------------------------------------------------------------------------------------------


TRACED = [
    3, 300, 2.5, 1 + 2j, "text that is longer", b"some bytes", (1, 2), [1, 2], {"a": 1}, {1}, np.float64(3), np.arange(3), pd.Series([1]),
    pd.DataFrame({"a": [1]}), pd.Timestamp("2020"), range(5),
]  # fmt: skip
HOLDERS = {
    "itself": lambda x: x,
    "a list": lambda x: [0, x],
    "a tuple": lambda x: (x, 0),
    "a dict": lambda x: {"k": x},
    "deep": lambda x: {"k": [(0, [x])]},
}


@pytest.mark.parametrize("when", ["first", "hit"])
@pytest.mark.parametrize("value", TRACED, ids=lambda v: type(v).__name__)
def test_lineage_follows_the_object(s, value, when):
    make_, use_ = (
        s.pipe(lambda: copy.deepcopy(value), name="make", ignore="value"),
        s.pipe(lambda x: [str(x)], name="use"),
    )
    for _ in range(2 if when == "hit" else 1):
        made = make_()
    assert rms.info(made).task.call == "make()" and rms.info(made).task.hit == (when == "hit")
    for holder, hold in HOLDERS.items():
        assert upstream_of(s, use_(hold(made))) == ["use", "make"], holder


def test_what_the_user_typed_is_not_taken_for_a_result(s):
    make_, use_ = s.pipe(lambda x: x, name="make"), s.pipe(lambda *x: [str(x)], name="use")
    kept = [make_(x) for x in (3, "ok", True, None, 2.5, (), 257)]
    assert upstream_of(s, use_(3, "ok", True, None, float("2.5"), (), int("257"))) == ["use"]
    assert len(upstream_of(s, use_(kept[0]))) == 2


def test_nothing_is_forgotten_while_it_is_held_and_nothing_kept_when_it_is_not(s):
    s.pipe(double)
    tracker, f = s.home.tracker, s.pipes["double"]
    kept = [f(i) for i in range(50)] + [f(i + 0.5) for i in range(50)] + [f([i]) for i in range(50)]
    for i in range(5_000):
        f(i + 0.25)
        f("text " * (i % 7 + 1))
    assert all(rms.info(value).task.pipe.name == "double" for value in kept)
    assert len(tracker._held) < 2_000 and len(tracker.scalars) <= len(tracker._held)
    del kept
    tracker.let_go()
    assert not tracker._held and not tracker.scalars


def test_values_live_as_long_as_without_us(s):
    class Thing:
        pass

    make_ = s.pipe(lambda n: np.arange(n), name="make")
    thing = s.pipe(lambda: Thing(), name="thing", ignore="Thing")()
    array = make_(10_000)
    seen = [weakref.ref(array), weakref.ref(thing)]
    del array, thing
    gc.collect()
    assert [ref() for ref in seen] == [None, None] and not s.home.tracker._weak


@pytest.mark.whole_machine
def test_many_calls_leak_nothing(s):
    f = twice(s)
    for i in range(100_000):
        f(i + 0.5) if i % 2 else f(i)
    tracker = s.home.tracker
    assert len(tracker._held) <= 1_024 and len(tracker.scalars) <= 1_024 and len(tracker._weak) <= 1
    gc.collect()
    assert sum(type(thing).__name__ in ("Resource", "Origin", "State") for thing in gc.get_objects()) <= 1_100


def test_what_is_not_known_is_said(s):
    twice(s)(2)
    for unknown in (5, None, True, "ok", [1], object()):
        with pytest.raises(rms.RmsError, match="no resource is known behind this"):
            rms.info(unknown)


def test_what_came_in_and_goes_out_in_a_container_is_still_what_it_was(s):
    make_, pack = s.pipe(lambda: "a long text", name="make"), s.pipe(lambda x: [x, x], name="pack")
    made = make_()
    packed = pack(made)
    assert packed[0] is made and rms.info(made).task.call == "make()" and rms.info(packed).task.pipe.name == "pack"


def test_a_result_in_a_global_is_an_input(s):
    namespace = {"__name__": "__main__"}
    exec("def late(x):\n    return x * CUT\n", namespace)
    namespace["CUT"] = twice(s)(2)
    assert upstream_of(s, s.pipe(namespace["late"])(3.5)) == ["late", "double"]


def test_a_call_that_got_an_item_of_a_result_can_be_run_again(s):
    @s.pipe
    def pair():
        return [np.arange(3), {"a": np.ones(2)}]

    @s.pipe
    def total(x, *others):
        return float(x.sum() + sum(map(len, others)))

    first, second = pair()
    assert s.rerun(total(first)).content == 3.0 and s.rerun(total(first, second)).content == 4.0


def test_an_item_of_a_result_leads_to_it(s):
    pair = s.pipe(lambda: ([1, 2], {"a": "some text"}), name="pair")
    first, second = pair()
    assert rms.info(first).task.call == rms.info(second).task.call == "pair()"
    assert upstream_of(s, s.pipe(lambda x: len(x), name="use")(second["a"])) == ["use"], (
        "the items of its items are not followed"
    )


def test_the_last_run_when_no_list_is_given(s):
    check = s.pipe(lambda x: None if x else 1 / x, name="check")
    with s.plan() as plan:
        results = [check(x) for x in (1, 0, 2)]
    with pytest.raises(rms.PlanFailed):
        plan.run(n_jobs=1)
    table = rms.table()
    assert table["x"].tolist() == [1, 0, 2] and table.status.tolist() == ["done", "failed", "done"]
    assert len(rms.done()) == 2 and rms.done().left_out == rms.done(results).left_out == ("check(0)",)


# In a notebook ----------------------------------------------------------------------------------------------------


def test_in_a_notebook(kernel):
    kernel.run("import rms_jupyter as rms, numpy as np, pandas as pd")
    kernel.run(
        "%%rms\ndef find(x):\n    return None if x else [x]\ndef f(x):\n    return x * 3\n"
        "def load(n):\n    return pd.DataFrame({'a': range(n)})\ndef total(d):\n    return int(d.a.sum())"
    )
    for _ in range(2):
        assert kernel.run("find(1) is None").result == "True" and kernel.run("find(0)").result == "[0]"
        assert "[3]" in kernel.run("print([f(1)])").shown
        assert kernel.run("v = np.zeros(3); v[0] = f(np.float64(3)); v").result == "array([9., 0., 0.])"
        assert kernel.run("type(f(1.5)) == float, f(1)").result == "(True, 3)"
        kernel.run("d = load(4); d.loc[0, 'a'] = 1000")
        assert kernel.run("total(d), total(load(4))").result == "(1006, 6)"
        assert "<table" in kernel.run("load(2)").displays[0]["text/html"]
    kernel.run("x = load(4); t = total(x)")
    assert "total(" in kernel.run("%rms why t").shown and "a hit" in kernel.run("%rms why t").shown
    assert "load(4)" in kernel.run("%rms why x").shown
    assert "total(load(4))" in kernel.run("%rms show t").shown and "load(4)" in kernel.run("%rms show x").shown
    assert "load(n=4)" in kernel.run("%rms lineage t").result
    assert kernel.value("rms.info(t).task.hit, rms.info(t).content, rms.info(x).task.pipe.name") == "(True, 6, 'load')"
    assert kernel.run("t").result == "6"
    kernel.run("many = {'some': [load(4), 5]}; plain = 5")
    assert "this call was answered from the store" in kernel.run("%rms why many[some][0]").shown
    for untracked in ("plain", "many[some][1]"):
        assert "this int is not on record" in kernel.run(f"%rms show {untracked}").error


def test_a_run_gives_values(kernel):
    kernel.run("%%rms\ndef f(x):\n    return x * 3\ndef g(xs):\n    return sum(xs)")
    ran = kernel.run("%%rms run -j 2\nrs = [f(i) for i in range(4)]\nt = g(rs)\nby = {'a': rs[1], 'b': (rs[2], t)}")
    assert ran.ok
    assert kernel.value("rs, t, by") == "([0, 3, 6, 9], 18, {'a': 3, 'b': (6, 18)})"
    assert kernel.value("[type(x) == int for x in rs]") == "[True, True, True, True]"
    kernel.run("import rms_jupyter as rms")
    assert kernel.value("rms.info(rs[1]).task.call, rms.info(t).task.hit") == "('f(1)', False)"
    assert (
        re.search(r"f\(x=\d\) .*×4", kernel.run("%rms lineage t").result)
        and "f(3)" in kernel.run("%rms why rs[3]").shown
    )
