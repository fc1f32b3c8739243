"""Plans: calls collected, run together, in parallel, and accounted for."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rms_jupyter as rms


def add(i, j=2):
    return i + j


def log(path, text):
    """Leave a trace that counts runs across processes."""
    with open(path, "a") as file:
        file.write(text + "\n")


def test_nothing_runs_before_it_is_executed(s, how, tmp_path):
    trace = tmp_path / "trace"

    def traced(i, j):
        log(trace, f"{i}")
        return i + j

    pipe = s.register_pipe(traced, ignore="trace")
    with s.plan() as plan:
        a = pipe(1, 2)
        b = pipe(a, 4)
        c = pipe(b, a)
    assert not trace.exists()
    with pytest.raises(rms.NotComputedYet, match="not computed until the cell ends"):
        _ = a.content
    report = plan.run(**how)
    assert report.counts == {"done": 3}
    assert [a.content, b.content, c.content] == [3, 7, 10]
    assert pipe(1, 2).id == a.replacement.id and pipe(pipe(1, 2), 4).task.hit
    assert len(s.lineage(c.replacement, down=False).tasks) == 3


def test_a_plan_and_direct_calls_record_the_same_tasks(tmp_path):
    def keys(run):
        with rms.open(tmp_path / f"{run}.rms") as s:
            pipe = s.register_pipe(add)
            if run == "direct":
                pipe(pipe(1), pipe(2))
            else:
                with s.plan() as plan:
                    pipe(pipe(1), pipe(2))
                plan.run(n_jobs=2 if run == "parallel" else 1)
            return sorted(s.sql("SELECT key, args FROM tasks").fetchall())

    assert keys("direct") == keys("serial") == keys("parallel")


def test_one_failure_stops_only_what_depends_on_it(s, how):
    def fails(x):
        raise ValueError(f"no {x}")

    fails_, add_ = s.register_pipe(fails), s.register_pipe(add)
    with s.plan() as plan:
        a = fails_(1)
        b = add_(a, 1)
        c = add_(5, 1)
    with pytest.raises(rms.PlanFailed, match=r"fails\(1\) failed: ValueError: no 1") as caught:
        plan.run(**how)
    assert caught.value.report.counts == {"failed": 1, "upstream_failed": 1, "done": 1}
    assert isinstance(caught.value.__cause__, ValueError)
    assert c.content == 6
    with pytest.raises(ValueError, match="no 1"):
        _ = a.content
    with pytest.raises(rms.NotComputedYet):
        _ = b.content
    assert [t.status for t in s.tasks(pipe="fails")] == ["failed"]


def test_stopping_at_the_first_failure(s):
    def fails(x):
        raise ValueError

    fails_, add_ = s.register_pipe(fails), s.register_pipe(add)
    with s.plan() as plan:
        fails_(1)
        for i in range(50):
            add_(i)
    with pytest.raises(rms.PlanFailed) as caught:
        plan.run(n_jobs=1, on_error="stop")
    counts = caught.value.report.counts
    assert counts["failed"] == 1 and counts["cancelled"] > 0 and sum(counts.values()) == 51


def test_a_second_run_executes_nothing_in_a_new_process_too(s, tmp_path):
    script = f"""
import rms_jupyter as rms
def work(i):
    with open({str(tmp_path / "trace")!r}, "a") as f:
        f.write("x")
    return i * 2
with rms.open({str(tmp_path / "p.rms")!r}) as s:
    pipe = s.register_pipe(work)
    with s.plan() as plan:
        results = [pipe(i) for i in range(20)]
    print(plan.run(n_jobs=2), sum(r.content for r in results))
"""
    Path("script.py").write_text(script)
    runs = [subprocess.run([sys.executable, "script.py"], capture_output=True, text=True) for _ in range(2)]
    assert [r.stdout for r in runs] == ["20 done 380\n", "20 hit 380\n"], runs[0].stderr + runs[1].stderr
    assert len((tmp_path / "trace").read_text()) == 20


def test_a_call_that_names_the_file_of_another_runs_after_it(s, how):
    """R2: a planned call names by path a file that another planned call will write."""

    def read(path):
        return Path(path).read_text()

    def write(path, text):
        Path(path).write_text(text)

    read_, write_ = s.register_pipe(read), s.register_pipe(write, outputs="path")
    with s.plan() as plan:
        r = read_("out.txt")
        write_("out.txt", "hello")
    plan.run(**how)
    assert r.content == "hello"
    assert len(s.lineage(r.replacement, down=False).tasks) == 2


def test_a_cycle_is_named_before_anything_runs(s):
    def copy(source, target):
        Path(target).write_text("x")

    pipe = s.register_pipe(copy, outputs="target")
    with s.plan() as plan:
        pipe("a.txt", "b.txt")
        pipe("b.txt", "a.txt")
    with pytest.raises(rms.CycleError, match=r'copy\("a.txt".*→.*copy\("b.txt"'):
        plan.run()
    assert not os.path.exists("a.txt") and not s.tasks()


def test_two_claims_on_one_file_are_named_before_anything_runs(s):
    def write(path, text):
        Path(path).write_text(text)

    pipe = s.register_pipe(write, outputs="path")
    with s.plan() as plan:
        pipe("a.txt", "1")
        pipe("a.txt", "2")
    with pytest.raises(rms.ContractError, match="two calls declare to write .*a.txt"):
        plan.run()
    assert not os.path.exists("a.txt")


def test_asking_for_one_result_runs_only_what_it_needs(s, how):
    pipe = s.register_pipe(add)
    with s.plan() as plan:
        a = pipe(1)
        b = pipe(a, 5)
        c = pipe(10)
    assert plan.run(**how, only=b).counts == {"done": 2}
    assert b.content == 8
    with pytest.raises(rms.NotComputedYet):
        _ = c.content
    assert plan.run(**how).counts == {"hit": 2, "done": 1}


def test_explaining_runs_and_writes_nothing(s):
    pipe = s.register_pipe(add)
    pipe(1)
    before = sorted((p, p.stat().st_size) for p in s.path.rglob("*") if p.is_file())
    with s.plan() as plan:
        a = pipe(1)
        pipe(pipe(a, 9), 1)
    table = plan.explain()
    assert list(table["task"]) == ["add(1, j=2)", "add(add(1, j=2), j=9)", "add(add(add(1, j=2), j=9), j=1)"]
    assert list(table["status"]) == ["hit", "run", "waits"]
    assert sorted((p, p.stat().st_size) for p in s.path.rglob("*") if p.is_file()) == before


def test_what_never_ran_has_no_time_rather_than_none(s):
    with s.plan() as plan:
        s.register_pipe(add)(1)
    assert plan.explain()["seconds"].dtype == float and "None" not in str(plan.explain())


def test_several_declared_outputs_unpack_before_they_exist(s, how):
    def split(a, b):
        Path(a).write_text("A")
        Path(b).write_text("B")

    def read(path):
        return Path(path).read_text()

    split_, read_ = s.register_pipe(split, outputs=["a", "b"]), s.register_pipe(read)
    with s.plan() as plan:
        a, b = split_("a.txt", "b.txt")
        r = read_(b)
    plan.run(**how)
    assert r.content == "B" and a.replacement.path.endswith("a.txt")


def test_large_arrays_travel_by_the_store(s):
    def make(n):
        return np.arange(float(n))

    def total(x, scale):
        return float(x.sum() * scale)

    make_, total_ = s.register_pipe(make), s.register_pipe(total)
    given = np.ones(200_000)
    with s.plan() as plan:
        a = make_(100_000)
        results = [total_(a, 1), total_(given, 2), total_([a, given][1], 3)]
    plan.run(n_jobs=2)
    assert [r.content for r in results] == [4999950000.0, 400000.0, 600000.0]
    assert type(a.content) is np.ndarray and a.content.flags.writeable
    a.content[:] = 0
    assert total_(a, 1).content == 4999950000.0 and make_(100_000).content[-1] == 99_999


def test_equal_calls_of_a_plan_compute_once(s, how, tmp_path):
    trace = tmp_path / "trace"

    def traced(i):
        log(trace, str(i))
        return i

    pipe = s.register_pipe(traced, ignore="trace")
    with s.plan() as plan:
        a, b = pipe(1), pipe(1)
    assert plan.run(**how).counts == {"done": 1, "hit": 1}
    assert a.replacement.id == b.replacement.id and trace.read_text() == "1\n"


def test_classes_of_the_script_come_back_as_themselves(s):
    pipe = s.register_pipe(make_sample)
    with s.plan() as plan:
        a = pipe("x")
    plan.run(n_jobs=2)
    assert isinstance(a.content, Sample) and a.content.name == "x"


class Sample:
    def __init__(self, name):
        self.name = name


def make_sample(name):
    return Sample(name)


def test_what_cannot_travel_runs_here(s):
    import threading

    lock = threading.Lock()

    def use(x):
        with lock:
            return os.getpid()

    pipe = s.register_pipe(use, ignore="lock")
    with s.plan() as plan:
        a = pipe(1)
    plan.run(n_jobs=2)
    assert a.content == os.getpid()


def test_any_executor_will_do(s):
    from concurrent.futures import ThreadPoolExecutor

    pipe = s.register_pipe(add)
    with ThreadPoolExecutor(3) as executor:
        with s.plan() as plan:
            results = [pipe(i) for i in range(30)]
        assert plan.run(executor=executor).counts == {"done": 30}
    assert [r.content for r in results] == [i + 2 for i in range(30)]


@pytest.mark.parametrize(
    "options, message",
    [({"n_jobs": 0}, "n_jobs is 0"), ({"executor": 5}, "int is not an executor"), ({"on_error": "?"}, "on_error is")],
)
def test_wrong_options_are_refused(s, options, message):
    with s.plan() as plan:
        s.register_pipe(add)(1)
    with pytest.raises(rms.RmsError, match=message):
        plan.run(**options)


def test_a_plan_left_without_run_says_so(s):
    with s.plan() as plan:
        s.register_pipe(add)(1)
    with pytest.warns(rms.RmsWarning, match="a plan of 1 calls was left without run"):
        del plan


def test_progress_is_told_at_most_ten_times_a_second(s):
    pipe = s.register_pipe(add)
    with s.plan() as plan:
        for i in range(3000):
            pipe(i)
    seen = []
    plan.run(n_jobs=2, watch=lambda snapshot: seen.append((snapshot.elapsed, snapshot.ended, snapshot.text())))
    assert seen[-1][1] == 3000 and seen[-1][2] == "3,000 of 3,000: 3,000 done"
    assert len(seen) <= 10 * seen[-1][0] + 2
