"""What code runs: rebinding within a cell, modules that were edited, things that are no plain function, async functions."""

import asyncio
import collections
import contextlib
import functools
import importlib
import importlib.metadata
import linecache
import operator
import os.path
import random
import signal
import statistics
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

import rms_jupyter as rms
from rms_jupyter.run.call import draws
from rms_jupyter.run.call.cell_runtime import Cell
from tests.behaviour.test_edits import Notebook


def defined(text, name="f"):
    notebook = Notebook()
    notebook.run(text)
    return notebook.names[name], notebook


# In one cell, or a script: nothing is run again, and still each call runs what the code is then ----------------------


REBOUND = {
    "helper": ("def helper(x):\n    return x\ndef f(x):\n    return helper(x)", "def helper(x):\n    return -x"),
    "built-in shadowed": ("def f(x):\n    return abs(x)", "def abs(x):\n    return -x"),
    "class attribute": ("class A:\n    n = 1\ndef f(x):\n    return x + A.n", "A.n = 2"),
    "class attribute changed in place": ("class A:\n    n = [1]\ndef f(x):\n    return x + A.n[-1]", "A.n.append(2)"),
    "method added to a class": ("class B:\n    n = 1\nclass A(B):\n    pass\ndef f(x):\n    return x + A.n", "A.n = 2"),
    "default changed in place": ("def f(x, ys=[1]):\n    return x + ys[-1]", "f.__defaults__[0].append(2)"),
    "global changed in place": ("ys = [1]\ndef f(x):\n    return x + ys[-1]", "ys.append(2)"),
    "global becomes a function": ("h = [1]\ndef f(x):\n    return str(type(h))", "def h(): pass"),
    "closure cell": ("def make():\n    k = 1\n    def f(x):\n        return x + k\n    def set(v):\n        nonlocal k\n        k = v\n    return f, set\nf, set = make()", "set(2)"),
    "closure cell with a function": ("def make():\n    k = lambda: 1\n    def f(x):\n        return x + k()\n    def set(v):\n        nonlocal k\n        k = v\n    return f, set\nf, set = make()", "set(lambda: 2)"),
    "closure list": ("def make(k):\n    def f(x):\n        return x + k[-1]\n    return f\nks = [1]\nf = make(ks)", "ks.append(2)"),
    "closure cell filled later": ("def make():\n    def f(x):\n        try:\n            return k\n        except NameError:\n            return x\n    def set(v):\n        nonlocal k\n        k = v\n    if 0:\n        k = 0\n    return f, set\nf, set = make()", "set(2)"),
    "an implementation registered": ("import functools\n@functools.singledispatch\ndef h(x):\n    return x\ndef f(x):\n    return h(x)", "@h.register\ndef _(x: int):\n    return -x"),
    "another implementation registered": ("import functools\n@functools.singledispatch\ndef h(x):\n    return x\n@h.register\ndef _(x: int):\n    return x + 1\ndef f(x):\n    return h(x)", "@h.register\ndef _(x: int):\n    return -x"),
    "asked of a class that answers anything": ("class Any(type):\n    def __getattr__(cls, name):\n        return n\nclass A(metaclass=Any):\n    pass\nn = 1\ndef f(x):\n    return x + A.whatever", "n = 2"),
    "a class made from a class": ("class A:\n    n = 1\ndef f(x):\n    return x + sum(k.n for k in A.__subclasses__())", "class B(A):\n    n = 5"),
    "a class made from one that a class asks for": ("class A:\n    n = 1\n    @classmethod\n    def all(cls):\n        return sum(k.n + k.all() for k in cls.__subclasses__())\nclass B(A):\n    pass\ndef f(x):\n    return x + A.all()", "class C(B):\n    n = 5"),
    "put among the names of Python": ("import builtins\nbuiltins.lab_n = 1\ndef f(x):\n    return x + lab_n", "builtins.lab_n = 2"),
    "added to the names of Python": ("import builtins\nvars(builtins).pop('lab_m', 0)\ndef f(x):\n    try:\n        return lab_m(x)\n    except NameError:\n        return x", "builtins.lab_m = lambda x: -x"),
    "state of a callable object": ("class A:\n    n = 1\n    def __call__(self, x):\n        return x + self.n\nf = A()", "f.n = 2"),
}  # fmt: skip


@pytest.mark.parametrize("case", REBOUND)
def test_what_is_rebound_or_mutated_between_two_calls_is_seen(s, case):
    before, change = REBOUND[case]
    function, notebook = defined(before)
    f = s.register_pipe(function, name="f")
    assert not f(3).task.hit and f(3).task.hit
    notebook.run(change)
    again = f(3)
    assert not again.task.hit and again.content == function(3)
    assert "changed" in again.task.reason
    assert f(3).task.hit


# Modules ---------------------------------------------------------------------------------------------------------------


def test_a_module_that_is_edited_and_not_reloaded_still_runs_and_says_so_once(s, write_lab):
    write_lab("def helper(x):\n    return x + 1\n")
    function, _ = defined("import lab\ndef f(x):\n    return lab.helper(x)")
    f = s.register_pipe(function)
    assert f(3).content == 4
    write_lab("# longer\ndef helper(x):\n    return x + 1\n")
    s.place.enter(Cell())
    assert f(3).task.hit
    write_lab("def helper(x):\n    return x + 2\n")
    s.place.enter(Cell())
    with pytest.warns(rms.RmsWarning, match=r"lab.py was edited, and f still runs the code.*importlib.reload") as said:
        assert f(3).task.hit
        s.place.enter(Cell())
        assert f(3).task.hit
        assert f(4).content == 5
    assert len(said) == 1
    importlib.reload(sys.modules["lab"])
    s.place.enter(Cell())
    again = f(3)
    assert again.content == 5 and again.task.reason == "code_changed lab.helper"


def test_a_module_that_is_edited_before_its_first_use_is_described_as_it_runs(s, write_lab):
    write_lab("def helper(x):\n    return x + 1\n")
    function, _ = defined("import lab\ndef f(x):\n    return lab.helper(x)")
    write_lab("def helper(x):\n    return x + 20\n")
    f = s.register_pipe(function)
    with pytest.warns(rms.RmsWarning, match=r"lab.py was edited"):
        assert f(3).content == 4
    importlib.reload(sys.modules["lab"])
    s.place.enter(Cell())
    assert f(3).content == 23


def test_a_module_whose_file_is_gone_still_runs(s, write_lab, tmp_path):
    write_lab("def helper(x):\n    return x + 1\ndef other(x):\n    return -x\n")
    function, _ = defined("import lab\ndef f(x):\n    return lab.helper(x)")
    f = s.register_pipe(function)
    assert f(3).content == 4
    (tmp_path / "lab.py").unlink()
    s.place.enter(Cell())
    assert f(3).task.hit and f(4).content == 5
    other = s.register_pipe(sys.modules["lab"].other)
    assert other(3).content == -3 and other(3).task.hit
    del sys.modules["lab"]
    s.place.enter(Cell())
    assert f(3).task.hit and other(3).task.hit


def test_a_local_module_that_is_imported_inside_makes_one_version(s, write_lab, tmp_path):
    (tmp_path / "deep.py").write_text("def g(x):\n    return x + 1\n")
    write_lab("import deep\ndef helper(x):\n    return deep.g(x)\n")
    text = "def f(x):\n    import lab\n    return lab.helper(x)"
    try:
        f = s.register_pipe(defined(text)[0])
        assert f(3).content == 4
        s.place.enter(Cell())
        assert f(3).task.hit
        (tmp_path / "deep.py").write_text("def g(x):\n    return x + 200\n")
        for name in ("lab", "deep"):
            del sys.modules[name]
        again = s.register_pipe(defined(text)[0])(3)
        assert again.content == 203 and again.task.reason == "code_changed deep.g"
    finally:
        sys.modules.pop("deep", None)


def test_an_upgraded_package_is_named_with_both_versions(s, tmp_path, monkeypatch):
    site = tmp_path / "site-packages"
    (site / "acme").mkdir(parents=True)
    (site / "acme" / "__init__.py").write_text("def helper(x):\n    return x + 1\n")
    info = site / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(site))
    from rms_jupyter.fingerprint import origin

    text = "import acme\ndef f(x):\n    return acme.helper(x)"
    inside = "def f(x):\n    import acme\n    return acme.helper(x)"
    try:
        first = s.register_pipe(defined(inside)[0], name="inside")(3)
        assert first.task.pipe.parts["acme"] == "1.0"
        assert s.register_pipe(defined(inside)[0], name="inside")(3).task.hit
        assert s.register_pipe(defined(text)[0])(3).task.pipe.parts["acme"] == "1.0"
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 2.0\n")
        del sys.modules["acme"]
        importlib.invalidate_caches()
        origin._installed_version.cache_clear()
        again = s.register_pipe(defined(text)[0])(3)
        assert again.task.reason == "code_changed acme 1.0 → 2.0"
        assert s.register_pipe(defined(text)[0], ignore="acme")(3).task.reason == "code_changed acme removed"
    finally:
        sys.modules.pop("acme", None)
        origin._installed_version.cache_clear()


def test_in_another_folder_the_file_at_a_relative_path_decides(s, tmp_path, monkeypatch):
    def size(path):
        return os.path.getsize(path)

    f = s.register_pipe(size)
    for folder, text in (("a", "x"), ("b", "xx"), ("c", "x")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "t.txt").write_text(text)
    contents = []
    for folder in "abca":
        monkeypatch.chdir(tmp_path / folder)
        contents.append(f("t.txt").content)
    assert contents == [1, 2, 1, 1]
    assert f("t.txt").task.hit


# What is no plain function ------------------------------------------------------------------------------------------------


class Scale:
    unit = 1

    def __init__(self, k):
        self.k = k

    def __call__(self, x):
        return x * self.k * self.unit

    def times(self, x):
        return x * self.k

    @classmethod
    def once(cls, x):
        return x * cls.unit

    @staticmethod
    def twice(x):
        return 2 * x


@functools.singledispatch
def dispatched(x):
    return 0


@dispatched.register
def _(x: int):
    return x


NP = f"numpy {np.__version__}"
PYTHON = f"Python {sys.version_info.major}.{sys.version_info.minor}"
CALLABLES = {
    "a function of numpy": (np.linalg.det, (np.eye(2),), 1.0, "det", NP),
    "a function of numpy written in C": (np.dot, ([1, 2], [3, 4]), 11, "dot", NP),
    "a ufunc": (np.hypot, (3, 4), 5.0, "hypot", NP),
    "a random function of numpy": (np.random.normal, (3.0, 0.0), 3.0, "normal", NP),
    "a function of Python": (statistics.mean, ([1, 2],), 1.5, "mean", PYTHON),
    "a built-in": (max, (3, 4), 4, "max", PYTHON),
    "a method of a hidden object": (random.randint, (3, 3), 3, "randint", PYTHON),
    "a class of Python": (collections.Counter, ("aab",), collections.Counter("aab"), "Counter", PYTHON),
    "a class": (Scale, (2,), None, "Scale", "class Scale"),
    "a class method": (Scale.once, (3,), 3, "once", "once"),
    "a static method": (Scale.twice, (3,), 6, "twice", "twice"),
    "a bound method": (Scale(2).times, (3,), 6, "times", "times.__self__"),
    "a bound method of a list": ([3, 1].index, (1,), 1, "index", "index state"),
    "a lambda": (lambda x: x + 1, (3,), 4, "<lambda>", "<lambda>"),
    "a partial": (functools.partial(pow, 2), (3,), 8, "pow", "pow partial"),
    "a partial of a partial": (functools.partial(functools.partial(Scale.twice)), (3,), 6, "twice", "twice"),
    "a callable object": (Scale(2), (3,), 6, "Scale", "Scale.k"),
    "a callable object of Python": (operator.itemgetter(1), ([3, 4],), 4, "itemgetter", "itemgetter state"),
    "a function dispatched by type": (dispatched, (3,), 3, "dispatched", "dispatched[int]"),
    "a cached function": (functools.lru_cache(Scale.twice), (3,), 6, "twice", "twice"),
    "np.vectorize": (np.vectorize(Scale.twice), (3,), 6, "twice", "twice state"),
}


@pytest.mark.parametrize("case", CALLABLES)
def test_whatever_can_be_called_can_be_a_pipe(s, case, reopen):
    function, args, expected, name, part = CALLABLES[case]
    np.random.set_bit_generator(np.random.MT19937())  # As in a new kernel: tests before may have seeded it.
    draws.shared_generators.cache_clear()
    s = reopen(s)
    f = s.register_pipe(function)
    first = f(*args)
    assert f.name == name and not first.task.hit
    assert expected is None or rms.value(first) == expected
    assert part in {*first.task.pipe.parts, *(f"{n} {v}" for n, v in first.task.pipe.parts.items())}
    again = reopen(s).register_pipe(function)(*args)
    assert again.task.hit and (expected is None or rms.value(again) == expected)


PAIRS = {
    "functions of one package": (np.linalg.det, np.linalg.inv, (np.eye(2) * 2,)),
    "functions of Python": (os.path.basename, os.path.dirname, ("a/b",)),
    "built-ins": (min, max, (1, 2)),
    "ufuncs": (np.add, np.multiply, (3, 3)),
    "callable objects": (Scale(2), Scale(3), (3,)),
    "bound methods": (Scale(2).times, Scale(3).times, (3,)),
    "partials": (functools.partial(pow, 2), functools.partial(pow, 3), (3,)),
    "getters": (operator.itemgetter(0), operator.itemgetter(1), ([3, 4],)),
    "vectorized": (np.vectorize(lambda x: x), np.vectorize(lambda x: -x), (3,)),
    "cached": (functools.lru_cache(lambda x: x), functools.lru_cache(lambda x: -x), (3,)),
    "lambdas": (lambda x: x, lambda x: -x, (3,)),
}


@pytest.mark.parametrize("case", PAIRS)
@pytest.mark.parametrize("how", ["registered", "as an argument", "in an argument", "as a global"])
def test_two_things_that_can_be_called_are_never_taken_for_one_another(s, case, how):
    *functions, args = PAIRS[case]
    contents = []
    for function in functions:
        s.place.enter(Cell())
        if how == "registered":
            result = s.register_pipe(function, name="f")(*args)
        elif how == "as a global":
            caller, notebook = defined("def f(*args):\n    return g(*args)")
            notebook.names["g"] = function
            result = s.register_pipe(caller)(*args)
        else:
            given = [function] if how == "in an argument" else function
            result = s.register_pipe(lambda g, *args: (g[0] if type(g) is list else g)(*args), name="f")(given, *args)
        assert not result.task.hit
        contents.append(result.content)
    for content, function in zip(contents, functions, strict=True):
        assert np.array_equal(content, function(*args))


def test_a_ufunc_made_of_a_function_has_no_description(s):
    f = s.register_pipe(np.frompyfunc(lambda x: x + 1, 1, 1), name="f")
    with pytest.warns(rms.RmsWarning, match="f runs each time"):
        assert f(3).content == 4
    f = s.register_pipe(np.frompyfunc(lambda x: x + 2, 1, 1), name="f")
    assert f(3).content == 5


def test_pipes_in_a_class(s):
    class Model:
        def __init__(self, k):
            self.k = k

        @s.pipe
        def fit(self, x):
            return x * self.k

        @classmethod
        @s.pipe
        def new(cls, x):
            return x + 1

        @staticmethod
        @s.pipe
        def plain(x):
            return x + 2

    assert [Model(2).fit(3), Model(3).fit(3), Model.new(3), Model.plain(3)] == [6, 9, 4, 5]
    assert rms.info(Model(2).fit(3)).task.hit
    with pytest.raises(rms.RegistrationError, match="classmethod is not callable\n→ write @classmethod above"):
        s.register_pipe(vars(Model)["new"])


def test_functions_without_source(s, reopen):
    def made(text):
        names = {"__name__": "__main__"}
        exec(text, names)
        return names["f"]

    f = s.register_pipe(made("def f(x):\n    return x + 1"))
    assert f(3).content == 4
    assert s.register_pipe(made("\n\n# moved\ndef f(x):\n    'Add.'\n    return x + 1"))(3).task.hit
    assert s.register_pipe(made("def f(x):\n    return x + 2"))(3).task.reason == "code_changed f"
    text = "class A:\n    def fit(self, x):\n        return {}\ndef f(x):\n    return A().fit(x)"
    assert s.register_pipe(made(text.format("x")), name="g")(3).content == 3
    assert s.register_pipe(made(text.format("-x")), name="g")(3).task.reason == "code_changed A.fit"
    assert reopen(s).register_pipe(made("def f(x):\n    return x + 1"))(3).task.hit


# Late binding ----------------------------------------------------------------------------------------------------------


def test_a_function_made_in_a_loop_over_what_it_refers_to_is_refused(s):
    def in_for():
        for k in (1, 2):
            s.register_pipe(lambda x: x * k, name="f")

    def in_tuple():
        for _, (k, _) in ((1, (2, 3)),):
            s.register_pipe(lambda x: x * k, name="f")

    def in_comprehension():
        return [s.register_pipe(lambda x: x * k, name="f") for k in (1, 2)]

    def in_while():
        k = 0
        while k < 2:
            k += 1

            @s.pipe
            def f(x):
                return x * k

    def in_body():
        for j in (1, 2):
            k = j * 2
            s.register_pipe(functools.partial(lambda y, x: x * k, 1), name="f")

    def by_helper():
        def register(function):
            return s.register_pipe(function, name="f")

        for k in (1, 2):
            register(lambda x: (lambda: x * k)())

    for made in (in_for, in_tuple, in_comprehension, in_while, in_body, by_helper):
        with pytest.raises(rms.RegistrationError, match=r"refers to k, which the loop .*\n→ .*k=k.*partial"):
            made()


@pytest.mark.parametrize("line", ["for k in (1, 2):\n    ", "for i, k in enumerate('ab'):\n    if i:\n        "])
def test_at_the_top_of_a_cell_too(s, line):
    notebook = Notebook()
    notebook.names["s"] = s
    for text in ("s.register_pipe(lambda x: x * k, name='f')", "f = s.pipe(lambda x: [k for _ in x])"):
        with pytest.raises(rms.RegistrationError, match="refers to k, which the loop"):
            notebook.run(line + text)


def test_ordinary_closures_and_loops_are_fine(s):
    def make(k):
        return s.register_pipe(lambda x: x * k, name="f")

    def default():
        return [s.register_pipe(lambda x, k=k: x * k, name="f") for k in (1, 2)]

    def partial():
        return [s.register_pipe(functools.partial(lambda k, x: x * k, k), name="f") for k in (1, 2)]

    def left_at_once():
        for k in (1, 2):
            if k == 2:
                return [make(1), s.register_pipe(lambda x: x * k, name="f")]
        return []

    def before_the_loop():
        k = 2
        pipes = [make(1), s.register_pipe(lambda x: x * k, name="f")]
        for _ in range(3):
            k = 2
        return pipes

    def other_names():
        pipes = []
        for j in (1, 2):
            pipes.append(make(j))
        return pipes

    for made in (default, partial, left_at_once, before_the_loop, other_names, lambda: [make(k) for k in (1, 2)]):
        assert [f(3).content for f in made()] == [3, 6]
    notebook = Notebook()
    notebook.names["s"] = s
    notebook.run(
        "LIMIT = 2\ndef g(x):\n    return x * LIMIT\nfor n in (1, 2):\n    f = s.register_pipe(g)\n    r = f(n)"
    )
    notebook.run("def g(x):\n    return x * n\nfor n in (1, 2):\n    f = s.register_pipe(g)\n    r = f(10)")
    assert notebook.names["r"].content == 20


# Async functions --------------------------------------------------------------------------------------------------------


async def double(x):
    print("doubling")
    await asyncio.sleep(0)
    return 2 * x


async def twice(x):
    return await double(await double(x))


def test_an_async_function_runs_to_its_end(s, capsys, reopen):
    f = s.register_pipe(double)
    assert f(3).content == 6 and f(3).task.hit
    assert capsys.readouterr().out == "doubling\n"
    assert s.sql("SELECT text FROM logs").fetchall() == [("doubling\n",)]
    g = s.register_pipe(twice)
    assert g(f(1)).content == 8
    assert [node.id for node in s.lineage(g(f(1)), down=False).tasks][-1] == f(1).task.id
    assert reopen(s).register_pipe(double)(3).task.hit


def test_its_result_can_be_awaited(s):
    f, valued = s.register_pipe(double), s.register_pipe(double, returns="value", name="valued")

    async def cell():
        first = await f(3)
        assert (first.content, first.task.hit) == (6, False)
        assert [r.content for r in await asyncio.gather(f(3), f(4))] == [6, 8]
        assert await valued(5) == 10
        assert (await s.run(f, [3])).task.hit

    asyncio.run(cell())


def test_async_functions_in_a_plan(s):
    f = s.register_pipe(double)
    with s.plan() as plan:
        a = f(3)
        b = f(a)

        async def cell():
            return await f(b)

        c = asyncio.run(cell())
    assert plan.run(n_jobs=2).counts == {"done": 3}
    assert c.content == 24
    with s.plan() as plan:
        d = f(100)
    plan.run(n_jobs=1)
    assert d.content == 200


def test_async_functions_call_pipes_as_plain_functions(s):
    inner = s.register_pipe(double)

    async def outer(x):
        return 1 + await inner(x)

    assert s.register_pipe(outer, ignore="inner")(3).content == 7
    assert [task.pipe.name for task in s.tasks()] == ["outer"]


def test_the_exception_of_an_async_function_passes_unchanged(s):
    async def fail(x):
        await asyncio.sleep(0)
        raise ValueError(x)

    with pytest.raises(ValueError) as caught:
        s.register_pipe(fail)(3)
    assert [entry.name for entry in caught.traceback][-1] == "fail"
    [(trace,)] = s.sql("SELECT traceback FROM logs").fetchall()
    assert "in fail" in trace and "asyncio/" not in trace


@pytest.mark.parametrize("heard_by", ["the process", "another thread"])
def test_an_interrupt_cancels_an_async_function(s, heard_by):
    ends = []

    def interrupt():
        os.kill(os.getpid(), 2) if heard_by == "the process" else signal.pthread_kill(threading.get_ident(), 2)

    async def wait(x):
        threading.Timer(0.2, interrupt).start()
        try:
            await asyncio.sleep(60)
        finally:
            ends.append(x)

    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        s.register_pipe(wait, ignore=("ends", "interrupt"))(3)
    assert ends == [3] and time.monotonic() - begin < 30


def test_an_async_generator_is_refused(s):
    async def items():
        yield 1

    with pytest.raises(rms.RegistrationError, match=r"items is an async generator.*\n→ return a list"):
        s.register_pipe(items)


# Bad input ------------------------------------------------------------------------------------------------------------------


class Hostile:
    def __eq__(self, other):
        raise RuntimeError("eq")

    def __hash__(self):
        raise RuntimeError("hash")

    def __bool__(self):
        raise RuntimeError("bool")

    def __repr__(self):
        raise RuntimeError("repr")


class Unpicklable(Hostile):
    def __reduce_ex__(self, protocol):
        raise RuntimeError("reduce")


class Secretive(Hostile):
    def __getattr__(self, name):
        raise RuntimeError(f"getattr {name}")

    def __call__(self):
        return 1


def as_default(thing):
    return lambda x, y=thing: (x, type(y).__name__)


def as_closure(thing):
    return lambda x: (x, type(thing).__name__)


def as_global(thing):
    function, notebook = defined("def f(x):\n    return (x, type(thing).__name__)")
    notebook.names["thing"] = thing
    return function


def as_class_attribute(thing):
    class Model:
        held = thing

    return lambda x: (x, type(Model.held).__name__)


@pytest.mark.parametrize("place", [as_default, as_closure, as_global, as_class_attribute])
@pytest.mark.parametrize("kind", [Hostile, Unpicklable, Secretive, threading.Lock])
def test_hostile_objects_cost_a_hit_at_most(s, place, kind):
    thing = kind()
    f = s.register_pipe(place(thing), name="f")
    with contextlib.ExitStack() as stack:
        if kind in (Unpicklable, threading.Lock):
            said = stack.enter_context(pytest.warns(rms.RmsWarning, match=r"f runs each time.*(y|thing|Model.held)"))
        results = [f(3), f(3), f(4)]
    assert [rms.value(r)[0] for r in results] == [3, 3, 4]
    assert {rms.value(r)[1] for r in results} == {type(thing).__name__}
    if kind in (Unpicklable, threading.Lock):
        assert len(said) == 1 and not results[1].task.hit
    else:
        assert results[1].task.hit
    assert len(s.tasks(pipe="f")) == sum(not r.task.hit for r in results)


def test_a_function_that_refers_to_a_deleted_module(s, write_lab):
    function, notebook = defined("def f(x):\n    import gone\n    return x")
    with pytest.raises(ModuleNotFoundError, match="gone"):
        s.register_pipe(function)(3)
    assert s.tasks()[0].status == "failed"
    linecache.clearcache()
    assert s.register_pipe(defined("def f(x):\n    from . import gone\n    return x")[0], name="g") is not None


# On a real kernel -------------------------------------------------------------------------------------------------------


REGISTER = """
REGISTER = {}
class Base:
    def __init_subclass__(cls):
        REGISTER[cls.__name__] = cls
class A(Base):
    n = 1
class B(Base):
    n = 2
def f(x):
    return x + sum(cls.n for cls in REGISTER.values())
"""


def test_a_register_that_classes_enter_themselves_into_is_kept(kernel):
    kernel.run(f"%%rms{REGISTER}")
    assert kernel.run("f(3)", timeout=30).result == "6"
    assert kernel.run("%%rms\nclass C(Base):\n    n = 30\nf(3)").result == "36"
    assert "f hit" in kernel.run("f(3)").shown


KERNEL_EDITS = [
    ("def helper(x):\n    return x + 1", "", "f ran"),
    ("def helper(x):\n    # by one\n    return (x + 1)", "", "f hit"),
    ("def helper(x):\n    return x + 2", "code_changed helper", "f ran"),
    ("def helper(x):\n    return x + CUTOFF\nCUTOFF = 30", "code_changed helper", "f ran"),
    ("CUTOFF = 40", "input_changed CUTOFF 30 → 40", "f ran"),
    ("CUTOFF = 30", "", "f hit"),
    ("from lab import helper", "code_changed helper", "f ran"),
    ("import lab, pathlib; n = pathlib.Path('lab.py').write_text('def helper(x):\\n    return x + 400\\n')", "was edited, and f still runs", "f hit"),
    ("import importlib; _ = importlib.reload(lab)", "", "f hit"),
    ("from lab import helper", "code_changed helper", "f ran"),
    ("%%rms\ndef f(x):\n    'Ask the helper.'\n    return helper(x)", "", "f hit"),
    ("%%rms\nasync def f(x):\n    return helper(x)", "code_changed f", "f ran"),
]  # fmt: skip


def test_edits_on_a_real_kernel(kernel, tmp_path):
    (tmp_path / "lab.py").write_text("def helper(x):\n    return x + 3\n")
    kernel.run("import sys; sys.dont_write_bytecode = True")
    kernel.run("%%rms\ndef f(x):\n    return helper(x)")
    for cell, said, outcome in KERNEL_EDITS:
        ran = kernel.run(cell)
        assert ran.ok, ran.error
        ran = kernel.run("f(3) == f.func(3)" if "async" not in cell else "await f(3) == await f.func(3)")
        assert outcome in ran.shown and said in ran.shown, (cell, ran.shown)
        assert ran.result == "True"


def test_autoreload(kernel, tmp_path):
    (tmp_path / "lab.py").write_text("def helper(x):\n    return x + 1\n")
    kernel.run(
        "import sys; sys.dont_write_bytecode = True\n%load_ext autoreload\n%autoreload 2\nfrom lab import helper"
    )
    kernel.run("%%rms\ndef f(x):\n    return helper(x)")
    assert kernel.run("f(3)").result == "4"
    (tmp_path / "lab.py").write_text("def helper(x):\n    return x + 200\n")
    ran = kernel.run("f(3)")
    assert ran.result == "203" and "code_changed helper" in ran.shown


def test_late_binding_in_a_cell(kernel):
    ran = kernel.run("import rms_jupyter as rms\nfor k in (1, 2):\n    f = rms.pipe(lambda x: x * k, name='f')")
    assert not ran.ok and "refers to k, which the loop" in ran.error and "k=k" in ran.error
    assert kernel.run("for k in (1, 2):\n    f = rms.pipe(lambda x, k=k: x * k, name='f')\nf(3)").result == "6"


def test_awaiting_in_a_cell(kernel):
    kernel.run(
        "%%rms\nimport asyncio\nasync def fetch(x):\n    print('fetching')\n    await asyncio.sleep(0.01)\n    return x * 2"
    )
    ran = kernel.run("r = await fetch(3)\nr")
    assert ran.result == "6" and "fetching" in ran.text and "fetch ran" in ran.shown
    ran = kernel.run("await fetch(3) + await fetch(4) + sum(await asyncio.gather(fetch(5), fetch(6)))")
    assert ran.result == "36" and "fetch hit" in ran.shown
    ran = kernel.run("%%rms run -j 2\na = [await fetch(i) for i in range(7, 10)]\n")
    assert ran.ok, ran.error
    assert kernel.value("a") == "[14, 16, 18]"
    ran = kernel.run("%%rms\nasync def fail(x):\n    raise KeyError(x)\nawait fail(1)")
    assert not ran.ok and "KeyError" in ran.error and "asyncio/" not in ran.error


@pytest.mark.parametrize(
    "before",
    [
        "os.environ['OF_LATE'] = str(n)",
        "Path(place).write_text(f'VALUE = {n!r}')",
        "sys.path.insert(0, f'{Path(place).parent}/{n}')",
        "set_up(n)",
    ],
)
def test_a_module_that_is_imported_after_something_was_done_is_imported_then(s, tmp_path, monkeypatch, before):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("OF_LATE", "0")
    of_late = tmp_path / "of_late.py"
    for n in (1, 2):
        (tmp_path / str(n)).mkdir()
        (tmp_path / str(n) / "of_late.py").write_text(f"VALUE = '{n}'")
    namespace = {
        "os": os, "Path": Path, "sys": sys, "place": str(of_late), "__name__": "__main__",
        "set_up": lambda n: os.environ.update(OF_LATE=str(n)),
    }  # fmt: skip
    exec(f"def late(n):\n    {before}\n    import of_late\n    return str(of_late.VALUE)", namespace)
    late = s.pipe(namespace["late"])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for n in (1, 2, 1):  # Each time as in a new kernel.
            of_late.write_text("import os\nVALUE = os.environ['OF_LATE']")
            monkeypatch.setenv("OF_LATE", "0")
            path = [*sys.path]
            importlib.invalidate_caches()
            assert late(n) == str(n)
            sys.path[:] = path
            sys.modules.pop("of_late")
    assert "until this kernel has imported of_late" in str(said[0].message)


def test_a_module_that_is_imported_first_of_all_is_looked_at_before(s, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "of_first.py").write_text("VALUE = 3")

    def first(n):
        print("looking")
        from of_first import VALUE

        return VALUE * n

    pipe = s.pipe(first)
    assert pipe(2) == 6
    sys.modules.pop("of_first")
    assert pipe(2) == 6 and len(s.tasks()) == 1


def test_a_module_of_the_same_name_in_another_folder_is_another(s, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "of_a_folder.py").write_text(f"def name():\n    return {folder!r}\n")

    def whole():
        import of_a_folder

        return of_a_folder.name()

    def part():
        from of_a_folder import name

        return name()

    pipes = s.pipe(whole), s.pipe(part)
    for folder in ("one", "two", "one"):
        with monkeypatch.context() as there:
            there.syspath_prepend(str(tmp_path / folder))
            assert [pipe() for pipe in pipes] == [folder, folder]
        sys.modules.pop("of_a_folder")
