"""What makes two values the same, as calls show it: hits where nothing changed, in the next kernel too, and no others."""

import ctypes
import dataclasses
import functools
import os

import numpy as np
import pandas as pd
import pytest

import rms_jupyter as rms


@pytest.fixture
def runs(s):
    """Say whether a call with a value runs."""

    @s.register_pipe
    def same(value):
        return 1

    return lambda value: int(not same(value).task.hit)


@dataclasses.dataclass
class Late:
    name: str
    length: int = dataclasses.field(init=False)


class Measured(np.ndarray):
    unit = None


class Odd:
    def __dask_tokenize__(self):
        return os.urandom(8)


class Sensor:
    def __init__(self, name):
        self.name, self.wire = name, iter([])


class Unsteady:
    """Pickled with a number that is never the same."""

    def __getstate__(self):
        return {"number": os.urandom(8)}


def spread(x):
    return x.max() - x.min()


def width(x):
    return x.max() - x.min()


def test_a_function_passed_as_data_counts_with_its_name(s):
    @s.register_pipe
    def summary(how):
        return list(pd.DataFrame({"a": [1, 3]}).agg([how]).index)

    assert summary(spread).content == ["spread"]
    assert summary(width).content == ["width"]


@pytest.mark.parametrize("by", ["default", "closure", "global", "partial"])
def test_a_function_in_the_code_counts_with_its_name(s, by):
    def make(how):
        if by == "default":

            def named(n, how=how):
                return n, how.__name__

        elif by == "closure":

            def named(n):
                return n, how.__name__

        elif by == "partial":

            def call(how, n):
                return n, how.__name__

            named = functools.partial(call, how)
        else:
            namespace = {"how": how, "__name__": "__main__"}
            exec("def named(n): return n, how.__name__", namespace)
            named = namespace["named"]
        return s.register_pipe(named, name="named")

    assert make(spread)(1).content == (1, "spread")
    assert make(width)(1).content == (1, "width")


def test_dicts_count_with_their_order_and_a_miss_by_it_says_so(s):
    @s.register_pipe
    def names(data):
        return list(data)

    names({"a": 1, "b": {"c": 1, "d": 2}})
    assert names({"b": {"c": 1, "d": 2}, "a": 1}).content == ["b", "a"]
    again = names({"a": 1, "b": {"d": 2, "c": 1}})
    assert "data.b has its items in another order" in str(s.why(again))
    assert names({"a": 1, "b": {"c": 1, "d": 2}}).task.hit


def test_unset_fields_are_no_obstacle(runs):
    late = Late("a")
    assert (runs(late), runs(Late("a"))) == (1, 0)
    late.length = 1
    assert runs(late) == 1


@pytest.mark.parametrize(
    "value",
    [
        np.dtype("f8"),
        np.void(b"abc"),
        pd.offsets.MonthEnd(1),
        type("Made", (), {"__module__": None}),
        b"",
        memoryview(b"abc"),
        (ctypes.c_int * 3)(1, 2, 3),
        np.ma.array([1, 2], mask=[0, 1], hard_mask=True),
        pd.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False),
        np.zeros(2, np.dtype("f8", metadata={"unit": "m"})),
        np.zeros(2, np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_returned_is_kept_exactly(s, reopen, value):
    def make(session):
        return session.register_pipe(lambda: value, name="make", ignore=("value",))

    first = make(s)()
    later = make(reopen(s))()
    assert later.task.hit and later.digest == first.digest
    assert type(later.content) is type(value) or isinstance(value, type)


def lying(order, is_frozen):
    made = np.array(np.arange(10_000.0).reshape(100, 100), order=order)
    made.flags.writeable = not is_frozen
    return made


def test_large_arrays_of_one_content_lie_in_memory_as_they_were_returned(s, reopen):
    ways = [(order, is_frozen) for order in "CF" for is_frozen in (False, True)]
    for session in (s, reopen):
        pipe = (session(s) if session is reopen else session).pipe(lying)
        for order, is_frozen in ways:
            found = pipe(order, is_frozen)
            assert (found.flags.f_contiguous, found.flags.writeable) == (order == "F", not is_frozen)
            assert np.array_equal(found, lying("C", False))


def test_what_cannot_be_kept_exactly_is_returned_and_said(s):
    def measure():
        made = np.arange(3.0).view(Measured)
        made.unit = "m"
        return made

    with pytest.warns(rms.RmsWarning, match=r"measure: the result is not kept .* cannot be kept exactly"):
        assert s.register_pipe(measure)().content.unit == "m"


def test_a_digest_that_does_not_hold_is_no_digest_and_says_what_to_do(s, runs):
    with pytest.warns(rms.RmsWarning, match=r"another once it was pickled; say what counts: rms.digest_by\(Unsteady"):
        assert runs(Unsteady()) == 1


def test_users_say_how_a_type_of_theirs_is_digested(runs):
    with pytest.warns(rms.RmsWarning, match="can be read only once"):
        assert runs(Sensor("a")) == 1
    rms.digest_by(Sensor, lambda sensor: sensor.name)
    assert [runs([Sensor(name)]) for name in "aab"] == [1, 0, 1]

    class Camera(Sensor):
        pass

    assert [runs(Camera(name)) for name in "aa"] == [1, 0]
    with pytest.raises(rms.RmsError, match="how int is digested is settled"):
        rms.digest_by(int, str)


def test_what_a_type_says_of_itself_to_dask_is_honoured(runs):
    class Table:
        def __init__(self, version):
            self.version, self.wire = version, iter([])

        def __dask_tokenize__(self):
            return self.version

    assert [runs(Table(version)) for version in (1, 1, 2)] == [1, 0, 1]


def test_instances_that_hold_a_pipe_have_digests(s, runs):
    class Model:
        def __init__(self, rate, step):
            self.rate, self.step = rate, step

    steps = [s.register_pipe(spread), s.register_pipe(spread), s.register_pipe(width)]
    assert [runs(Model(1, step)) for step in steps] == [1, 0, 1]
    assert runs(Model(2, steps[0])) == 1


def test_check_verify_names_digests_that_do_not_hold(s):
    @s.register_pipe
    def make():
        return Odd()

    make()
    report = s.check(verify=1)
    assert any("does not hold" in row["problem"] and "digest_by(Odd" in row["what to do"] for row in report)
