"""Functions of a ``%%rms`` cell behave as they do without it: what they are asked for, what they are, how deep they go."""

import asyncio
import copy
import functools
import inspect
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import cloudpickle
import pytest

import rms_jupyter as rms
from rms_jupyter.run.call.cell_runtime import Cell

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
    "what looks at its callers": (
        "import inspect, sys\ndef by(x):\n    return sys._getframe(1).f_code.co_name, inspect.stack()[1].function\n"
        "def asks(x):\n    return by(x)",
        "asks(1), asks(1)",
        "by",
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


def test_what_runs_each_time_runs_each_time(s, capsys):
    @s.pipe
    def f(n):
        print("runs")
        return (i for i in range(n))

    with pytest.warns(rms.RmsWarning, match="f runs each time.*it gives a generator"):
        for _ in range(4):
            s.place.enter(Cell())
            assert list(f(2)) == [0, 1]
    assert capsys.readouterr().out == "runs\n" * 4
    assert len(s.tasks()) == 4


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


def test_defaults_and_texts_that_are_put_on_a_pipe_are_the_functions(s):
    def f(x, y=1, *, z=1):
        return x + y + z

    plain, f = f, s.pipe(f)
    assert f(1) == 3
    f.__defaults__, f.__kwdefaults__ = (10,), {"z": 100}
    assert f(1) == 111 == plain(1) and plain.__defaults__ == (10,)
    f.__code__ = (lambda x, y, *, z: x * y * z).__code__
    assert f(1) == 1000 == plain(1)
    f.__doc__, f.__name__ = "Of now.", "g"
    assert (plain.__doc__, plain.__name__, f.__doc__, f.__name__) == ("Of now.", "g", "Of now.", "g")
    with pytest.raises(TypeError, match="__name__ must be set to a string"):
        f.__name__ = 3
    with pytest.raises(AttributeError):
        f.__globals__ = {}


def test_defaults_that_another_cell_has_changed_are_those_of_the_call(kernel):
    kernel.run("%%rms\ndef f(x, y=1, *, k=1):\n    return x * y * k\nf(2)")
    kernel.run("f.__kwdefaults__['k'] = 7\nf.func.__defaults__ = (10,)")
    assert kernel.run("f(2), f(2, k=1), f(2, 1), f(2, 1, k=1)").result == "(140, 20, 14, 2)"


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


def test_one_thread_stays_deep_while_others_come_back(s):
    deep, go_on, come_back = threading.Semaphore(0), threading.Event(), threading.Event()

    def waits():
        deep.release()
        assert go_on.wait(30)
        return 0

    def stays():
        go_on.set()
        assert come_back.wait(30)
        return 0

    def f(n, at_the_end):
        return 1 + f(n - 1, at_the_end) if n else at_the_end()

    f = s.pipe(f, ignore=("at_the_end", "f"))
    with ThreadPoolExecutor(8) as threads:
        others = [threads.submit(f, n, waits) for n in range(700, 707)]
        for _ in others:
            assert deep.acquire(timeout=30)
        last = threads.submit(f, 750, stays)
        assert [other.result(30) for other in others] == list(range(700, 707))
        come_back.set()
        assert last.result(30) == 750


# Coroutines -------------------------------------------------------------------------------------------------------------

ASYNC = """
import asyncio
import concurrent.futures
import functools
import inspect

async def fetch(x, delay=0.0):
    await asyncio.sleep(delay)
    return {"x": x}

async def late(lock, x):
    async with lock:
        await asyncio.sleep(0.001)
        return x

async def waits(x):
    await asyncio.sleep(60)

async def fails(x):
    await asyncio.sleep(0)
    raise KeyError(x)

async def says(x, delay):
    print("begins", x)
    await asyncio.sleep(delay)
    print("ends", x)
    return x

async def both(x):
    return await asyncio.gather(says(x, 0.02), says(-x, 0.01))

def asks(x):
    print("asks", x)
    return fetch(x)

def numbers(n):
    print("numbers", n)
    return (i for i in range(n))

def run(f):
    @functools.wraps(f)
    def inner(x):
        with concurrent.futures.ThreadPoolExecutor() as threads:
            return threads.submit(asyncio.run, f(x)).result()
    return inner

@run
async def waited_for(x):
    await asyncio.sleep(0)
    return x

def noted(f):
    @functools.wraps(f)
    def inner(x):
        print("noted", x)
        return f(x)
    return inner

@noted
async def noticed(x):
    await asyncio.sleep(0)
    return x
"""
AWAITED = {
    "await": "await fetch(1)",
    "a task": "await asyncio.create_task(fetch(2))",
    "gather": "await asyncio.gather(fetch(3), fetch(4, delay=0.01), fetch(3))",
    "ensure_future": "await asyncio.ensure_future(fetch(5))",
    "wait_for": "await asyncio.wait_for(fetch(6), 5)",
    "wait": "[t.result() for t in (await asyncio.wait([asyncio.create_task(fetch(7))]))[0]]",
    "a group": "[(await asyncio.create_task(fetch(i))) for i in (8, 9)]",
    "a loop of its own": "__import__('concurrent.futures').futures.ThreadPoolExecutor().submit(lambda: asyncio.run(fetch(10))).result()",
    "what it is": "(lambda c: (inspect.iscoroutine(c), asyncio.iscoroutine(c), c.__name__, c.__qualname__, type(c).__name__, c.close()))(fetch(11))",
    "what the function is": "inspect.iscoroutinefunction(fetch), asyncio.iscoroutinefunction(fetch)",
    "awaited twice": "(lambda c: [c.send(None) is None, c.close()])(fetch(12, 0)) and 1",
    "a lock of this loop": "await asyncio.gather(*(late(asyncio.Lock(), i) for i in range(3)))",
    "a time that is up": "type(await asyncio.gather(asyncio.wait_for(waits(1), 0.05), return_exceptions=True)).__name__",
    "what it raises": "[repr(e) for e in await asyncio.gather(fails(1), fails(2), return_exceptions=True)]",
    "what others print meanwhile": "await asyncio.gather(says(1, 0.05), says(2, 0.02), says(3, 0.0))",
    "one after another": "await says(4, 0.0), await says(5, 0.0)",
    "pipes in a pipe": "await both(6)",
    "a function that gives a coroutine": "await asks(13), await asks(13)",
    "a decorator that waits": "waited_for(14), waited_for(14), inspect.iscoroutinefunction(waited_for)",
    "a function that gives a generator": "list(numbers(3)), list(numbers(3))",
    "a decorator that prints": "await (lambda c: print('made') or c)(noticed(15)), inspect.iscoroutinefunction(noticed)",
}


@pytest.mark.parametrize("case", AWAITED)
def test_a_call_of_an_async_function_gives_a_coroutine(kernel, case):
    question = f"({AWAITED[case]})"
    kernel.run(ASYNC)
    plainly = kernel.run(question)
    assert plainly.ok, plainly.error
    kernel.run(f"%%rms{ASYNC}")
    for _ in range(2):
        ran = kernel.run(question)
        assert ran.ok, ran.error
        assert (ran.result, ran.text) == (plainly.result, plainly.text)


IN_TURNS = [
    "await asyncio.gather(says(1, 0.1), says(2, 0.0))",
    "task = asyncio.create_task(says(1, 0.1))\nawait asyncio.sleep(0)\nprint('between')\nawait task",
    "tasks = [asyncio.ensure_future(says(i, 0.1 * i)) for i in (1, 0)]\n[await task for task in tasks]",
    "await asyncio.wait_for(both(3), 5)",
]


@pytest.mark.parametrize("cell", IN_TURNS)
def test_what_it_shows_keeps_its_place_among_what_others_show(kernel, cell):
    kernel.run(ASYNC)
    plainly = kernel.run(cell).text
    kernel.run(f"%%rms{ASYNC}")
    kernel.run("for i in (0, 1, 2):\n    await says(i, 0.1 * (i == 1))\nawait both(3)")
    for _ in range(2):
        ran = kernel.run(cell)
        assert ran.ok and ran.text == plainly, ran.error
    assert "among what others do" in ran.shown or "hit" in ran.shown


def test_nothing_runs_before_it_is_awaited(kernel):
    kernel.run(f"%%rms{ASYNC}")
    ran = kernel.run("made = says(1, 0)\nprint('made')")
    assert ran.text == "made\n" and "says ran" not in ran.shown
    ran = kernel.run("await made")
    assert ran.text == "begins 1\nends 1\n" and ran.result == "1" and "says ran" in ran.shown
    ran = kernel.run("await made")
    assert not ran.ok and "cannot reuse already awaited coroutine" in ran.error
    ran = kernel.run("await says(1, 0)")
    assert "says hit" in ran.shown and ran.text == "begins 1\nends 1\n"
    ran = kernel.run("says()")
    assert not ran.ok and "TypeError: says() missing 2 required positional arguments: 'x' and 'delay'" in ran.error


def test_calls_run_at_the_same_time_and_are_found_again(kernel):
    kernel.run(f"%%rms{ASYNC}")
    timed = "import time\nbegan = time.monotonic()\nfound = await asyncio.gather(*(fetch(i, 0.5) for i in range(8)))\ntime.monotonic() - began < 3"
    ran = kernel.run(timed)
    assert ran.result == "True" and "fetch ran 8×" in ran.shown
    ran = kernel.run(timed)
    assert ran.result == "True" and "8 hits" in ran.shown
    ran = kernel.run("task = asyncio.create_task(waits(1))\nawait asyncio.sleep(0.1)\ntask.cancel()\nawait task")
    assert not ran.ok and "CancelledError" in ran.error


def test_what_others_may_have_done_meanwhile_is_not_taken_for_the_calls_own(s, reopen):
    async def adds(x, to):
        while len(to) < 2 - x:
            await asyncio.sleep(0.001)
        to.append(x)
        return len(to)

    async def several():
        to = []
        return await asyncio.gather(*(adds(x, to) for x in range(3))), to

    plainly, adds = asyncio.run(several()), s.pipe(adds)
    with pytest.warns(rms.RmsWarning, match="others may have changed"):
        assert asyncio.run(several()) == plainly
    adds = reopen(s).pipe(adds)
    with pytest.warns(rms.RmsWarning, match="others may have changed"):
        assert asyncio.run(several()) == plainly


def test_errors_of_what_is_listened_to_show_none_of_our_lines(kernel):
    kernel.run("%load_ext rms_jupyter\nimport os, pathlib\nimport polars as pl")
    kernel.run("%%rms\ndef ask(path):\n    return os.path.exists(path)\nask('missing')")
    for code in ("pl.read_csv('missing.csv')", "pl.scan_csv('missing.csv').collect()"):
        error = kernel.run(code).error
        assert "missing" in error and "rms_jupyter" not in error and "__tracebackhide__" not in error
