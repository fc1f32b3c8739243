"""A kernel killed at any moment: what was acknowledged is there, the store opens, and what was cut off is named."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import rms_jupyter as rms
from tests.conftest import soak

TIMES = 100 if soak() else 12

DIRECT = """
import sys, time
import rms_jupyter as rms
s = rms.open("killed.rms")
def work(i):
    time.sleep(0.002 * (i % 3))
    return list(range(i % 50)) if i % 2 else i
def write(i, path):
    with open(path, "w") as f:
        f.write(str(i))
work_, write_ = s.register_pipe(work), s.register_pipe(write, outputs="path")
start = int(sys.argv[1])
for i in range(start, start + 100_000):
    r = work_(i) if i % 5 else write_(i, f"{i}.txt")
    print(i, r.task.id, flush=True)
    if i % 200 == 199:
        s.sql("SELECT count(*) FROM tasks")
"""

PLAN = """
import sys, time
import rms_jupyter as rms
s = rms.open("killed.rms")
def work(i):
    time.sleep(0.003)
    return i
if __name__ == "__main__":
    pipe = s.register_pipe(work)
    start = int(sys.argv[1])
    with s.plan() as plan:
        rs = [pipe(i) for i in range(start, start + 3000)]
    print("begun", flush=True)
    plan.run(n_jobs=2)
"""

GC = """
import sys
from pathlib import Path
import rms_jupyter as rms
s = rms.Session(Path("killed.rms"))
def work(i):
    return list(range(i, i + 5000))
pipe = s.register_pipe(work)
start = int(sys.argv[1])
print("begun", flush=True)
for i in range(start, start + 100_000):
    pipe(i)
    if i % 10 == 9:
        s.gc(items=20)
        s.gc(compact=True)
"""


def killed(script, start, after):
    """Run a script and kill it `after` seconds behind its first line of output; gives what it had printed."""
    Path("script.py").write_text(script)
    with subprocess.Popen(
        [sys.executable, "script.py", str(start)], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        first = process.stdout.readline()
        time.sleep(after)
        os.killpg(process.pid, signal.SIGKILL)
        return first + process.stdout.read()


@pytest.mark.soak
def test_nothing_acknowledged_is_lost(tmp_path):
    chance = random.Random(7)
    acknowledged = {}
    for round_ in range(TIMES):
        output = killed(DIRECT, round_ * 1_000_000, chance.uniform(0, 0.4))
        complete = output[: output.rfind("\n") + 1].splitlines()
        acknowledged.update((int(i), int(ident)) for i, ident in map(str.split, complete))
        with rms.Session(tmp_path / "killed.rms") as s:
            named = [problem for problem in s.problems if "cut off" in problem]
            assert len(named) <= 2, named
            ids = {ident for (ident,) in s.sql("SELECT id FROM tasks WHERE status = 'done'").fetchall()}
            assert set(acknowledged.values()) <= ids
            cut = s.sql("SELECT count(*) FROM tasks WHERE status = 'cut_off'").fetchall()[0][0]
            assert s.sql("SELECT count(*) = count(DISTINCT id) FROM tasks").fetchall() == [(True,)]
    assert len(acknowledged) > 10 * TIMES and cut > TIMES / 4
    with rms.Session(tmp_path / "killed.rms") as s:
        for ident in random.Random(1).sample(sorted(acknowledged.values()), 20):
            assert s.home.task(ident).status == "done"


@pytest.mark.soak
def test_a_plan_resumes_where_it_was_cut(tmp_path):
    chance = random.Random(5)
    done = 0
    for round_ in range(max(3, TIMES // 6)):
        killed(PLAN, 0, chance.uniform(0.5, 1.5) + 2 * (round_ % 3))  # a busy machine may need a second to begin
        with rms.Session(tmp_path / "killed.rms") as s:
            assert all("cut off" in problem for problem in s.problems)
            now = s.sql("SELECT count(*) FROM tasks WHERE status = 'done'").fetchall()[0][0]
            assert now >= done
            assert s.sql("SELECT count(DISTINCT key) FROM tasks WHERE status = 'done'").fetchall() == [(now,)]
            done = now
    assert done > 0


@pytest.mark.soak
def test_what_room_is_made_for_is_there_or_is_computed_again(tmp_path):
    chance = random.Random(3)
    for round_ in range(TIMES // 2 if soak() else 3):
        killed(GC, 100 * round_, chance.uniform(0, 1.5))
        with rms.Session(tmp_path / "killed.rms") as s:
            assert all("cut off" in problem for problem in s.problems), s.problems
            assert s.sql("SELECT count(*) = count(DISTINCT id) FROM tasks").fetchall() == [(True,)]
            pipe = s.register_pipe(lambda i: list(range(i, i + 5000)), name="work")
            for start in (100 * round_, 100 * round_ + 5):
                assert pipe(start).content == list(range(start, start + 5000))
            assert not list((s.path / "staging").iterdir()), "what was half made stays"


def test_what_was_cut_off_is_named(tmp_path):
    script = """
import time
import rms_jupyter as rms
s = rms.open("killed.rms")
def slow(sample):
    print("begun", flush=True)
    time.sleep(60)
s.register_pipe(slow)("s_118")
"""
    killed(script, 0, 0.1)
    with rms.Session(tmp_path / "killed.rms") as s:
        assert s.problems == ['cut off when its kernel died: slow("s_118")']
        assert [t.status for t in s.tasks()] == ["cut_off"]
    with rms.Session(tmp_path / "killed.rms") as s:
        assert s.problems == []


def test_a_call_that_takes_long_is_named_though_others_of_its_pipe_were_brief(tmp_path):
    script = """
import time
import rms_jupyter as rms
s = rms.open("killed.rms")
def work(seconds):
    if seconds > 1:
        time.sleep(seconds)
    return seconds
pipe = s.register_pipe(work)
for i in range(500):
    pipe(i / 1e9)
print("begun", flush=True)
pipe(60)
"""
    killed(script, 0, 1.5)
    with rms.Session(tmp_path / "killed.rms") as s:
        assert s.problems == ["cut off when its kernel died: work(60)"]
        assert s.sql("SELECT status, count(*) FROM tasks GROUP BY ALL ORDER BY ALL").fetchall() == [
            ("cut_off", 1),
            ("done", 500),
        ]


def test_two_kernels_at_brief_calls_of_one_pipe_know_what_the_other_has_done(tmp_path):
    script = """
import sys
import rms_jupyter as rms
s = rms.open("shared.rms")
def work(i):
    return i * i
pipe = s.register_pipe(work)
print("ready", flush=True)
for line in sys.stdin:
    start, stop = map(int, line.split())
    results = [pipe(i) for i in range(start, stop)]
    assert [r.content for r in results] == [i * i for i in range(start, stop)]
    print(sum(r.task.hit for r in results), flush=True)
"""
    Path("script.py").write_text(script)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    first, second = (subprocess.Popen([sys.executable, "script.py"], **pipes) for _ in range(2))

    def ask(*kernels, start, stop):
        for kernel in kernels:
            kernel.stdin.write(f"{start} {stop}\n")
            kernel.stdin.flush()
        return [int(kernel.stdout.readline()) for kernel in kernels]

    for kernel in (first, second):
        assert kernel.stdout.readline() == "ready\n"
    for kernel in (first, second):
        ask(kernel, start=0, stop=1000)
    assert ask(first, start=1000, stop=2000) == [0]
    assert ask(second, start=1000, stop=2000) == [1000]
    assert sum(ask(first, second, start=2000, stop=12_000)) == 10_000, "each is computed once"
    assert ask(first, second, start=2000, stop=12_000) == [10_000, 10_000]
    for kernel in (first, second):
        kernel.communicate()
    with rms.Session(tmp_path / "shared.rms") as s:
        assert s.sql("SELECT count(DISTINCT key) FROM tasks").fetchall() == [(12_000,)]


def test_two_kernels_compute_a_shared_call_once(tmp_path_factory):
    trace = (
        tmp_path_factory.mktemp("trace") / "trace"
    )  # Beside the project: to add to a file of that is done each time.
    script = """
import sys, time
import rms_jupyter as rms
s = rms.open("shared.rms")
def slow(i):
    with open(sys.argv[1], "a") as f:
        f.write(f"{i} ")
    time.sleep(0.3)
    return i
pipe = s.register_pipe(slow)
print("ready", flush=True)
sys.stdin.readline()
print([pipe(i).content for i in range(4)], flush=True)
"""
    Path("script.py").write_text(script)
    command = [sys.executable, "script.py", str(trace)]
    kernels = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for process in kernels:
        assert process.stdout.readline() == "ready\n"
    for process in kernels:
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate()[0] for process in kernels]
    assert outputs == ["[0, 1, 2, 3]\n"] * 3
    assert sorted(trace.read_text().split()) == ["0", "1", "2", "3"]


def test_a_kernel_that_dies_leaves_its_results_to_the_next(kernel, tmp_path):
    from tests.kernel import Kernel

    kernel.run(
        "%%rms\ndef work(i):\n    return i * 2\nimport rms_jupyter as rms\nr = [rms.info(work(i)).id for i in range(20)]"
    )
    ids = kernel.value("r")
    kernel.kill()
    with Kernel(tmp_path) as later:
        later.run("%load_ext rms_jupyter")
        ran = later.run(
            "%%rms\ndef work(i):\n    return i * 2\nimport rms_jupyter as rms\nr = [rms.info(work(i)).id for i in range(20)]"
        )
        assert ran.ok and "20 hits" in ran.shown
        assert later.value("r") == ids


def test_a_forked_child_writes_a_journal_of_its_own(s):
    def work(i):
        return i

    pipe = s.register_pipe(work)
    pipe(1)
    s.sql("SELECT 1")
    child = os.fork()
    if child == 0:
        try:
            ok = pipe(1).task.hit and not pipe(2).task.hit and s.sql("SELECT count(*) FROM tasks").fetchall() == [(2,)]
            os._exit(0 if ok else 1)
        except BaseException:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert pipe(2).task.hit
    assert s.sql("SELECT count(*) FROM tasks").fetchall() == [(2,)]
    assert len(list((s.path / "journal").glob("*.jsonl"))) == 2


def forks(i, kept):
    child = os.fork()
    if not child:
        return -1
    return i if os.waitpid(child, 0)[1] == 0 else -2


@pytest.mark.filterwarnings("ignore:forks runs each time")
@pytest.mark.parametrize("kept", [1, [1]])
def test_a_call_that_returns_in_a_forked_child_too_is_answered_with_what_it_gave_where_it_began(s, reopen, kept):
    began, pipe, code = os.getpid(), s.pipe(forks), 1
    try:
        given = pipe(5, kept)
        code = given != -1
    finally:
        if os.getpid() != began:
            os._exit(code)
    assert given == 5
    found = reopen(s).pipe(forks).lookup(5, kept)
    assert found is None or found.content == 5
