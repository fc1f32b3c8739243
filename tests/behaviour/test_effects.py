"""What a call does beside giving a value is done on a hit too: to its arguments, to globals, to random numbers."""

import functools
import gc
import os
import random
import subprocess
import threading
import time
import types
import warnings
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

import rms_jupyter as rms
from rms_jupyter.run.task.scripts_started import scripts_in
from tests.behaviour.test_calls import namespace_of
from tests.kernel import Kernel


def scale(a):
    a /= a.max()


def append(xs):
    xs.append(len(xs))
    return len(xs)


def reorder(d):
    d["z"] = d.pop("a")
    return list(d)


def add_column(df):
    df["z"] = df["a"] * 2
    return df


def set_a_cell(df):
    df.loc[0, "a"] = 9
    return len(df)


def shift(xs):
    xs.rotate(1)
    return xs[0]


def deep(table):
    table["rows"][0].append(1)
    return len(table)


class Counter:
    def __init__(self):
        self.n, self.seen = 0, []


def count(counter):
    counter.n += 1
    counter.seen.append(counter.n)
    return counter.n


CHANGES = {
    "array": (scale, lambda: np.array([1.0, 4.0])),
    "list": (append, lambda: [1, 2]),
    "dict order": (reorder, lambda: {"a": 1, "b": 2}),
    "frame": (add_column, lambda: pd.DataFrame({"a": [1, 2]})),
    "frame in place": (set_a_cell, lambda: pd.DataFrame({"a": [1, 2]})),
    "deque": (shift, lambda: deque([1, 2, 3])),
    "nested": (deep, lambda: {"rows": [[0], [2]]}),
    "object": (count, Counter),
    "set": (lambda xs: xs.add(5) or len(xs), lambda: {1, 2}),
    "bytearray": (lambda b: b.extend(b"x") or len(b), lambda: bytearray(b"ab")),
}


def shown(value):
    return vars(value) if isinstance(value, Counter) else value


@pytest.mark.parametrize("name", CHANGES)
def test_an_argument_that_is_changed_is_changed_on_a_hit_too(s, name):
    function, make = CHANGES[name]
    expected = make()
    function(expected)
    for again in range(2):
        mine = make()
        alias = mine
        value = s.pipe(function, name="f")(mine)
        assert mine is alias and repr(shown(mine)) == repr(shown(expected)), (name, again)
        if function is add_column:
            assert value is mine
    assert len(s.tasks()) == 1, "the second time is a hit"


def test_what_was_changed_gives_an_edge_from_the_call_that_changed_it(s):
    scale_, total = s.pipe(scale), s.pipe(lambda a: float(a.sum()), name="total")
    a = np.array([1.0, 4.0])
    scale_(a)
    result = total(a)
    assert [task.pipe for task in s.lineage(result, down=False).tasks] == ["total", "scale"]


def test_nested_parts_keep_their_identity(s):
    table = {"rows": [[0], [2]]}
    inner = table["rows"][0]
    s.pipe(deep)({"rows": [[0], [2]]})
    s.pipe(deep)(table)
    assert table["rows"][0] is inner and inner == [0, 1] and len(s.tasks()) == 1


def _replace(d):
    d["k"] = [9]


def _compute_anew(d):
    d["a"] = d["a"] + 1


def _append_what_another_was(d):
    d["k"].append([1])
    d["k"][0].append(2)


def _change_and_move(d):
    d["k"][0].append(3)
    d["k"].reverse()


def _wrap(d):
    d["k"] = {"was": d["k"], "and": (d["a"], d["k"][0])}


def _look_into_itself(d):
    d["part"] = d["a"][1:]
    d["a"][0] = 5


PARTS = {
    "replaced": _replace,
    "an array computed anew": _compute_anew,
    "changed, and its former equal added": _append_what_another_was,
    "changed and moved": _change_and_move,
    "wrapped": _wrap,
    "a view of an array": _look_into_itself,
}


@pytest.mark.parametrize("name", PARTS)
def test_what_held_a_part_of_an_argument_holds_on_a_hit_what_it_would_without_us(s, name):
    def after(function):
        d = {"k": [[1], [5]], "a": np.array([1.0, 2.0])}
        held = [d["k"], *d["k"], d["a"]]
        function(d)
        if "part" in d:
            d["part"][0] = 7
        places = [d, *d.values(), *d["k"]]
        return repr((held, d, [[part is place for place in places] for part in held]))

    function = PARTS[name]
    plain, pipe = after(function), s.pipe(function, name="f")
    assert after(pipe) == plain == after(pipe) and len(s.tasks()) == 1, "the second is a hit"


def test_what_cannot_be_changed_in_place_runs_each_time_and_says_so(s):
    def grow(a):
        a.resize(len(a) + 1, refcheck=False)
        return len(a)

    grow_ = s.pipe(grow)
    first, second = np.zeros(3), np.zeros(3)
    assert grow_(first) == 4 and grow_(second) == 4 and len(second) == 4
    assert len(s.tasks()) == 2


def test_a_result_that_is_an_argument_is_that_on_a_hit(s):
    def pair(xs, n):
        return {"xs": xs, "items": [xs, n]}

    same, pair_ = s.pipe(lambda x: x, name="same"), s.pipe(pair)
    for _ in range(2):
        xs = [1]
        found = pair_(xs, 2)
        assert same(xs) is xs and found["xs"] is xs and found["items"][0] is xs
    assert len(s.tasks()) == 2


@pytest.mark.parametrize("part", [slice(1, 3), slice(None, None, -1), (slice(None), 0)])
def test_a_view_of_an_argument_is_a_view_on_a_hit(s, part):
    view = s.pipe(lambda a: a[part], name="view")
    for _ in range(2):
        a = np.arange(12.0).reshape(4, 3)
        found = view(a)
        found[0] = 99
        assert np.array_equal(a[part], found) and (a == 99).any()
    assert len(s.tasks()) == 1


def test_a_global_that_is_changed_in_place_is_changed_on_a_hit_too(s):
    for _ in range(2):
        ns = namespace_of("seen = []\ndef note(x):\n    seen.append(x)\n    return len(seen)\n")
        assert s.pipe(ns["note"])(3) == 1 and ns["seen"] == [3]
    assert len(s.tasks()) == 1


def test_a_procedure_whose_effect_is_not_seen_runs_each_time(s):
    runs = []

    def work(n):
        runs.append(n)

    work_ = s.pipe(work, ignore="runs")
    with pytest.warns(rms.RmsWarning, match="work runs each time.*what it does is not seen"):
        work_(1)
    work_(1)
    assert runs == [1, 1]


def test_a_function_that_sometimes_returns_none_gives_a_result(s):
    find = s.pipe(lambda xs, x: xs.index(x) if x in xs else None, name="find")

    def find_in_full(xs, x):
        return xs.index(x) if x in xs else None

    full = s.pipe(find_in_full)
    for _ in range(2):
        assert find([1, 2], 5) is None and full([1, 2], 5) is None and full([1, 2], 2) == 1
    assert len(s.tasks()) == 3


# Random numbers --------------------------------------------------------------------------------------------------------


def sample(n):
    return [float(np.random.rand()), random.random(), n]


def normal(n):
    return float(np.random.standard_normal()) * n


def drawn(rng):
    return rng.normal() if hasattr(rng, "normal") else rng.random()


def fresh(n):
    return np.random.default_rng().random(n)


def test_after_a_seed_the_numbers_are_those_of_plain_python(s):
    def plainly(function):
        np.random.seed(3)
        random.seed(3)
        return function(2), function(2), np.random.rand(), random.random(), np.random.standard_normal()

    for function in (sample, normal):
        expected = plainly(function)
        pipe = s.pipe(function)
        assert plainly(pipe) == expected and plainly(pipe) == expected
    assert len(s.tasks()) == 4, "the second time they are hits"


def test_another_seed_is_another_draw(s):
    pipe = s.pipe(normal)
    values = set()
    for seed in (1, 2, 1):
        np.random.seed(seed)
        values.add(pipe(1))
    assert len(values) == 2 and len(s.tasks()) == 2


@pytest.mark.parametrize(
    "make", [lambda: np.random.default_rng(5), lambda: np.random.RandomState(5), lambda: random.Random(5)]
)
def test_a_passed_generator_advances_on_a_hit(s, make):
    plain = make()
    expected = [drawn(plain) for _ in range(3)]
    for _ in range(2):
        rng, pipe = make(), s.pipe(drawn)
        assert [pipe(rng), pipe(rng), drawn(rng)] == expected
    assert len(s.tasks()) == 2


UNSEEDED = """
import types
import sys
import rms_jupyter as rms
import numpy as np, random
s = rms.open("draws.rms")
def trial(n):
    return float(np.random.rand(n).mean()) + random.random()
def fresh(n):
    return float(np.random.default_rng().random(n).mean())
for function in (trial, fresh):
    pipe = s.pipe(function)
    print([pipe(3) for _ in range(4)])
print(len(s.tasks()))
"""


def test_unseeded_draws_differ_and_are_the_same_in_the_next_process(tmp_path):
    import subprocess
    import sys

    (tmp_path / "script.py").write_text(UNSEEDED)
    outputs = [
        subprocess.run([sys.executable, "script.py"], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert outputs[0] == outputs[1], "the same four, as hits"
    *lists, count = outputs[0].splitlines()
    assert count == "8" and all(len(set(eval(line))) == 4 for line in lists)


def test_two_cells_draw_apart_and_a_cell_run_again_is_a_hit(kernel):
    kernel.run("import numpy as np")
    kernel.run("%%rms\ndef trial(n):\n    return float(np.random.rand(n).mean())")
    first = kernel.run("[trial(3), trial(3)]", cell="a").result
    second = kernel.run("[trial(3), trial(3)]", cell="b").result
    assert len({*eval(first), *eval(second)}) == 4
    again = kernel.run("[trial(3), trial(3)]", cell="a")
    assert again.result == first and "2 hits" in again.shown


def test_the_same_calls_of_a_plan_are_different_draws(s, how):
    pipe = s.pipe(normal)
    np.random.seed(7)
    with s.plan() as plan:
        results = [pipe(2) for _ in range(4)]
    plan.run(**how)
    values = [r.content for r in results]
    assert len(set(values)) == 4
    np.random.seed(7)
    with s.plan() as plan:
        results = [pipe(2) for _ in range(4)]
    assert plan.run(**how).counts == {"hit": 4} and [r.content for r in results] == values


def test_what_recorded_calls_changed_is_changed_by_a_plan_too(s, reopen):
    def changed(session, **how):
        pipe, xs = session.pipe(append), []
        with session.plan() as plan:
            results = [pipe(xs) for _ in range(3)]
        return plan.run(**how).counts, [r.content for r in results], xs

    with pytest.warns(rms.RmsWarning, match="append runs each time.*others may have changed that ran meanwhile"):
        _, values, xs = changed(s, n_jobs=1)
    assert (sorted(values), xs) == ([1, 2, 3], [0, 1, 2])
    pipe, xs = s.pipe(append), []
    assert [pipe(xs) for _ in range(3)] == [1, 2, 3]
    later = reopen(s)
    assert changed(later, n_jobs=1) == changed(later, n_jobs=2) == ({"hit": 3}, [1, 2, 3], [0, 1, 2])


def test_a_change_in_a_worker_is_told(s):
    scale_ = s.pipe(scale)
    a = np.array([1.0, 4.0])
    with s.plan() as plan:
        scale_(a)
    with pytest.warns(rms.RmsWarning, match="does not reach the notebook from a worker"):
        plan.run(n_jobs=2)
    scale_(a)
    assert a.tolist() == [0.25, 1.0], "called directly it runs"


COUNTING = """%%rms
COUNTED = []
def count(x):
    COUNTED.append(x)
    return len(COUNTED)"""


def test_a_global_that_is_changed_in_a_worker_is_told_and_each_task_has_it_as_it_is(kernel):
    kernel.run(COUNTING)
    ran = kernel.run("%%rms run -j 2 --on loky\nfound = [count(x) for x in range(6)]")
    assert "it changes COUNTED in place, which does not reach the notebook" in ran.shown, ran.shown
    assert kernel.value("found, COUNTED") == "([1, 1, 1, 1, 1, 1], [])"
    assert kernel.value("count(3), COUNTED") == "(1, [3])", "called directly it runs"


ONCE = {
    "prints": "def first(x):\n    print('once', x)\n    return x",
    "changes": "def first(x):\n    seen.append(x)\n    return x",
    "gives its own": "def first(x):\n    return [x]",
}


@pytest.mark.parametrize("maxsize", ["None", "8"])
@pytest.mark.parametrize("kind", ONCE)
def test_what_a_function_with_a_cache_does_once_is_done_as_without_us(tmp_path, kind, maxsize):
    define = (
        f"import functools\nseen = []\n@functools.lru_cache({maxsize})\n{ONCE[kind]}\ndef ask(x):\n    return first(x)"
    )
    use = "a, b = ask(1), ask(1)\nif isinstance(a, list):\n    a.append(2)\nprint(a, b, first(1), seen)"
    shown = []
    for load in ("", "%load_ext rms_jupyter", "%load_ext rms_jupyter"):
        with Kernel(tmp_path) as kernel:
            if load:
                kernel.run(load)
            kernel.run(("%%rms\n" if load else "") + define)
            shown.append(kernel.run(use).text)
    assert shown[0] == shown[1] == shown[2]


def test_a_function_with_a_cache_is_no_obstacle_where_nothing_of_it_is_seen(s):
    @functools.lru_cache
    def double(x):
        return 2 * x

    pipe = s.pipe(lambda x: [double(x), double(x)], name="ask")
    assert pipe(3) == pipe(3) == [6, 6] and len(s.tasks()) == 1


def test_what_is_to_be_done_when_an_argument_is_gone_is_said_each_time(s):
    import weakref

    gone = []

    def follow(counter):
        weakref.finalize(counter, gone.append, "gone")
        return 1

    pipe = s.pipe(follow, ignore="gone")
    with pytest.warns(rms.RmsWarning, match="follow runs each time.*registered elsewhere"):
        pipe(Counter())
    pipe(Counter())
    gc.collect()  # After the first warning of some processes, its argument waits for that.
    assert gone == ["gone", "gone"]


class Labelled(list):
    pass


def test_what_an_instance_of_a_subclass_of_list_has_as_attributes_is_its_own(s):
    def mark(xs):
        xs.marks.append(len(xs))
        return xs.marks

    pipe = s.pipe(mark)
    for _ in range(2):
        xs = Labelled([1])
        marks = xs.marks = []
        assert pipe(xs) is marks is xs.marks and marks == [1]
    assert len(s.tasks()) == 1


def test_a_sign_of_zero_is_changed_on_a_hit(s):
    def negate(xs):
        xs[0] = -xs[0]

    pipe = s.pipe(negate)
    for _ in range(2):
        xs = [0.0]
        pipe(xs)
        assert repr(xs) == "[-0.0]"
    assert len(s.tasks()) == 1


def test_a_handler_of_the_log_that_fills_a_list_fills_it_once(tmp_path):
    define = (
        "import logging\nlog, kept = logging.getLogger('lab'), []\n"
        "class Keep(logging.Handler):\n    def emit(self, record):\n        kept.append(record.getMessage())\n"
        "log.addHandler(Keep())\nlog.setLevel('INFO')"
    )
    cells = (
        "%%rms\ndef work(x):\n    log.info('works')\n    return len(kept)",
        "work(1), kept",
        "%%rms cell\nlog.info('cell')\nn = len(kept)",
    )
    shown = []
    for load in ("", "%load_ext rms_jupyter", "%load_ext rms_jupyter"):
        with Kernel(tmp_path) as kernel:
            for cell in (load, define, *cells):
                kernel.run(cell if load else cell.partition("\n")[2] if cell.startswith("%%rms") else cell)
            shown.append(kernel.value("n, kept"))
    assert shown == ["(2, ['works', 'cell'])"] * 3


def test_what_is_read_from_an_open_file_by_its_number_is_read_each_time(s):
    import os

    def read(number):
        return os.read(number, 2)

    def read_first(path):
        number = os.open(path, os.O_RDONLY)
        try:
            return os.read(number, 2)
        finally:
            os.close(number)

    (s.path.parent / "f.txt").write_text("abcd")
    read_, read_first_ = s.pipe(read), s.pipe(read_first)
    from_, to = os.pipe()
    os.write(to, b"abcd")
    with pytest.warns(rms.RmsWarning, match="read runs each time.*an open file"):
        assert [read_(from_), read_(from_)] == [b"ab", b"cd"]
    os.close(from_)
    os.close(to)
    path = str(s.path.parent / "f.txt")
    assert [read_first_(path) for _ in range(3)] == [b"ab"] * 3
    assert len(s.tasks(pipe="read_first")) == 1, "what it opens and closes itself is like any file"


def test_a_result_that_looks_into_a_buffer_beside_it_does_so_each_time(s):
    def pair(n):
        data = bytearray(n)
        return data, memoryview(data)

    pair_ = s.pipe(pair)
    with pytest.warns(rms.RmsWarning, match="pair runs each time.*one memory"):
        made = [pair_(2), pair_(2)]
    for data, look in made:
        look[0] = 7
        assert data == b"\x07\x00"


def test_a_result_that_shows_a_dict_beside_it_does_so_each_time(s):
    def pair():
        data = {"a": 1}
        return data, types.MappingProxyType(data)

    pair_ = s.pipe(pair)
    with pytest.warns(rms.RmsWarning, match="pair runs each time"):
        made = [pair_(), pair_()]
    for data, look in made:
        data["a"] = 7
        assert look["a"] == 7


# How the process stands ------------------------------------------------------------------------------------------------


def set_variable(value):
    import os

    os.environ["RMS_TEST_LEVEL"] = value
    return value


def set_style(size):
    import matplotlib

    matplotlib.rcParams["font.size"] = size
    return size


def ignore_overflow(how):
    np.seterr(over=how)
    return how


def limit_fields(size):
    import csv

    csv.field_size_limit(size)
    return size


def go_to(path):
    import os

    os.chdir(path)
    return path


SET_BACK = (set_style, ignore_overflow, limit_fields)


@pytest.mark.parametrize(
    ("function", "value", "what", "look"),
    [
        (set_variable, "high", "an environment variable", lambda: __import__("os").environ.get("RMS_TEST_LEVEL")),
        (set_style, 17.5, "rcParams", lambda: __import__("matplotlib").rcParams["font.size"]),
        (ignore_overflow, "ignore", "how numpy treats errors", lambda: np.geterr()["over"]),
        (limit_fields, 77, "dialects of csv", lambda: __import__("csv").field_size_limit()),
        (go_to, "/", "the working directory", __import__("os").getcwd),
    ],
)
def test_a_call_that_changes_how_the_process_stands_runs_each_time(s, monkeypatch, function, value, what, look):
    import os

    monkeypatch.setenv("RMS_TEST_LEVEL", "low")
    pipe, before, folder = s.pipe(function), look(), os.getcwd()
    try:
        with pytest.warns(rms.RmsWarning, match=f"runs each time.*it changes {what}"):
            pipe(value)
        if function in SET_BACK:
            function(before)
        elif function is set_variable:
            os.environ["RMS_TEST_LEVEL"] = "low"
        else:
            os.chdir(folder)
        pipe(value)
        assert look() == value and len(s.tasks()) == 2
    finally:
        os.chdir(folder)
        if function in SET_BACK:
            function(before)


# What goes on when a call has ended -----------------------------------------------------------------------------------


not_waited_for = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


def leaves_a_program(n):
    subprocess.Popen(["sleep", "1"])
    return n


def leaves_a_program_to_a_shell(n):
    return os.system("(sleep 0.2) &")


def leaves_a_thread(n):
    threading.Thread(target=lambda: time.sleep(0.5), daemon=True).start()
    return n


def leaves_a_timer(n):
    threading.Timer(0.5, print, ("",)).start()
    return n


@not_waited_for
@pytest.mark.parametrize(
    ("function", "what"),
    [
        (leaves_a_program, "program"),
        (leaves_a_program_to_a_shell, "program"),
        (leaves_a_thread, "thread"),
        (leaves_a_timer, "thread"),
    ],
)
def test_a_call_that_leaves_something_running_runs_each_time(s, function, what):
    pipe = s.pipe(function)
    with pytest.warns(rms.RmsWarning, match=f"runs each time.*it leaves a {what} running"):
        pipe(1)
    pipe(1)
    assert len(s.tasks()) == 2


def waits_for_a_program(n):
    return subprocess.run("echo 'a & b' && true 2>&1", shell=True, stdout=subprocess.PIPE).stdout


def ends_a_pipeline(n):
    first = subprocess.Popen(["yes"], stdout=subprocess.PIPE)
    last = subprocess.Popen(["head", "-1"], stdin=first.stdout, stdout=subprocess.PIPE)
    first.stdout.close()
    return last.communicate()[0]


def waits_for_a_thread(n):
    thread = threading.Thread(target=time.sleep, args=(0.01,))
    thread.start()
    thread.join()
    return n


def keeps_a_pool(n):
    pool = ThreadPoolExecutor(2)
    return list(pool.map(str, range(n)))


@not_waited_for
@pytest.mark.parametrize("function", [waits_for_a_program, ends_a_pipeline, waits_for_a_thread, keeps_a_pool])
def test_a_call_that_waits_for_what_it_starts_is_a_hit(s, function):
    pipe = s.pipe(function)
    assert pipe(2) == pipe(2) and len(s.tasks()) == 1


# What names hold -------------------------------------------------------------------------------------------------------

REBINDING = {
    "a global": ("count = 0", "def f(n):\n    global count\n    count += n\n    return n", "count"),
    "only assigned": ("last = 0", "def f(n):\n    global last\n    last = n\n    return n", "last"),
    "not there before": ("", "def f(n):\n    global last\n    last = n\n    return n", "last"),
    "deleted": ("last = 3", "def f(n):\n    global last\n    del last\n    return n", "globals().get('last', 'gone')"),
    "in a helper": (
        "count = 0\ndef step():\n    global count\n    count += 1",
        "def f(n):\n    step()\n    return n",
        "count",
    ),
    "by globals()": ("last = 0", "def f(n):\n    globals()['last'] = n\n    return n", "last"),
    "by exec": ("last = 0", "def f(n):\n    exec(f'last = {n}', globals())\n    return n", "last"),
    "of a class": ("class C:\n    total = 0", "def f(n):\n    C.total += n\n    return n", "C.total"),
    "of a function": ("def g(): pass\ng.calls = 0", "def f(n):\n    g.calls += 1\n    return n", "g.calls"),
    "in a closure": (
        "def counter():\n    n = 0\n    def step():\n        nonlocal n\n        n += 1\n        return n\n"
        "    return step\nstep = counter()",
        "def f(n):\n    return step() * n",
        "step()",
    ),
}


ASSIGNED = ("a global", "only assigned", "not there before", "in a helper")


@pytest.mark.parametrize("name", REBINDING)
def test_names_that_a_call_gives_other_values(s, name):
    before, function, shown = REBINDING[name]
    for again in range(2):
        plain, ours = namespace_of(f"{before}\n{function}\n"), namespace_of(f"{before}\n{function}\n")
        ours["f"] = s.pipe(ours["f"])
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = ours["f"](2)
        is_told = any(
            "f runs each time, its results are recorded but not reused: it changes" in str(w.message) for w in told
        )
        assert is_told == (not again and name not in ASSIGNED)
        assert [found, eval(shown, ours)] == [plain["f"](2), eval(shown, plain)]
    assert (len(s.tasks()) == 1) == (name in ASSIGNED), "what is assigned is assigned again on a hit"


def test_a_counter_on_the_pipe_itself_counts(s):
    ns = namespace_of("def f(n):\n    f.calls += 1\n    return n\n")
    f = ns["f"] = s.pipe(ns["f"])
    f.calls = 0
    with pytest.warns(rms.RmsWarning, match="it changes"):
        f(1)
    f(1)
    assert f.calls == 2


def test_a_counter_that_a_helper_puts_on_itself_counts(s):
    text = "def helper(x):\n    helper.calls = getattr(helper, 'calls', 0) + 1\n    return x + helper.calls\n"
    ns = namespace_of(text + "def f(x):\n    return helper(x)\n")
    pipe = s.pipe(ns["f"])
    with pytest.warns(rms.RmsWarning, match="it changes helper"):
        assert [pipe(0), pipe(0), pipe(0)] == [1, 2, 3]
    assert ns["helper"].calls == 3


def test_what_is_put_on_a_function_is_an_input(s):
    ns = namespace_of("def scale(x):\n    return x * scale.factor\nscale.factor = 2\ndef f(x):\n    return scale(x)")
    pipe = s.pipe(ns["f"])
    assert pipe(3) == 6
    ns["scale"].factor = 5
    assert pipe(3) == 15
    ns["scale"].factor = 2
    assert pipe(3) == 6 and len(s.tasks()) == 2


def test_variables_named_in_a_text_argument_are_inputs(s):
    ns = namespace_of("rate = 2\ndef half(x):\n    return x / 2\ndef f(text):\n    return eval(text)")
    pipe = s.pipe(ns["f"])
    assert pipe("rate * 2") == 4 and pipe("half(rate)") == 1
    ns["rate"] = 3
    assert pipe("rate * 2") == 6
    exec("def half(x):\n    return x / 4", ns)
    assert pipe("half(rate)") == 0.75
    ns["rate"] = 2
    assert pipe("rate * 2") == 4 and len(s.tasks()) == 4


def test_a_function_that_was_put_into_a_package_counts(s, monkeypatch):
    import math

    ns = namespace_of("import math\ndef f(x):\n    return math.degrees(x)")
    pipe = s.pipe(ns["f"])
    plain = pipe(1)
    patched = namespace_of("def degrees(x):\n    return -1.0")["degrees"]
    monkeypatch.setattr(math, "degrees", patched)
    assert pipe(1) == -1.0
    monkeypatch.undo()
    assert pipe(1) == plain and len(s.tasks()) == 2


def test_a_function_that_is_made_is_made_anew_on_a_hit(s):
    def power(k):
        def f(x):
            return x**k

        f.order = k
        return f

    power = s.pipe(power)
    power(2).order = "two"
    again = power(2)
    assert again.order == 2 and again is not power(2) and len(s.tasks()) == 1


# Figures ---------------------------------------------------------------------------------------------------------------


def draw(n):
    import matplotlib.pyplot as plt

    plt.plot(range(n))
    plt.title(f"{n} points")
    return n


def draw_anew(n):
    import matplotlib.pyplot as plt

    _, axes = plt.subplots()
    axes.plot(range(n))
    return n


def axes_of(n):
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(1, n)
    return axes


@pytest.mark.parametrize("function", [draw, draw_anew, axes_of])
def test_a_figure_that_was_left_open_is_open_on_a_hit(s, pyplot, function):
    pipe = s.pipe(function)
    for _ in range(2):
        pipe(3)
        assert pyplot.get_fignums() == [1] and pyplot.gcf().axes and (function is axes_of or pyplot.gca().lines)
        pyplot.close("all")
    assert len(s.tasks()) == 1


def test_a_call_that_draws_into_an_open_figure_draws_each_time(s, pyplot):
    pipe = s.pipe(draw)
    for again in range(2):
        pyplot.figure()
        if again:
            pipe(3)
        else:
            with pytest.warns(rms.RmsWarning, match="draw runs each time.*it draws into an open figure"):
                pipe(3)
        assert (
            len(pyplot.gca().lines) == 1 and pyplot.gca().get_title() == "3 points" and len(pyplot.get_fignums()) == 1
        )
        pyplot.close("all")


def test_a_hit_does_not_open_a_figure_where_it_would_draw_into_one(s, pyplot):
    pipe = s.pipe(draw)
    pipe(3)
    pyplot.close("all")
    pyplot.figure()
    with pytest.warns(rms.RmsWarning, match="it draws into an open figure"):
        pipe(3)
    assert pyplot.get_fignums() == [1] and len(pyplot.gca().lines) == 1


def test_figures_of_one_call_after_the_other_are_hits(s, pyplot):
    pipe = s.pipe(draw_anew)
    for _ in range(2):
        assert [pipe(n) for n in (2, 3, 4)] == [2, 3, 4] and len(pyplot.get_fignums()) == 3
        pyplot.close("all")
    assert len(s.tasks()) == 3


def test_what_a_call_assigned_conditionally_is_seen(s):
    ns = namespace_of("last = 0\ndef f(n):\n    global last\n    if n > 1:\n        last = n\n    return n")
    pipe = s.pipe(ns["f"])
    for _ in range(2):
        ns["last"] = 7
        assert pipe(1) == 1 and ns["last"] == 7
        assert pipe(2) == 2 and ns["last"] == 2
    assert len(s.tasks()) == 2


def test_a_global_that_is_assigned_an_argument_is_that_argument(s):
    ns = namespace_of("last = 0\ndef f(xs):\n    global last\n    last = xs\n    return len(xs)")
    pipe = s.pipe(ns["f"])
    with pytest.warns(rms.RmsWarning, match="it changes last"):
        pipe([1])
    given = [1]
    pipe(given)
    assert ns["last"] is given


MEETING = threading.Barrier(2)


def note(x, seen):
    seen.append(x)
    MEETING.wait(10)


def noted_by_two(pipe):
    seen = []
    threads = [threading.Thread(target=pipe, args=(x, seen)) for x in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(seen)


def test_what_calls_in_other_threads_have_changed_is_not_taken_for_a_calls_own(s, reopen):
    pipe = s.pipe(note, ignore="MEETING")
    with pytest.warns(rms.RmsWarning, match="note runs each time.*others may have changed that ran meanwhile"):
        assert noted_by_two(pipe) == noted_by_two(pipe) == [1, 2]
        assert noted_by_two(reopen(s).pipe(note, ignore="MEETING")) == [1, 2]


class Plot:
    def __init__(self, side):
        self.side = side

    @functools.cached_property
    def area(self):
        return self.side**2


def area_of(plot):
    return plot.area


def test_a_result_that_an_object_remembers_is_another_once_the_object_was_changed(s):
    pipe, plot = s.pipe(area_of), Plot(2)
    assert pipe(plot) == 4
    plot.side = 5
    assert pipe(plot) == pipe([plot][0]) == 4 and pipe(Plot(5)) == 25 and pipe(plot) == 4
    plot, other = Plot(7), s.pipe(lambda plots: plots[0].area, name="other")
    assert other([plot]) == 49
    plot.side = 8
    assert other([plot]) == 49 and other([Plot(8)]) == 64


def test_a_result_that_an_object_remembers_of_itself_does_not_count(s, reopen):
    pipe, plot = s.pipe(area_of), Plot(3)
    more = s.pipe(lambda plot: plot.area + 1, name="more")
    for _ in range(2):
        assert pipe(plot) == 9 and more(plot) == 10 and pipe(Plot(3)) == 9 and more(Plot(3)) == 10
    assert len(s.tasks()) == 2
    again = reopen(s)
    assert again.pipe(area_of)(Plot(3)) == 9 and len(again.tasks()) == 2


def test_a_cell_counts_what_an_object_remembers(kernel):
    kernel.run(
        "import functools\nclass Plot:\n    def __init__(self, side):\n        self.side = side\n"
        "    @functools.cached_property\n    def area(self):\n        return self.side ** 2"
    )
    kernel.run("plot = Plot(2)\nplot.area\nplot.side = 5")
    assert kernel.run("%%rms cell\nprint(plot.area + 1)", cell="a").text == "5\n"
    kernel.run("plot = Plot(5)")
    assert kernel.run("%%rms cell\nprint(plot.area + 1)", cell="a").text == "26\n"


def test_a_script_of_the_system_counts_by_itself_and_not_by_all_that_lies_beside_it(tmp_path):
    ours = tmp_path / "own.sh"
    ours.write_text("cat beside.txt\n")
    (tmp_path / "beside.txt").write_text("x")
    assert [*scripts_in(["/usr/bin/ldd"], str(tmp_path))] == ["/usr/bin/ldd"]
    assert [*scripts_in([str(ours)], str(tmp_path))] == [str(ours), str(tmp_path / "beside.txt")]


REMEMBERS = "import functools\n@functools.lru_cache\ndef slow(x):\n    return {}"
STOOD = {
    "a global": ("K = 2", "K = 3", "K * x"),
    "a function": ("def K(x):\n    return 2 * x", "def K(x):\n    return 3 * x", "K(x)"),
}


@pytest.mark.parametrize("what", STOOD)
@pytest.mark.parametrize("use", ["f(3)", "f(3), f(4)"])
def test_what_a_function_with_a_cache_gave_before_a_change_is_given_nowhere_else(tmp_path, what, use):
    before, after, expression = STOOD[what]
    cells = [REMEMBERS.format(expression), "%%rms\ndef f(x):\n    return slow(x) + 1"]
    with Kernel(tmp_path) as kernel:
        for cell in ("%load_ext rms_jupyter", before, *cells, "f(3)", after):
            kernel.run(cell)
        assert kernel.value("f(3)") == "7", "as without us"
        assert "slow gives what it remembers" in kernel.run("f(3)").shown
        kernel.run(before)
        assert kernel.value("f(3)") == "7"
    with Kernel(tmp_path) as kernel:
        for cell in ("%load_ext rms_jupyter", after, *cells):
            kernel.run(cell)
        assert kernel.value(use) == {"f(3)": "10", "f(3), f(4)": "(10, 13)"}[use]
        assert kernel.value(use) == {"f(3)": "10", "f(3), f(4)": "(10, 13)"}[use]
        assert "hit" in kernel.run("f(3)").shown


def test_what_a_method_with_a_cache_gave_before_its_object_was_changed_is_given_to_no_other(kernel):
    kernel.run(
        "import functools\nclass Plot:\n    def __init__(self, side):\n        self.side = side\n"
        "    @functools.lru_cache\n    def area(self):\n        return self.side ** 2"
    )
    kernel.run("%%rms\ndef f(plot):\n    return plot.area()")
    kernel.run("plot = Plot(2)\nf(plot)\nplot.side = 5")
    assert kernel.value("f(plot), f(Plot(5))") == "(4, 25)"


def test_a_function_with_a_cache_that_several_calls_ask_is_no_obstacle(s, reopen):
    @functools.cache
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    for is_again in (False, True):
        s = reopen(s) if is_again else s
        pipe = s.pipe(lambda n: fib(n), name="ask")
        assert [pipe(n) for n in (10, 12, 11, 10)] == [55, 144, 89, 55] and len(s.tasks()) == 3


OF_EACH = {}


class Badged:
    def __init__(self, label):
        OF_EACH[id(self)] = label


class OfEach:
    def __init__(self):
        self.values = {}

    def __get__(self, item, cls):
        return self.values[id(item)]

    def __set__(self, item, value):
        self.values[id(item)] = value


class Described:
    label = OfEach()

    def __init__(self, label):
        self.label = label


def label_of(item):
    return OF_EACH[id(item)]


def leaves(tree, met):
    if id(tree) in met:
        return 0
    met.add(id(tree))
    return sum(leaves(part, met) for part in tree) if isinstance(tree, list) else 1


@pytest.mark.parametrize(("kind", "ask"), [(Badged, label_of), (Described, lambda item: item.label)])
def test_what_is_kept_of_each_object_is_that_of_the_object(s, kind, ask):
    pipe, one, other = s.pipe(ask, name="ask"), kind("one"), kind("other")
    with pytest.warns(rms.RmsWarning, match=r"runs each time.*id: .* looks up by it what is kept of each object"):
        assert [pipe(one), pipe(other), pipe(one)] == ["one", "other", "one"]


def test_that_objects_are_looked_up_by_id_can_be_ignored(s):
    pipe, item = s.pipe(label_of, ignore=("id", "OF_EACH")), [1]
    OF_EACH[id(item)] = "one"
    assert pipe(item) == pipe(item) == "one" and len(s.tasks()) == 1


def test_code_that_tells_objects_apart_within_a_call_is_answered(s):
    pipe = s.pipe(lambda tree: leaves(tree, set()), name="count")
    assert pipe([1, [2, 3]]) == pipe([1, [2, 3]]) == 3 and len(s.tasks()) == 1
