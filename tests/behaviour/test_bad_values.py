"""Bad values as arguments and as results: the call runs, is recorded, and what cannot be cached is said in one line."""

import collections
import dataclasses
import functools
import json
import subprocess
import sys
import textwrap
import threading
import weakref
from unittest import mock

import numpy as np
import pytest

import rms_jupyter as rms
from tests.conftest import soak


def in_itself():
    value = [1]
    value.append(value)
    return value


def twice_in_itself():
    value = [1]
    value += [value, value]
    return value


def dict_in_itself():
    value = {"a": 1}
    value["self"] = value
    return value


def mutual():
    one, other = {"name": "one"}, ["other"]
    one["other"] = other
    other.append(one)
    return other


def entangled():
    nodes = [[] for _ in range(60)]
    for node in nodes:
        node.extend(nodes)
    return nodes


def folded():
    """A value of 2**60 leaves, as it would be written out."""
    value = ["leaf"]
    for _ in range(60):
        value = [value, value]
    return value


def deep(levels=10_000):
    value = []
    for _ in range(levels):
        value = [value]
    return value


def deep_dict():
    value = {}
    for _ in range(10_000):
        value = {"inner": value}
    return value


def raising(*names):
    def raises(*args, **kwargs):
        raise RuntimeError("not with me")

    return type("Raising", (), {name: property(raises) if name == "__class__" else raises for name in names})()


class Answers:
    """Answers everything."""

    def __getattr__(self, name):
        return lambda *args, **kwargs: self


class OddDict(dict):
    def items(self):
        raise RuntimeError("not with me")

    values = __iter__ = keys = items


class OddList(list):
    def __iter__(self):
        raise RuntimeError("not with me")

    __getitem__ = __repr__ = __iter__


class OddText(str):
    def __str__(self):
        raise RuntimeError("not with me")

    __repr__ = __hash__ = __eq__ = __str__


class LyingDict:
    __class__ = dict


class LyingReference:
    __class__ = rms.Resource if hasattr(rms, "Resource") else int


@dataclasses.dataclass
class Half:
    x: int


def half():
    value = Half(1)
    del value.x
    return value


class Tensor:
    """Like a tensor of a library that is not supported: its memory is nobody's business."""

    shape, dtype, nbytes, device = (2, 3), "float32", 24, "gpu:0"

    def __reduce_ex__(self, protocol):
        return Tensor.of, (Storage(),)

    def __len__(self):
        return 2

    def __bool__(self):
        raise RuntimeError("the truth value of a tensor is ambiguous")

    def __eq__(self, other):
        return self

    __hash__ = None

    @staticmethod
    def of(storage):
        return Tensor()


class Nowhere:
    """Of a class that says of no module that it is from there, as extensions make them."""

    def __init__(self):
        self.items = [1]


Nowhere.__module__ = None


class Storage:
    def __reduce_ex__(self, protocol):
        raise RuntimeError("cannot pickle memory of the device")


BAD = {
    "list in itself": in_itself,
    "list twice in itself": twice_in_itself,
    "dict in itself": dict_in_itself,
    "mutual": mutual,
    "entangled": entangled,
    "folded": folded,
    "deep": deep,
    "deep dict": deep_dict,
    "eq": lambda: raising("__eq__"),
    "hash": lambda: raising("__hash__"),
    "repr": lambda: raising("__repr__", "__str__"),
    "reduce": lambda: raising("__reduce__"),
    "reduce_ex": lambda: raising("__reduce_ex__"),
    "getstate": lambda: raising("__getstate__"),
    "nowhere": Nowhere,
    "class": lambda: raising("__class__"),
    "len": lambda: raising("__len__", "__iter__", "__bool__"),
    "sizeof": lambda: raising("__sizeof__"),
    "getattribute": lambda: raising("__getattribute__"),
    "getattr": lambda: raising("__getattr__"),
    "everything": lambda: raising("__eq__", "__hash__", "__repr__", "__reduce_ex__", "__class__", "__getattribute__", "__bool__", "__len__"),
    "answers": Answers,
    "mock": mock.Mock,
    "magic mock": mock.MagicMock,
    "mock of a dict": lambda: mock.Mock(spec=dict),
    "mock of an array": lambda: mock.Mock(spec=np.ndarray),
    "odd dict": lambda: OddDict(a=1),
    "odd list": lambda: OddList([1]),
    "odd text": lambda: OddText("a"),
    "lying dict": LyingDict,
    "lying reference": LyingReference,
    "half a dataclass": half,
    "weakref": lambda: weakref.ref(Half),
    "weak dict": lambda: weakref.WeakValueDictionary(),
    "lock": threading.Lock,
    "thread": threading.current_thread,
    "frame": sys._getframe,
    "module": lambda: json,
    "ellipsis": lambda: ...,
    "builtin": lambda: len,
    "lru_cache": lambda: functools.lru_cache(lambda: 1),
    "tensor": Tensor,
    "released": lambda: _released(),
    "surrogates": lambda: "\ud800" * 3,
    "nul": lambda: "a\0b",
    "long number": lambda: 7**20_000,
    "defaultdict": lambda: collections.defaultdict(lambda: 1),
}  # fmt: skip


def _released():
    view = memoryview(bytearray(b"a"))
    view.release()
    return view


def kind(x, as_well=None):
    return type(x).__name__


def give(name):
    return BAD[name]()


@pytest.mark.filterwarnings("default::rms_jupyter.errors.RmsWarning")
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_bad_argument(s, name, wrapped, recwarn):
    value = BAD[name]()
    pipe = s.register_pipe(kind)
    argument = {"list": [value], 1: (value,)} if wrapped else value
    one, again = pipe(argument), pipe(argument)
    assert one.content == again.content == ("dict" if wrapped else type(value).__name__)
    told = [str(w.message) for w in recwarn if issubclass(w.category, rms.RmsWarning)]
    assert again.task.hit != bool(told), told
    assert len(told) <= 1 and all("runs each time" in text and len(text) < 400 for text in told)
    assert [task.status for task in s.tasks()] == ["done"] * (1 if again.task.hit else 2)
    assert all(task.call for task in s.tasks())
    assert s.sql("SELECT count(*) FROM tasks").fetchall()[0][0] == len(s.tasks())


@pytest.mark.filterwarnings("default::rms_jupyter.errors.RmsWarning")
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", BAD)
def test_a_bad_argument_in_a_plan(s, name):
    value = BAD[name]()
    pipe = s.register_pipe(kind)
    with s.plan() as plan:
        result = pipe([value])
    assert plan.run(n_jobs=1).counts == {"done": 1}
    assert result.content == "list"


@pytest.mark.filterwarnings("default::rms_jupyter.errors.RmsWarning")
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", BAD)
def test_a_bad_result(s, name):
    give_, kind_ = s.register_pipe(give, ignore="BAD"), s.register_pipe(kind)
    result = give_(name)
    assert result.task.status == "done"
    expected = type(BAD[name]()).__name__
    assert type(result.content).__name__ == expected
    assert kind_(result).content == expected
    assert give_(name).task.hit and isinstance(repr(result), str)
    if not name.startswith(("list", "dict", "mutual", "entangled", "folded", "deep")):
        result._repr_mimebundle_()


@pytest.mark.filterwarnings("default::rms_jupyter.errors.RmsWarning")
def test_values_too_deep_or_odd_say_which_part_and_why(s):
    pipe = s.register_pipe(kind)
    for value, reason in [
        (deep(), "x: list is nested too deeply"),
        (raising("__reduce__"), r"x: .*Raising cannot be described \(not with me\)"),
        (Tensor(), r"x: .*Storage cannot be described \(cannot pickle memory of the device\)"),
        (threading.Lock(), r"x: _thread.lock cannot be described"),
    ]:
        s.place._said.clear()
        with pytest.warns(rms.RmsWarning, match=f'kind runs each time, .*: {reason}.*@rms.pipe\\(ignore="x"\\)'):
            pipe(value)


def test_a_list_inside_itself_is_the_same_call_each_time(s):
    pipe = s.register_pipe(kind)
    for make in (in_itself, twice_in_itself, dict_in_itself, mutual):
        assert not pipe(make()).task.hit and pipe(make()).task.hit


LARGE = """
import resource, time
import rms_jupyter as rms

def count(d):
    return len(d)

n = {count}
d = {make}
s = rms.open({store!r})
pipe = s.register_pipe(count)
pipe({{"a": 1}})
before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
assert pipe(d).content == n
seconds, peak = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
assert pipe(d).task.hit
s.close()
print(seconds, peak / 1024)
"""


@pytest.mark.soak
@pytest.mark.whole_machine
@pytest.mark.timeout(900)
@pytest.mark.parametrize("make", ["{{f'key{{i}}': i for i in range(n)}}", "{{(i, str(i)): [i] for i in range(n)}}"])
def test_a_dict_of_millions(tmp_path, make):
    count = 10_000_000 if soak() else 300_000
    code = LARGE.format(count=count, make=make.replace("{{", "{").replace("}}", "}"), store=str(tmp_path / "a.rms"))
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    seconds, megabytes = map(float, run.stdout.split())
    print(f"{count:,} items: {seconds:.1f} s, {megabytes:.0f} MB")
    assert megabytes < count * 400 / 1e6 + 200, "less than the dict itself"
    assert seconds < count * 20e-6 + 5
