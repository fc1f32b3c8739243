"""Running: one contract, whatever the executor: serial, threads, processes, a Dask cluster."""

import importlib
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil
import pytest

import rms_jupyter as rms
from rms_jupyter.run.workers.pool import Pool
from tests.conftest import soak
from tests.kernel import Kernel


def run(s, how, *calls, **options):
    """Collect calls and run them; gives the placeholders and the report, failures or not."""
    with s.plan() as plan:
        results = [call() for call in calls]
    try:
        report = plan.run(**how, **options)
    except rms.PlanFailed as failed:
        report = failed.report
    return results, report


def children():
    """Processes of this one that run isolated tasks."""
    found = psutil.Process().children(recursive=True)
    return [process for process in found if "rms_jupyter.run.workers.child_main" in _command(process)]


def _command(process):
    try:
        return " ".join(process.cmdline()) if process.status() != psutil.STATUS_ZOMBIE else ""
    except psutil.NoSuchProcess:
        return ""


# Failures -------------------------------------------------------------------------------------------------------------


def boom(x):
    raise ValueError(f"no {x}")


def double(x):
    return 2 * x


def twice(x):
    return x + x


def test_one_failure_stops_only_what_depends_on_it(s, how):
    boom_, double_ = s.register_pipe(boom), s.register_pipe(double)
    with s.plan() as plan:
        a = boom_(1)
        b, c = double_(a), double_(4)
    with pytest.raises(rms.PlanFailed) as failed:
        plan.run(**how)
    assert failed.value.report.counts == {"failed": 1, "upstream_failed": 1, "done": 1}
    assert isinstance(failed.value.__cause__, ValueError) and c.content == 8
    with pytest.raises(ValueError, match="no 1"):
        _ = a.content
    del b


def exits(x):
    print("before the end", flush=True)
    sys.exit(x)


def dies(x):
    print("before the end", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def leaves(x):
    os._exit(x)


def test_a_task_that_exits_fails_alone(s, how):
    """R12: `sys.exit(5)` in a task: it fails with that code, everything else finishes."""
    exits_, double_ = s.register_pipe(exits), s.register_pipe(double)
    _, report = run(s, how, lambda: exits_(5), *[lambda i=i: double_(i) for i in range(20)])
    assert report.counts == {"failed": 1, "done": 20}
    [(error, printed)] = s.sql(
        "SELECT error, text FROM tasks t JOIN logs l ON l.task_id = t.id WHERE status = 'failed'"
    ).fetchall()
    assert error == "5" and printed == "before the end\n"


@pytest.mark.parametrize(("function", "message"), [(dies, "killed by SIGKILL"), (leaves, "exited with code 7")])
def test_a_killed_isolated_task_fails_alone(s, how, function, message):
    """R12: SIGKILL, `os._exit`: the task fails with that, its output is kept, all others finish."""
    killed_, double_ = s.register_pipe(function, isolate=True), s.register_pipe(double)
    _, report = run(s, how, lambda: killed_(7), *[lambda i=i: double_(i) for i in range(20)])
    assert report.counts == {"failed": 1, "done": 20}
    [(label, error)] = report.failures
    assert message in str(error) and function.__name__ in label and isinstance(error, rms.TaskFailed)
    if function is dies:
        assert s.sql("SELECT text FROM logs").fetchall() == [("before the end\n",)]


@pytest.fixture(params=["loky", "dask"])
def processes(request):
    """Options of `plan.run` for what has worker processes: a task that kills its own kills no kernel."""
    if request.param == "loky":
        return {"n_jobs": 2}
    return {"executor": f"dask://{request.getfixturevalue('cluster_of_the_session')().address}"}


def test_a_dead_worker_costs_only_the_task_that_killed_it(s, processes):
    """The suspects run alone: the innocent ones finish, and the culprit is named."""
    dies_, double_ = s.register_pipe(dies), s.register_pipe(double)
    calls = [lambda i=i: double_(i) for i in range(50)]
    calls[10:10] = [lambda: dies_(0)]
    results, report = run(s, processes, *calls)
    assert report.counts == {"failed": 1, "done": 50}
    assert "SIGKILL" in str(report.failures[0][1]) and "dies(0)" in report.failures[0][0]
    assert results[-1].content == 98
    assert run(s, processes, *calls)[1].counts == {"failed": 1, "hit": 50}


class Unpicklable(Exception):
    def __init__(self, a, b):
        super().__init__("two arguments")


def raises_oddly(x):
    raise Unpicklable(1, 2)


def gives_a_lock(x):
    import threading

    return threading.Lock()


@pytest.mark.filterwarnings("ignore:gives_a_lock")
def test_what_cannot_be_pickled_is_text(s, how):
    odd_, lock_ = s.register_pipe(raises_oddly), s.register_pipe(gives_a_lock)
    _, report = run(s, how, lambda: odd_(1), lambda: lock_(1))
    assert report.counts.get("failed") == 1 and report.counts.get("done") == 1
    assert "two arguments" in str(report.failures[0][1])


def test_workers_of_the_users_own_that_die_cost_only_the_tasks_that_killed_them(s):
    """Nor does one that comes later kill the kernel, though the executor is broken for good."""
    dies_, double_ = s.register_pipe(dies), s.register_pipe(double)
    with s.plan() as plan:
        dies_(0)
        doubled = [double_(i) for i in range(50)]
        dies_(doubled)
    failing = pytest.raises(rms.PlanFailed)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor, failing as failed:
        plan.run(executor=executor)
    report = failed.value.report
    assert report.counts == {"failed": 2, "done": 50} and doubled[-1].content == 98
    assert all("SIGKILL" in str(error) for _, error in report.failures)


class Refusing(ThreadPoolExecutor):
    def submit(self, *args):
        future = Future()
        future.set_exception(rms.RmsError("the machine is down", hint="come back tomorrow"))
        return future


def test_what_an_executor_refuses_is_said_as_it_says_it(s):
    double_ = s.register_pipe(double)
    _, report = run(s, {"executor": Refusing(2)}, lambda: double_(1))
    assert report.counts == {"failed": 1}
    assert str(report.failures[0][1]) == "the machine is down\n→ come back tomorrow"


def unlucky(i):
    if i % 100 == 7:
        raise ValueError(f"bad luck {i}")
    if i % 200 == 11:
        os.kill(os.getpid(), signal.SIGKILL)
    if i % 200 == 23:
        time.sleep(1000)
    return i


@pytest.mark.soak
def test_of_many_tasks_with_every_kind_of_bad_luck_all_are_accounted_for(s, how):
    """1 % raise, 0.5 % kill their worker, 0.5 % hang past their timeout: all others are done, no process is left."""
    pipe = s.register_pipe(unlucky, timeout=2.0)
    hundreds = 20 if soak() or how == {"n_jobs": 2} else 4
    results, report = run(s, how, *[lambda i=i: pipe(i) for i in range(100 * hundreds)])
    killed = hung = hundreds // 2
    assert report.counts == {"done": 98 * hundreds, "failed": hundreds + killed, "timed_out": hung}
    assert sum(r.content for i, r in enumerate(results) if i % 100 != 7 and i % 200 not in (11, 23)) > 0
    rows = dict(s.sql("SELECT coalesce(error_type, status), count(*) FROM tasks GROUP BY ALL").fetchall())
    assert rows == {"done": 98 * hundreds, "ValueError": hundreds, "WorkerDied": killed, "TimeoutError": hung}
    assert not children()


@pytest.mark.soak
def test_without_isolation_too_only_the_killers_fail(s, processes):
    pipe = s.register_pipe(unlucky)
    hundreds = 20 if soak() else 4
    _, report = run(s, processes, *[lambda i=i: pipe(i) for i in range(100 * hundreds) if i % 200 != 23])
    assert report.counts == {"done": 98 * hundreds, "failed": hundreds + hundreds // 2}
    assert not children()


# Code ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def lab(write_lab):
    """Two modules beside the notebook; gives what writes the second one, and the first one's function."""

    def write(factor):
        Path("factors.py").write_text(f"FACTOR = {factor}\ndef scale(x):\n    return x * {factor}\n")

    write_lab("import factors\ndef scaled(x):\n    return factors.scale(x)\n")
    write(2)
    yield write, importlib.import_module("lab").scaled
    sys.modules.pop("factors")


def test_what_runs_is_what_the_kernel_has_imported(s, how, lab):
    write, scaled = lab
    pipe = s.register_pipe(scaled)
    results, report = run(s, how, lambda: pipe(10), lambda: pipe(11))
    assert [r.content for r in results] == [20, 22]
    write(300)
    importlib.reload(sys.modules["factors"])
    results, report = run(s, how, lambda: pipe(10), lambda: pipe(11))
    assert report.counts == {"done": 2} and [r.content for r in results] == [3000, 3300]
    write(40000)
    pipe = s.register_pipe(scaled)
    with pytest.warns(rms.RmsWarning, match=r"factors.py was edited, and scaled still runs the code that was imported"):
        results, report = run(s, how, lambda: pipe(10), lambda: pipe(12))
    assert report.counts == {"hit": 1, "done": 1} and [r.content for r in results] == [3000, 3600]


# Time ---------------------------------------------------------------------------------------------------------------


def sleeps(x):
    time.sleep(x)
    return x


def test_a_timeout_stops_the_task_and_disturbs_no_other(s, how):
    """R13: the task is stopped and recorded as timed out; siblings are not disturbed."""
    slow_, double_ = s.register_pipe(sleeps, timeout=1.0), s.register_pipe(double)
    began = time.monotonic()
    results, report = run(s, how, lambda: slow_(60), lambda: slow_(0.1), *[lambda i=i: double_(i) for i in range(20)])
    assert report.counts == {"timed_out": 1, "done": 21} and time.monotonic() - began < 30
    assert results[1].content == 0.1
    assert s.sql("SELECT args->>'x' FROM tasks WHERE status = 'timed_out'").fetchall() == [("60",)]
    assert "timeout of 1 s" in str(report.failures[0][1])
    assert not children()


def test_a_timeout_counts_from_when_the_task_begins(s, how, write_lab):
    """Not from the start of a process, nor from the imports that the task needs there."""
    write_lab("import time\ntime.sleep(1.5)\ndef quick(x):\n    return x\n")
    pipe = s.register_pipe(importlib.import_module("lab").quick, timeout=1.0)
    results, report = run(s, how, lambda: pipe(1))
    assert report.counts == {"done": 1} and results[0].content == 1


def flaky(path):
    with open(path, "a") as file:
        file.write("x")
    if len(Path(path).read_text()) < 3:
        raise OSError("not yet")
    return "done"


@pytest.mark.filterwarnings("ignore:flaky runs each time.*it adds to tries.txt")
def test_a_failure_is_tried_again_as_often_as_asked(s, how):
    pipe = s.register_pipe(flaky, retries=2, ignore="path")
    results, report = run(s, how, lambda: pipe("tries.txt"))
    assert report.counts == {"done": 1} and results[0].content == "done"
    assert [row[0] for row in s.sql("SELECT status FROM tasks ORDER BY k").fetchall()] == ["failed", "failed", "done"]
    Path("tries.txt").unlink()
    pipe = s.register_pipe(flaky, retries=1, ignore="path", name="again")
    assert run(s, how, lambda: pipe("tries.txt"))[1].counts == {"failed": 1}


# Together -------------------------------------------------------------------------------------------------------------


def traced(x):
    with open("trace", "a") as file:
        file.write(f"{x} ")
    time.sleep(0.2)
    return 2 * x


@pytest.mark.filterwarnings("ignore:waiting for a call")  # On a busy machine, for as long as that.
def test_what_two_runs_ask_for_is_computed_once(s, how):
    pipe = s.register_pipe(traced, ignore="trace")
    plans = []
    for _ in range(2):
        with s.plan() as plan:
            results = [pipe(i) for i in range(6)]
        plan.run(**how, background=True)
        plans.append(plan)
    counts = [plan.wait(60).counts for plan in plans]
    assert sum(c.get("done", 0) for c in counts) == sum(c.get("hit", 0) for c in counts) == 6
    assert sorted(Path("trace").read_text().split()) == list("012345")
    assert [r.content for r in results] == [0, 2, 4, 6, 8, 10]


def test_what_two_kernels_ask_for_is_computed_once(kernel, where, tmp_path):
    cell = (
        "%%rms pipe traced\nimport time\ndef traced(x):\n    with open('trace', 'a') as file:\n"
        "        file.write(f'{x} ')\n    time.sleep(0.3)\n    return 2 * x"
    )
    with Kernel(tmp_path) as other:
        other.run("%load_ext rms_jupyter")
        for each in (kernel, other):
            assert each.run("import rms_jupyter as rms").ok and each.run(cell).ok
        assert kernel.run(f"%%rms run -j 2 --on {where} --background\nrs = [traced(i) for i in range(6)]").ok
        ran = other.run(f"%%rms run -j 2 --on {where}\nrs = [traced(i) for i in range(6)]")
        assert ran.ok, ran.error
        for each in (kernel, other):
            assert each.value("rms.value(rs)") == "[0, 2, 4, 6, 8, 10]"
    assert sorted(Path("trace").read_text().split()) == list("012345")


# Room ---------------------------------------------------------------------------------------------------------------


def spans(folder, x, seconds=0.15):
    """Note when the task began and ended."""
    began = time.time()
    time.sleep(seconds)
    Path(folder, str(x)).write_text(f"{began} {time.time()}")


def overlaps(folder, names):
    times = [tuple(map(float, Path(folder, name).read_text().split())) for name in names]
    return sum(a[0] < b[1] and b[0] < a[1] for i, a in enumerate(times) for b in times[:i])


@pytest.mark.parametrize("need", [{"cores": 2}, {"memory": "900 TB"}])
def test_tasks_that_need_everything_never_overlap(s, how, need, tmp_path):
    """R11: two tasks that need all cores (or all memory) never overlap."""
    folder = tmp_path / "spans"
    folder.mkdir()
    pipe = s.register_pipe(spans, **need)
    _, report = run(s, how, *[lambda i=i: pipe(str(folder), i) for i in range(4)])
    assert report.counts == {"done": 4} and overlaps(folder, "0123") == 0


def test_a_task_of_one_core_runs_beside_another(s, how, where, tmp_path):
    """R11: a one-core task may run beside another (if not all run one after the other)."""
    folder = tmp_path / "spans"
    folder.mkdir()
    one, two = s.register_pipe(spans, name="one", cores=1, memory="1 MB"), s.register_pipe(spans, name="two", cores=2)
    run(s, how, *[lambda i=i: one(str(folder), i, 1.0) for i in range(2)], lambda: two(str(folder), 2))
    assert overlaps(folder, "01") == (where != "serial") and overlaps(folder, "02") == overlaps(folder, "12") == 0


def sleeps_where(x):
    time.sleep(x)
    return os.getpid()


def test_a_batch_that_proves_long_is_shared(s, processes):
    """Tasks of one pipe that were short before: when they prove long, all workers take of them."""
    pipe = s.register_pipe(sleeps_where)
    run(s, processes, *[lambda i=i: pipe(i / 1e6) for i in range(200)])
    results, report = run(s, processes, *[lambda i=i: pipe(0.6 + i / 1e6) for i in range(6)])
    assert report.counts == {"done": 6} and len({r.content for r in results}) == 2


# Choosing -------------------------------------------------------------------------------------------------------------


def test_only_what_is_asked_for_runs(s, how):
    """R16: asking for one result runs only its ancestors."""
    pipe = s.register_pipe(double)
    with s.plan() as plan:
        a = pipe(1)
        b, c = pipe(a), pipe(10)
    assert plan.run(**how, only=b).counts == {"done": 2} and b.content == 4
    with pytest.raises(rms.NotComputedYet):
        _ = c.content


def test_what_is_pruned_does_not_run_nor_what_follows(s, how):
    """R17: a pruned pipe and its downstream are not run, with the reason shown; calling it directly runs it."""
    one, two = s.register_pipe(double, name="one"), s.register_pipe(double, name="two")
    with s.plan() as plan:
        a, b = one(1), two(5)
        c = two(a)
    plan.prune(one, reason="the machine is down")
    assert plan.run(**how).counts == {"pruned": 2, "done": 1} and b.content == 10
    with pytest.raises(rms.NotComputedYet, match=r"two\(one\(.*\)\) was left out of the run: the machine is down"):
        _ = c.content
    assert one(1).content == 2


def test_plan_and_direct_calls_and_dry_run_are_the_same_tasks(s, how, tmp_path):
    """R18: plan, immediate and dry-run modes of the same code give the same set of tasks."""
    other = rms.open(tmp_path / "other.rms")

    def work(session):
        one, two = session.register_pipe(double, name="one"), session.register_pipe(twice, name="two")
        return [two(one(i)) for i in range(3)] + [one(7)]

    direct = work(other)
    with s.plan() as plan:
        work(s)
    dry = plan.explain().to_dict("records")
    plan.run(**how)
    query = "SELECT pipe, key, args FROM tasks ORDER BY ALL"
    assert s.sql(query).fetchall() == other.sql(query).fetchall()
    assert len(dry) == 7 and {row["status"] for row in dry} == {"run", "waits"}
    assert [r.content for r in direct] == [0, 4, 8, 14]
    other.close()


def test_a_placeholder_of_an_earlier_plan_is_its_result(s, how):
    pipe = s.register_pipe(double)
    with s.plan() as plan:
        a = pipe(1)
    plan.run(**how)
    with s.plan() as plan:
        b, c = pipe(a), pipe(50)
    assert plan.run(**how).counts == {"done": 2} and (b.content, c.content) == (4, 100)


# Further calls --------------------------------------------------------------------------------------------------------


def test_a_task_asks_for_further_calls(s, how, reopen):
    """R10: they join the running plan; unchanged ones are hits."""

    def define(session):
        leaf = session.register_pipe(double, name="leaf")

        def branch(n):
            return [leaf.later(i) for i in range(n)] if n > 1 else leaf.later(100)

        def gather(parts):
            return [*parts]

        return leaf, session.register_pipe(branch), session.register_pipe(gather)

    leaf, branch, gather = define(s)
    leaf(1)
    with s.plan() as plan:
        several, one = branch(4), branch(1)
        together = gather(several)
    counts = plan.run(**how).counts
    assert counts == {"done": 7, "hit": 1}
    assert [r.content for r in several.replacement] == [0, 2, 4, 6] and one.content == 200
    assert together.content == several.content == [0, 2, 4, 6]
    with pytest.raises(TypeError, match=r"stands for 4 results \(__len__\): write \.content"):
        len(several)
    assert {node.pipe for node in s.lineage(together, down=False).tasks} == {"gather", "leaf", "branch"}
    later = reopen(s)
    leaf, branch, gather = define(later)
    direct = branch(4)
    assert [r.content for r in direct] == [0, 2, 4, 6] and all(r.task.hit for r in direct)
    assert branch(1).content == 200 and gather(branch(4)).task.hit
    later.close()


def test_what_a_task_asked_for_is_read_from_stores_of_earlier_versions():
    """Theirs name the module in which it was then."""
    later = pickle.loads(b"\x80\x02crms_jupyter.run.later\nLater\n)\x81.")
    assert type(later).__name__ == "Later" and type(later).__module__ == "rms_jupyter.run.task.further"


def test_a_failure_of_a_further_call_fails_what_asked_for_it(s, how):
    boom_ = s.register_pipe(boom)

    def ask(x):
        return boom_.later(x)

    ask_, double_ = s.register_pipe(ask), s.register_pipe(double)
    with s.plan() as plan:
        double_(ask_(3))
    with pytest.raises(rms.PlanFailed, match="no 3") as failed:
        plan.run(**how)
    assert failed.value.report.counts == {"failed": 1, "upstream_failed": 2}


# Temporary files, loaders ---------------------------------------------------------------------------------------------


def note(name):
    with open("runs.txt", "a") as file:
        file.write(f"{name} ")


def runs():
    """Which functions have run since last asked, wherever they ran."""
    path = Path("runs.txt")
    names = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return sorted(names)


def unpack_reads(source, out):
    note("unpack")
    Path(out).write_text(source * 3)


def count_reads(path, letter):
    note("count")
    if letter == "!":
        raise ValueError("no letter")
    return Path(path).read_text().count(letter)


@pytest.fixture
def temporary(s):
    unpack = s.register_pipe(unpack_reads, outputs="out", temporary=True)
    return unpack, s.register_pipe(count_reads)


def test_a_temporary_file_goes_when_its_consumers_have_succeeded(s, how, temporary):
    """R8: removed after all its consumers succeeded, kept when one fails, made again only if needed."""
    unpack, count = temporary

    def plan_of(letters):
        with s.plan() as plan:
            file = unpack("abc", "reads.txt")
            results = [count(file, letter) for letter in letters]
        return plan, results

    plan, results = plan_of("a!")
    with pytest.raises(rms.PlanFailed):
        plan.run(**how)
    assert Path("reads.txt").exists() and runs() == ["count", "count", "unpack"]
    plan, results = plan_of("ab")
    assert plan.run(**how).counts == {"hit": 2, "done": 1} and [r.content for r in results] == [3, 3]
    assert not Path("reads.txt").exists() and runs() == ["count"]
    plan, results = plan_of("ab")
    assert plan.run(**how).counts == {"hit": 3} and runs() == [] and not Path("reads.txt").exists()
    plan, results = plan_of("abc")
    assert plan.run(**how).counts == {"hit": 3, "done": 1} and results[-1].content == 3
    assert runs() == ["count", "unpack"] and not Path("reads.txt").exists()


def load_big(n):
    note("load")
    return np.arange(n)


def total(data, k):
    note("total")
    return int(data.sum()) + k


def test_a_loader_runs_only_for_those_who_must_run(s, how, reopen):
    """R9: it runs only if some consumer must run; its value is shared, and released afterwards."""

    def work(session, ks):
        load, sum_ = session.register_pipe(load_big, volatile=True), session.register_pipe(total)
        with session.plan() as plan:
            data = load(10_000)
            results = [sum_(data, k) for k in ks]
        counts = plan.run(**how).counts
        return counts, [r.content for r in results]

    base = sum(range(10_000))
    assert work(s, [1, 2, 3]) == ({"done": 4}, [base + 1, base + 2, base + 3])
    assert runs() == ["load", "total", "total", "total"]
    later = reopen(s)
    assert work(later, [1, 2, 3])[0] == {"hit": 4} and runs() == []
    later = reopen(later)
    assert work(later, [1, 4, 5])[0] == {"hit": 2, "done": 2} and runs() == ["load", "total", "total"]
    later.close()


# Stopping, background --------------------------------------------------------------------------------------------------


def waits_for_go(x):
    until = time.monotonic() + 20
    while not Path("go").exists() and time.monotonic() < until:
        time.sleep(0.01)
    return x


def test_a_run_in_the_background_is_waited_for_by_whoever_reads(s, how):
    pipe = s.register_pipe(waits_for_go)
    with s.plan() as plan:
        results = [pipe(i) for i in range(3)]
    assert plan.run(**how, background=True) is None
    assert plan.is_running and s.register_pipe(double)(4).content == 8
    threading.Timer(0.3, Path("go").touch).start()
    assert results[0].content == 0
    assert plan.wait(30).counts == {"done": 3} and not plan.is_running


def test_one_can_print_while_tasks_run_in_the_background_of_the_same_process():
    script = """
import io, sys
import rms_jupyter as rms
s = rms.open("printed.rms")
same = s.pipe(lambda n: n, name="same")
out, sys.stdout = sys.stdout, io.StringIO()
with s.plan() as plan:
    for n in range(600): same(n)
sys.setswitchinterval(1e-6)
plan.run(n_jobs=1, background=True)
printed = 0
while plan.is_running:
    print("x", end="")
    printed += 1
assert sys.stdout.getvalue() == "x" * printed
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_an_interrupt_of_whoever_waits_does_not_end_a_run_in_the_background(s):
    pipe = s.register_pipe(waits_for_go)
    with s.plan() as plan:
        result = pipe(1)
    plan.run(background=True)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        plan.wait()
    assert plan.is_running
    Path("go").touch()
    assert plan.wait(30).counts == {"done": 1} and not plan.is_running and result.content == 1


def test_stopping_a_run_records_what_was_stopped(s, how):
    """R14, by `stop`: no child is left, finished work is recorded, the next run resumes."""
    pipe = s.register_pipe(sleeps, timeout=100)
    with s.plan() as plan:
        results = [pipe(0.01), *[pipe(60 + i) for i in range(6)]]
    plan.run(**how, background=True)
    assert results[0].content == 0.01
    time.sleep(0.5)
    plan.stop()
    report = plan.wait(30)
    assert report.counts["done"] == 1 and report.counts["cancelled"] == 6
    assert not children()
    statuses = dict(s.sql("SELECT status, count(*) FROM tasks GROUP BY ALL").fetchall())
    assert statuses["done"] == 1 and statuses["cancelled"] >= 1
    quick = s.register_pipe(sleeps, timeout=100)
    assert run(s, how, lambda: quick(0.01))[1].counts == {"hit": 1}


# In a notebook --------------------------------------------------------------------------------------------------------


def interrupt_later(kernel, seconds):
    import threading

    threading.Timer(seconds, lambda: os.kill(kernel.pid, signal.SIGINT)).start()


def below(pid):
    """Processes started by a process, and by those."""
    found = psutil.Process(pid).children(recursive=True)
    return {process for process in found if _command(process)}


NAPS = """%%rms pipe nap
import time
def beat():
    with open('beats', 'a') as file:
        file.write('.')
def nap(x, seconds):
    until = time.time() + seconds
    while time.time() < until:
        beat()
        time.sleep(min(seconds, 0.1))
    return x
"""


def beats():
    """How often tasks have said that they are alive."""
    return Path("beats").stat().st_size


def test_an_interrupt_stops_everything_and_the_next_run_resumes(kernel, where):
    """R14: nothing goes on, no child is left, finished work is recorded, the next run resumes."""
    kernel.run(NAPS)
    options = f"-j 2 --on {where}"
    kernel.run(f"%%rms run {options}\nwarm = [nap(i, 0.001) for i in (100, 101, 102)]")
    before = below(kernel.pid)
    interrupt_later(kernel, 2.0)
    began = time.monotonic()
    ran = kernel.run(f"%%rms run {options}\nrs = [nap(i, 0.05 if i < 4 else 60) for i in range(12)]")
    assert not ran.ok and "KeyboardInterrupt" in ran.error and time.monotonic() - began < 20
    assert "driver.py" not in ran.error and "interrupts.py" not in ran.error
    time.sleep(0.2)
    assert below(kernel.pid) <= before
    beaten = beats()
    counts = eval(
        kernel.value(
            "dict(__import__('rms_jupyter').current().sql('SELECT status, count(*) FROM tasks GROUP BY ALL').fetchall())"
        )
    )
    assert counts["done"] >= 6 and counts["cancelled"] >= 1, "what was in one batch with a stopped task may be lost"
    time.sleep(0.5)
    assert beats() == beaten
    ran = kernel.run(f"%%rms run {options}\nrs = [nap(i, 0.05 if i < 4 else 0.01) for i in range(12)]")
    hits = counts["done"] - 3
    assert ran.ok and f"{hits} hit" in ran.shown and f"{12 - hits} done" in ran.shown


def test_the_notebook_goes_on_while_a_run_is_in_the_background(kernel, where):
    kernel.run(NAPS)
    kernel.run("%%rms\ndef one(x):\n    return [x]")
    kernel.run(f"%%rms run -j 2 --on {where}\nwarm = nap(100, 0.1)")
    before = below(kernel.pid)
    ran = kernel.run(f"%%rms run -j 2 --on {where} --background\nrs = [nap(i, 1) for i in range(4)]")
    assert ran.ok and re.search(r"(run \d+) goes on in the background; %rms stop \1 ends it", ran.shown)
    assert "4 of 4" not in ran.shown
    assert kernel.value("one(5)") == "[5]"
    ran = kernel.run("print([r.content for r in rs]); time.sleep(1)")
    assert ran.text == "[0, 1, 2, 3]\n" and "4 of 4: 4 done" in ran.shown
    kernel.run(f"%%rms run -j 2 --on {where} --background --name long\nlater = [nap(i, 50) for i in range(10, 14)]")
    assert "stopping long" in kernel.run("%rms stop").shown
    ran = kernel.run("later[0].content")
    assert not ran.ok
    ran = kernel.run("%rms stop")
    assert not ran.ok and "no run is going on" in ran.error
    time.sleep(0.3)
    beaten = beats()
    time.sleep(0.5)
    assert beats() == beaten and below(kernel.pid) <= before


def test_an_interrupt_stops_a_run_also_where_dask_jobqueue_is_imported(kernel):
    """It makes an interrupt a SystemExit for whatever has imported it."""
    kernel.run(NAPS)
    kernel.run("import dask.distributed")
    interrupt_later(kernel, 3.0)
    ran = kernel.run("%%rms run -j 2\nimport dask_jobqueue\nrs = [nap(i, 60) for i in range(2)]")
    assert not ran.ok and "KeyboardInterrupt" in ran.error and "SystemExit" not in ran.error


def versions_asked_for(x):
    return importlib.import_module("rms_jupyter.fingerprint.origin")._installed_version.cache_info().misses


def test_a_new_worker_does_not_read_what_is_installed(s):
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        [result], _ = run(s, {"executor": executor}, lambda: s.register_pipe(versions_asked_for)(1))
    assert result.content == 0


def test_a_run_that_is_stopped_when_work_was_just_sent_ends_its_workers(s, monkeypatch):
    """Until its thread has seen it, loky takes it ill when a batch is cancelled: the thread dies, its workers live on."""
    send = Pool.send

    def send_and_stop(pool, *args, **options):
        send(pool, *args, **options)
        plan.stop()

    nap = s.register_pipe(time.sleep, name="nap")
    with s.plan() as plan:
        nap(0), nap(0.01)
    plan.run(n_jobs=2)  # The workers are there.
    monkeypatch.setattr(Pool, "send", send_and_stop)
    with s.plan() as plan:
        for i in range(20):
            nap(30 + i)
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1)  # Other threads wait, as on a busy machine.
    try:
        plan.run(n_jobs=2, background=True)
        assert plan.wait(20).counts == {"cancelled": 20}
    finally:
        sys.setswitchinterval(usual)
    assert not [child for child in psutil.Process().children() if "LokyProcess" in _command(child)]


def test_a_run_does_not_say_that_it_waits_for_itself(s, monkeypatch):
    monkeypatch.setattr("rms_jupyter.run.plan.claiming.LONG_WAIT", 0.2)

    @s.pipe
    def nap(i):
        time.sleep(1)
        return i

    with s.plan() as plan:
        first, second = nap(1), nap(1)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        plan.run(n_jobs=2, executor="threads")
    assert not told and first.content == second.content == 1
