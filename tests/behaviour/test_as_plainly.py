"""Functions of a ``%%rms`` cell behave as they do without it: what they are asked for, what they are, how deep they go."""

import copy
import functools
import inspect
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import cloudpickle
import pytest

import rms_jupyter as rms

PLAIN = {
    "an async generator": (
        "async def items(n):\n    for i in range(n):\n        yield i",
        "[i async for i in items(3)]",
        "items",
    ),
    "an async context manager": (
        "import contextlib\n@contextlib.asynccontextmanager\nasync def opened(x):\n    yield x * 2",
        "[x for _ in '1' async for x in opened.__wrapped__(3)]",
        "opened",
    ),
    "a decorated async generator": (
        "import functools\ndef same(f):\n    @functools.wraps(f)\n    def inner(*args):\n        return f(*args)\n"
        "    return inner\n@same\nasync def items(n):\n    yield n",
        "[i async for i in items(3)]",
        "items",
    ),
    "a name that cannot be that of a pipe": (
        "def named(f):\n    f.__name__ = 'not a name'\n    return f\n@named\ndef odd(x):\n    return x",
        "odd(3), odd.__name__",
        "odd",
    ),
    "a cached function": (
        "import functools\n@functools.lru_cache(maxsize=None)\ndef fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)",
        "fib(30), fib.cache_info(), fib.cache_clear(), fib.cache_parameters()",
        "fib",
    ),
    "functools.cache": (
        "import functools\n@functools.cache\ndef twice(n):\n    return 2 * n",
        "twice(3), twice(3), twice.cache_info().hits",
        "twice",
    ),
    "a function for every type": (
        "import functools\n@functools.singledispatch\ndef show(x):\n    return 'any'\n"
        "@show.register\ndef show_number(x: int):\n    return 'a number'",
        "show(3), show('a'), sorted(t.__name__ for t in show.registry), show.dispatch(bool)(True), show_number(1)",
        "",
    ),
    "np.vectorize": (
        "import numpy as np\n@np.vectorize\ndef step(x):\n    return x > 0",
        "step([1, -1]).tolist(), step.otypes",
        "step",
    ),
    "a decorator that is a class": (
        "class counted:\n    def __init__(self, f):\n        self.f, self.calls = f, 0\n"
        "    def __call__(self, *args):\n        self.calls += 1\n        return self.f(*args)\n"
        "@counted\ndef half(x):\n    return x / 2",
        "half(3), half(3), half.calls, type(half).__name__",
        "half",
    ),
    "a partial": (
        "import functools\n@functools.partial(functools.partial, y=2)\ndef power(x, y):\n    return x ** y",
        "power(3), power.keywords",
        "power",
    ),
    "a static method": ("@staticmethod\ndef same(x):\n    return x", "same(3), same.__func__(4)", "same"),
    "a decorator that counts": (
        "import functools\ndef counted(f):\n    @functools.wraps(f)\n    def inner(*args):\n        inner.calls += 1\n"
        "        return f(*args)\n    inner.calls = 0\n    return inner\n@counted\ndef half(x):\n    return x / 2",
        "half(3), half(3), half.calls, setattr(half, 'calls', 7), half(3), half.calls",
        "",
    ),
    "what is known of a function": (
        "def f(x, y=2, *, z=3):\n    'Doubles.'\n    return x\nasync def g(x):\n    return x\ndef h(x):\n    yield x",
        "f.__defaults__, f.__kwdefaults__, f.__code__.co_argcount, f.__globals__ is globals(), f.__closure__,"
        "[t(x) for x in (f, g, h) for t in (__import__('inspect').iscoroutinefunction, "
        "__import__('inspect').isgeneratorfunction, __import__('asyncio').iscoroutinefunction)]",
        "",
    ),
}


@pytest.mark.parametrize("case", PLAIN)
def test_a_cell_defines_what_it_defines_without_us(kernel, case):
    definitions, question, plain = PLAIN[case]
    assert (ran := kernel.run(definitions)).ok, ran.error
    expected = kernel.value(question)
    for _ in range(2):
        assert (ran := kernel.run(f"%%rms\n{definitions}\ndef opens(x):\n    return x\nopens(1)")).ok, ran.error
        assert kernel.value(question) == expected
    if plain:
        assert kernel.value(f"type({plain}).__name__") != "'Pipe'"


def test_what_cannot_be_a_pipe_is_said_once_and_refused_where_it_is_asked_for(kernel):
    kernel.run("%%rms\ndef opens(x):\n    return x\nopens(1)")
    cell = "async def items(n):\n    yield n\nimport functools\n@functools.cache\ndef twice(n):\n    return 2 * n"
    shown = kernel.run(f"%%rms\n{cell}").shown
    assert "items is not recorded: items is an async generator" in shown
    assert "twice is not recorded: it is a functools._lru_cache_wrapper" in shown
    assert "not recorded" not in kernel.run(f"%%rms\n{cell}").shown
    ran = kernel.run(f"%%rms pipe items\n{cell}")
    assert not ran.ok and "items is an async generator" in ran.error and "return a list" in ran.error
    assert kernel.run(f"%%rms pipe twice\n{cell}\ntwice(3)").result == "6"
    assert kernel.value("type(twice).__name__, twice.cache_info().misses") == "('Pipe', 1)"
    assert not kernel.run("%%rms --memory bogus\ndef f(x):\n    return x").ok


# Attributes -------------------------------------------------------------------------------------------------------------


class Decorated:
    """What a decorator may leave: an object with attributes, state, and errors of its own."""

    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.function, self.unit = function, "m"

    def __call__(self, x):
        return self.function(x)

    def plot(self):
        return "plotted"

    @property
    def broken(self):
        raise AttributeError("of its own")


def half(x):
    return x / 2


def test_a_pipe_has_the_attributes_of_what_it_was_made_of(s):
    f = s.pipe(Decorated(half))
    assert (f(3), f.unit, f.plot(), f.function) == (1.5, "m", "plotted", half)
    with pytest.raises(AttributeError, match="of its own"):
        f.broken
    with pytest.raises(AttributeError, match="'Decorated' object has no attribute 'nothing'"):
        f.nothing
    assert not hasattr(f, "__array__") and not hasattr(f, "_repr_html_") and not hasattr(f, "__dask_tokenize__")
    g = s.pipe(functools.lru_cache(half), name="g")
    assert g(3) == 1.5 and g.cache_info().misses == 1 and g.__wrapped__ is not half
    for copied in (copy.copy(g), copy.deepcopy(g), pickle.loads(cloudpickle.dumps(s.pipe(half)))):
        assert copied(5) == 2.5


def test_our_own_errors_are_not_hidden(s):
    f = s.pipe(half)
    object.__delattr__(f, "_definition")
    with pytest.raises(AttributeError, match="_definition"):
        f.contract
    empty = type(f).__new__(type(f))
    with pytest.raises(AttributeError, match="'Pipe' object has no attribute 'func'"):
        empty.func
    assert inspect.signature(s.pipe(half)) == inspect.signature(half)


def test_what_is_put_on_a_pipe_is_on_the_function(s):
    def f(x):
        return x * f.unit

    plain, f = f, s.pipe(f)
    f.unit = 2
    assert plain.unit == 2 and f(3) == 6
    f.unit = 5
    assert f(3) == 15
    del f.unit
    assert not hasattr(f, "unit") and not hasattr(plain, "unit")
    with pytest.raises(AttributeError):
        del f.unit
    assert isinstance(rms.pipe(max).__name__, str)


# Recursion --------------------------------------------------------------------------------------------------------------

RECURSIVE = {
    "a function that calls itself": ("def f(n):\n    return 0 if n == 0 else 1 + f(n - 1)", "f({n})"),
    "with keywords": ("def f(n, *, by=1):\n    return 0 if n == 0 else 1 + f(n=n - by, by=by)", "f(n={n})"),
    "two that call one another": (
        "def f(n):\n    return 0 if n == 0 else 1 + g(n - 1)\ndef g(n):\n    return 0 if n == 0 else 1 + f(n - 1)",
        "f({n})",
    ),
    "of lists": ("def f(xs):\n    return f(xs[0]) if xs else 0", "f(nested({n}))"),
    "by way of a helper": (
        "def f(n):\n    return 0 if n == 0 else 1 + _helper(n)\ndef _helper(n):\n    return f(n - 1)",
        "f({n} // 2)",
    ),
    "of a helper": (
        "def f(n):\n    return _down(n)\ndef _down(n):\n    return 0 if n == 0 else 1 + _down(n - 1)",
        "f({n})",
    ),
}
NESTED = "def nested(n):\n    made = []\n    for _ in range(min(n, 60)):\n        made = [made]\n    return made"
DEEPEST = (
    "def deepest(n):\n    try:\n        return deepest(n + 1)\n    except RecursionError as error:\n        return n"
)


@pytest.mark.parametrize("case", RECURSIVE)
def test_recursion_goes_as_deep_as_plainly(kernel, case):
    definitions, question = RECURSIVE[case]
    kernel.run(f"import sys\nsys.setrecursionlimit(1000)\n{NESTED}")
    question = question.format(n=900)
    kernel.run(definitions)
    expected = kernel.value(question)
    ran = kernel.run(f"%%rms\n{definitions}\nresult = {question}")
    assert ran.ok, ran.error
    assert kernel.value("result, sys.getrecursionlimit()") == f"({expected}, 1000)"


def test_endless_recursion_ends_as_plainly(kernel):
    kernel.run(f"import sys\nsys.setrecursionlimit(1000)\n{DEEPEST}")
    plainly = kernel.run("print(deepest(0))").text
    ran = kernel.run(f"%%rms\n{DEEPEST}\ndef endless(n):\n    return endless(n + 1)\nprint(deepest(0))")
    assert ran.ok and ran.text == plainly
    for cell in ("endless(0)", "%%rms\ndef two(x):\n    return endless(x)\ntwo(1)"):
        ran = kernel.run(cell)
        assert ran.error.strip().endswith("RecursionError: maximum recursion depth exceeded")
        assert kernel.value("sys.getrecursionlimit()") == "1000"
    assert kernel.run("%%rms\ndef limit():\n    return sys.getrecursionlimit()\nlimit()").result == "1000"
    ran = kernel.run(
        "%%rms\ndef sets(n):\n    sys.setrecursionlimit(n)\n    return sys.getrecursionlimit()\nsets(4000)"
    )
    assert ran.result == "4000" and kernel.value("sys.getrecursionlimit()") == "4000"


def test_recursion_far_beyond_the_usual_limit(kernel):
    kernel.run("%%rms\nimport sys\ndef f(n):\n    return 0 if n == 0 else 1 + f(n - 1)\nsys.setrecursionlimit(10 ** 6)")
    assert kernel.run("f(50_000)").result == "50000"
    assert kernel.value("type(f).__name__, sys.getrecursionlimit()") == "('Pipe', 1000000)"


def test_recursion_in_several_threads(s):
    limit = sys.getrecursionlimit()

    def f(n):
        return 0 if n == 0 else 1 + f(n - 1)

    f = s.pipe(f)
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(f, range(700, 780))) == list(range(700, 780))
    assert sys.getrecursionlimit() == limit
