"""An interrupt (Ctrl-C) at any moment: it is heard, nothing is half done, and all goes on as if it had not come."""

import asyncio
import contextlib
import gc
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import rms_jupyter as rms
from tests.conftest import soak
from tests.interrupting import differences, hear_the_last, interrupted, is_free, state_of_process, unreadable

COUNT = 0


def number(i, j=2):
    return i + j


def numbers(i, j=2):
    print("numbers of", i)
    return [i, j]


def into(i, kept, path):
    kept.append(i)
    path = Path(path)
    path.write_text(str(i))
    return kept


def changing(kept, rng):
    kept += [1, 2]
    rng.random()
    return len(kept)


def counted(i):
    global COUNT
    COUNT = i
    return {i}


def drawn(i):
    return [random.random(), i]


def raising(i):
    raise ValueError(f"not {i}")


def inner(i):
    return i * 2


def outer(i):
    return [inner(i), inner(i + 1)]


async def awaited(i):
    await asyncio.sleep(0)
    return [i]


def steps(of, from_=0):
    """After how many steps to interrupt: every one in the long run, some of them in the short one."""
    return itertools.count(from_, 1) if soak() else itertools.count(from_, of)


def interrupt_everywhere(s, call, check, of, prepare=lambda n: None, instructions=False):
    """Interrupt `call(n)` after every line of ours; `check(n)` must hold each time, and the process stand as before."""
    prepare(-1)
    call(-1)
    check(-1)
    gc.collect()  # Sessions of earlier tests, which nothing refers to any more, hold files until then.
    before = state_of_process()
    for trial, after in enumerate(steps(of)):
        prepare(trial)
        with interrupted(after, instructions) as cut:
            try:
                call(trial)
                hear_the_last()
                was_raised = False
            except KeyboardInterrupt:
                was_raised = True
        if cut.left >= 0:
            break
        assert was_raised is cut.was_heard or "weakref" in cut.heard_in, f"not raised at {cut.place}"
        assert not differences(before), f"interrupted at {cut.place}: {differences(before)}"
        check(trial)
        assert not differences(before), f"after one at {cut.place}: {differences(before)}"
    assert trial > 10
    assert not unreadable(s)
    return trial


def is_a_hit(s, pipe, *args):
    """A further call is answered from the store, and another process could have made it."""
    resource = pipe.lookup(*args)
    return resource is not None and is_free(s, s.store.record(resource.task.id)[1].key)


@pytest.mark.soak
@pytest.mark.parametrize("instructions", [False, True])
@pytest.mark.parametrize("function", [number, numbers])
def test_a_first_call(s, function, instructions, capsys):
    pipe = s.pipe(function)

    def check(n):
        assert pipe(n) == function(n) and is_a_hit(s, pipe, n)

    interrupt_everywhere(s, pipe, check, 97 if instructions else 3, instructions=instructions)
    with rms.Session(s.path, read_only=True) as other:
        assert other.pipe(function)(3) == function(3) and is_a_hit(other, other.pipe(function), 3)


@pytest.mark.soak
@pytest.mark.parametrize("instructions", [False, True])
@pytest.mark.parametrize("function", [number, numbers])
def test_a_hit(s, function, instructions, capsys):
    pipe = s.pipe(function)
    pipe(5)

    def check(n):
        assert pipe(5) == function(5) and is_a_hit(s, pipe, 5)

    interrupt_everywhere(s, lambda n: pipe(5), check, 7 if instructions else 1, instructions=instructions)
    assert s.sql("SELECT count(*) FROM tasks").fetchall() == [(1,)]


@pytest.mark.soak
def test_a_call_that_changes_an_argument_and_writes_a_file(s):
    pipe = s.pipe(into)

    def check(n):
        kept = [0]
        assert pipe(n, kept, f"{n}.txt") == [0, n] and kept == [0, n] and Path(f"{n}.txt").read_text() == str(n)
        assert is_a_hit(s, pipe, n, [0], f"{n}.txt")

    interrupt_everywhere(s, lambda n: pipe(n, [0], f"{n}.txt"), check, 7)


@pytest.mark.soak
def test_a_hit_that_changes_an_argument(s):
    pipe, kept, rng = s.pipe(changing), [0], random.Random(1)

    def prepare(n):
        kept[:] = [0]
        rng.seed(1)

    def call(n):
        return pipe(kept, rng)

    def check(n):
        assert kept in ([0], [0, 1, 2]), "all of it or nothing"
        assert (len(kept) == 1) is (rng.getstate() == random.Random(1).getstate())
        prepare(n)
        assert call(n) == 3 and kept == [0, 1, 2] and rng.getstate() != random.Random(1).getstate()

    interrupt_everywhere(s, call, check, 3, prepare)
    assert s.sql("SELECT count(*) FROM tasks").fetchall() == [(1,)]


@pytest.mark.soak
def test_a_call_that_assigns_a_global(s):
    pipe = s.pipe(counted)

    def prepare(n):
        global COUNT
        COUNT = "before"

    def check(n):
        assert COUNT in ("before", n), "what is taken away to see whether it is assigned is put back"
        assert pipe(n) == {n} and n == COUNT and is_a_hit(s, pipe, n)

    interrupt_everywhere(s, pipe, check, 7, prepare)


@pytest.mark.soak
def test_a_call_that_draws(s):
    pipe = s.pipe(drawn)

    def draw(n):
        random.seed(n)
        return pipe(n)

    def check(n):
        first = draw(n)
        assert draw(n) == first and first[0] == random.Random(n).random()

    interrupt_everywhere(s, draw, check, 7)


@pytest.mark.soak
def test_a_call_that_raises(s):
    pipe = s.pipe(raising)

    def call(n):
        with pytest.raises(ValueError, match=f"not {n}"):
            pipe(n)

    interrupt_everywhere(s, call, call, 7)


@pytest.mark.soak
def test_a_pipe_that_calls_a_pipe(s, monkeypatch):
    own = s.pipe(inner)
    monkeypatch.setitem(globals(), "inner", own)
    pipe = s.pipe(outer)

    def check(n):
        assert pipe(n) == [2 * n, 2 * n + 2] and is_a_hit(s, pipe, n)
        assert own(n) == 2 * n and is_a_hit(s, own, n)

    interrupt_everywhere(s, pipe, check, 7)


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # What asyncio forgets.
def test_an_awaited_call(s):
    pipe = s.pipe(awaited)

    async def call(n):
        return await pipe(n)

    loops = [asyncio.new_event_loop()]

    def prepare(n):
        loops[0].close()  # With what an interrupt has left in it.
        loops[0] = asyncio.new_event_loop()

    def run(n):
        return loops[0].run_until_complete(call(n))

    def check(n):
        prepare(n)
        assert run(n) == [n]

    interrupt_everywhere(s, run, check, 7, prepare)
    loops[0].close()


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore:.*left without run")
def test_a_plan_in_this_process(s):
    pipe = s.register_pipe(numbers)

    def run(n):
        with s.plan() as plan:
            results = [pipe(n, k) for k in range(2)]
        return [r.content for r in results] if plan.run(n_jobs=1) else None

    def check(n):
        assert run(n) == [[n, 0], [n, 1]] and is_a_hit(s, pipe, n, 0) and not s.going_on()

    interrupt_everywhere(s, run, check, 29)


@pytest.mark.soak
def test_sql(s):
    pipe = s.pipe(number)
    for i in range(3):
        pipe(i)

    def ask(n):
        assert s.sql("SELECT count(*) FROM tasks").fetchall() == [(3,)]

    interrupt_everywhere(s, ask, ask, 5)
    assert not list(s.path.glob("*damaged*"))


def test_a_long_question_in_sql(s):
    s.pipe(number)(1)
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        s.sql("SELECT count(*) FROM range(100_000) a, range(1000) b WHERE hash(a.range + b.range) % 7 = 1")
        time.sleep(5)
    assert s.sql("SELECT count(*) FROM tasks").fetchall() == [(1,)]


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore:Exception ignored in.*__del__")  # Python forgets those: the session closes at once.
def test_closing(tmp_path):
    """A session that was interrupted while it was closed can be closed then; it holds no file and no lock."""
    for n in range(0, 1000, 7 if soak() else 67):
        session = rms.Session(tmp_path / "closing.rms")
        assert session.pipe(number)(n) == n + 2
        with interrupted(n) as cut, contextlib.suppress(KeyboardInterrupt):
            session.close()
        session.close()
        locked = (".jsonl", "/claims")  # Others go with what has read them.
        files = [path for path in state_of_process()["files"] if path.endswith(locked) or "/running/" in path]
        assert not files, f"interrupted at {cut.place} ({n}): {files}"


CELLS = """
import io, sys
from IPython.core.interactiveshell import InteractiveShell
from tests.interrupting import differences, hear_the_last, interrupted, is_free, state_of_process, unreadable

shell = InteractiveShell.instance()
shell.showtraceback = lambda *args, **kwargs: None
shell.run_line_magic("load_ext", "rms_jupyter")
shell.run_line_magic("rms", "open cells.rms")
def run(code):
    out, sys.stdout = sys.stdout, io.StringIO()
    try:
        result = shell.run_cell(code, store_history=True)
    finally:
        shown, sys.stdout = sys.stdout.getvalue(), out
    return result.error_in_exec or result.error_before_exec, shown

CELL = "%%rms cell counting\\nkept.append(n)\\nprint('n is', n)\\ntotal = sum(kept)"
def count(n):
    shell.user_ns.update(n=n, kept=[1], total="before")
    return run(CELL)

count(-1)
assert "hit" in count(-1)[1]
import rms_jupyter as rms
before, step = state_of_process(), int(sys.argv[1])
after, trial = 0, 0
while True:
    trial += 1
    with interrupted(after) as cut:
        try:
            error, shown = count(trial)
            hear_the_last()
        except KeyboardInterrupt as interrupt:
            error = interrupt
    after += step
    if cut.left >= 0:
        break
    was_raised = isinstance(error, KeyboardInterrupt) or "Error in callback" in shown
    assert was_raised is cut.was_heard, cut.place
    run("pass")  # The next cell.
    assert not differences(before), f"interrupted at {cut.place}: {differences(before)}"
    assert "total" in shell.user_ns and "kept" in shell.user_ns and "n" in shell.user_ns, cut.place
    error, shown = count(trial)
    assert error is None and "n is" in shown and shell.user_ns["kept"] == [1, trial], cut.place
    assert shell.user_ns["total"] == 1 + trial, cut.place
    error, shown = count(trial)
    assert error is None and "hit" in shown and shell.user_ns["total"] == 1 + trial, (cut.place, shown)
    assert not differences(before), f"after one at {cut.place}: {differences(before)}"
assert trial > 10 and not unreadable(rms.current())
print("interrupted", trial)
"""


HITS = (
    CELLS[: CELLS.index("CELL =")]
    + """
import random
import numpy as np
import rms_jupyter as rms

CELL = '''%%rms cell many
kept.append(other[0])
other[0]["n"] = n
array += n
x = rng.random()
print("n is", n)
total = sum(array)
del gone
total'''
def prepare():
    shell.user_ns.update(n=5, kept=[1], other=[{"a": 1}], array=np.zeros(2), rng=random.Random(1), total="before", gone=0)
    return state()

def state():
    names = shell.user_ns
    shared = names["kept"][-1] is names["other"][0]
    found = [repr(names.get(name)) for name in ("kept", "other", "array", "total", "gone")]
    return [*found, shared, hash(names["rng"].getstate())]

room, step = sys.argv[1:]
for _ in range(2):
    untouched, (error, shown), done = prepare(), run(CELL), state()
assert "hit" in shown and untouched != done
before, after, trial = state_of_process(), 0, 0
while True:
    prepare()
    with interrupted(after, within=room) as cut:
        try:
            error, shown = run(CELL)
            hear_the_last()
        except KeyboardInterrupt as interrupt:
            error = interrupt
    after += int(step)
    if cut.left >= 0:
        break
    trial += 1
    assert (isinstance(error, KeyboardInterrupt) or "Error in callback" in shown) is cut.was_heard, cut.place
    assert state() in (untouched, done), f"half done at {cut.place}: {state()}"
    run("pass")
    assert not differences(before), f"interrupted at {cut.place}: {differences(before)}"
    prepare()
    error, shown = run(CELL)
    assert error is None and "hit" in shown and "n is 5" in shown and state() == done, (cut.place, shown, state())
assert trial > 5 and not unreadable(rms.current())
print("interrupted", trial)
"""
)


def run_alone(script, *words, **how):
    """Run a script in a process of its own that interrupts itself, to its end; gives what it said on stderr."""
    Path("cells.py").write_text(script)
    root = str(Path(rms.__file__).parents[1])
    env = os.environ | {"PYTHONPATH": root, "IPYTHONDIR": str(Path("ipython").absolute())}
    command = [sys.executable, "-W", "error", "cells.py", *words]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=3000, **how)
    assert "\ninterrupted" in ran.stdout, ran.stderr + ran.stdout
    return ran.stderr


@pytest.mark.soak
@pytest.mark.timeout(3600 if soak() else 300)
def test_a_cell_that_is_a_pipe():
    run_alone(CELLS, "5" if soak() else "197")


@pytest.mark.soak
@pytest.mark.timeout(3600 if soak() else 300)
@pytest.mark.parametrize(("room", "step"), [("run/task/changes", 7), ("magics/replay", 1), ("", 401)])
def test_a_hit_of_a_cell_is_brought_back_whole_or_not_at_all(room, step):
    run_alone(HITS, room, "1" if soak() and room else str(step))


AT_WORK = {
    "cell": """%%rms cell work
for i in range(20):
    display(HTML(f'<b>{n} {i}</b>'))
kept.append(n)
table['n'] = kept
array += n
drawn = rng.random()
time.sleep(0.05)
big = np.full(500_000, drawn)
found = [kept, float(array.sum()), float(big.sum())]""",
    "run": """%%rms run -j 1
parts = [slow(i, n) for i in range(5)]
found = joined(parts)""",
}
PREPARE = """import random, time
import numpy as np
from IPython.display import HTML, display

def prepare(number):
    global n, kept, table, array, rng, found
    n, kept, table, array, rng, found = number, [1], {}, np.zeros(100_000), random.Random(number), "before"

def left():
    return repr((kept, table, float(array.sum()), hash(rng.getstate()), found))
"""
DEFINE = """%%rms
def slow(i, n):
    time.sleep(0.02)
    return [i, n]
def joined(parts):
    return [i * n for i, n in parts]"""


@pytest.mark.parametrize("kind", AT_WORK)
def test_interrupted_at_any_moment_a_kernel_has_all_or_nothing_of_a_hit_and_is_right_the_next_time(kernel, kind):
    work, moments = AT_WORK[kind], random.Random(kind)
    assert kernel.run(PREPARE).ok and kernel.run(DEFINE).ok

    def run(n):
        kernel.run(f"prepare({n})")
        began = time.monotonic()
        ran = kernel.run(work, cell="work")
        return ran, time.monotonic() - began

    def run_interrupted(n, moment):
        kernel.run(f"prepare({n})")
        timer = threading.Timer(moment, os.kill, (kernel.pid, signal.SIGINT))
        timer.start()
        with contextlib.suppress(TimeoutError):  # While it reads a cell IPython hears an interrupt and does not answer.
            kernel.run(work, cell="work", timeout=5)
        timer.join()
        return kernel.value("left()")

    (_, first), (_, hit) = run(0), run(0)
    for n in range(1, 100 if soak() else 8):
        run_interrupted(n, moments.uniform(0.005, first))
        ran, _ = run(n)
        assert ran.ok, ran.error
        done = kernel.value("left()")
        kernel.run(f"prepare({n})")
        untouched = kernel.value("left()")
        stands = run_interrupted(n, moments.uniform(0.005, hit))
        assert kind == "run" or stands in (untouched, done)
        ran, took = run(n)
        assert ran.ok and "hit" in ran.shown and kernel.value("left()") == done, ran.shown
        assert took < 5, "it waits for nobody"
        assert kind == "run" or sum("text/html" in shown for shown in ran.displays) >= 20
    assert kernel.value("found") != "'before'"
    assert "no problems" in kernel.run("%rms check").shown


LOKY = """
import os, random, signal, sys, threading, time
import psutil
import rms_jupyter as rms
from joblib.externals.loky import get_reusable_executor
from tests.interrupting import differences, state_of_process, unreadable

def slow(i, n):
    time.sleep(0.05)
    return [i, n]
def joined(parts, n):
    return [i * n for i, n in parts]

s, moments = rms.open("loky.rms"), random.Random(7)
slow, joined = s.register_pipe(slow), s.register_pipe(joined)
def run(n):
    with s.plan() as plan:
        result = joined([slow(i, n) for i in range(6)], n)
    return plan.run(n_jobs=2).counts, result.content

def end_workers():
    get_reusable_executor(2, reuse=True).shutdown(kill_workers=True)

began = time.monotonic()
run(0)
takes, before, was_heard, trials = time.monotonic() - began, state_of_process(), 0, int(sys.argv[1])
for n in range(1, trials + 1):
    if n % 3:
        end_workers()
    timer = threading.Timer(moments.uniform(0, takes if n % 3 else 0.5), os.killpg, (0, signal.SIGINT))  # As terminals do.
    timer.start()
    try:
        run(n)
        timer.join()
        time.sleep(0.01)
    except KeyboardInterrupt:
        was_heard += 1
    began = time.monotonic()
    counts, result = run(n)
    assert sum(counts.values()) == 7 and result == [i * n for i in range(6)], counts
    assert time.monotonic() - began < takes + 20, "it waits for nobody"
    assert not differences(before), differences(before)
assert was_heard and not unreadable(s) and s.check(full=True).is_sound
done = s.sql("SELECT count(*), count(DISTINCT key) FROM tasks WHERE status = 'done'").fetchall()
assert done == [(7 * trials + 7, 7 * trials + 7)], done
s.close()
end_workers()
assert not [child for child in psutil.Process().children() if "loky.backend.popen" in " ".join(child.cmdline())]
print("\\ninterrupted", was_heard)
"""


@pytest.mark.soak
@pytest.mark.timeout(3600 if soak() else 300)
def test_interrupted_at_any_moment_a_plan_in_processes_is_right_the_next_time_and_nothing_else_is_said():
    said = run_alone(LOKY, "60" if soak() else "2", start_new_session=True)
    assert not said


HEARD = []


def own(n):
    signal.raise_signal(signal.SIGINT)
    return signal.getsignal(signal.SIGINT) is hear


def hear(number, frame):
    HEARD.append(number)


def test_the_handler_is_the_users_own(s, monkeypatch):
    """Whatever the user has set hears an interrupt, once, also in functions that are pipes."""
    monkeypatch.setattr(sys.modules[__name__], "HEARD", [])
    before = signal.signal(signal.SIGINT, hear)
    try:
        assert s.pipe(own, ignore="HEARD")(1) and len(HEARD) == 1
        with interrupted(100) as cut:
            assert s.pipe(number)(1) == 3
        assert cut.was_heard and len(HEARD) == 2
    finally:
        signal.signal(signal.SIGINT, before)
