"""Nothing is left behind: no process that a kernel or a task has started, no file that nobody will finish."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import rms_jupyter as rms

SCRIPT = """
import os, subprocess, sys, time
import rms_jupyter as rms

def note(process):
    with open("pids", "a") as file:
        file.write(f"{process} ")

def work(i, seconds):
    note(os.getpid())
    if seconds > 1:
        note(subprocess.Popen(["sleep", "200"], start_new_session=True).pid)
    time.sleep(seconds)
    return i

def hang_at_the_end(i):
    import atexit
    atexit.register(time.sleep, 200)
    return i

def run(pipe, calls, **how):
    with s.plan() as plan:
        results = [pipe(*call) for call in calls]
    plan.run(**how)

s = rms.open("left.rms")
if __name__ == "__main__":
    what = sys.argv[1]
    if what == "idle":
        run(s.register_pipe(work), [(1, 0.1), (2, 0.1)], n_jobs=2)
        print("ready", flush=True)
        time.sleep(200)
    elif what == "hang":
        run(s.register_pipe(hang_at_the_end), [(1,), (2,)], n_jobs=2)
        print("ready", flush=True)
    else:
        run(s.register_pipe(work, isolate=what == "isolated"), [(1, 200)], n_jobs=2)
"""


def begin(what):
    Path("script.py").write_text(SCRIPT)
    return subprocess.Popen(
        [sys.executable, "script.py", what],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )


def eventually(holds, seconds):
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.1)
    return holds()


def noted():
    return [int(pid) for pid in Path("pids").read_text().split()] if Path("pids").exists() else []


def alive(processes):
    return [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("what", ["busy", "idle", "isolated"])
def test_workers_of_a_killed_kernel_end_within_seconds(what):
    with begin(what) as kernel:
        assert eventually(lambda: len(noted()) >= 2, 60)
        if what == "idle":
            kernel.stdout.readline()
        of_tasks = [psutil.Process(pid) for pid in noted() if psutil.pid_exists(pid)]
        left = {*psutil.Process(kernel.pid).children(recursive=True), *of_tasks}
        assert left
        kernel.kill()
    assert eventually(lambda: not alive(left), 10), alive(left)


def test_what_a_task_does_at_its_end_keeps_nobody_from_ending():
    with begin("hang") as kernel:
        kernel.stdout.readline()
        left = psutil.Process(kernel.pid).children(recursive=True)
        assert kernel.wait(30) == 0
    assert eventually(lambda: not alive(left), 10), alive(left)


def detached(path):
    """Start what outlives its parent: in a session of its own, and below one that ends at once."""
    own = subprocess.Popen(["sleep", "200"], start_new_session=True)
    orphan = subprocess.run(
        ["sh", "-c", "setsid sleep 200 > /dev/null 2>&1 & echo $!"], capture_output=True, text=True, check=True
    )
    Path(path).write_text(f"{own.pid} {orphan.stdout}")
    time.sleep(200)


def test_a_task_that_times_out_ends_with_what_it_has_started_in_sessions_of_its_own(s, tmp_path):
    path = str(tmp_path / "pids")
    pipe = s.register_pipe(detached, timeout=2, ignore="path")
    with s.plan() as plan:
        pipe(path)
    with pytest.raises(rms.PlanFailed):
        plan.run(n_jobs=1)
    assert len(noted()) == 2
    assert not [pid for pid in noted() if psutil.pid_exists(pid) and alive([psutil.Process(pid)])]


def test_what_dead_processes_were_writing_goes_and_what_living_ones_write_stays(s, reopen):
    unfinished = s.path / "objects" / ".unfinished"
    pipe = s.pipe(lambda n: bytes(n), name="make")
    pipe(100_000)
    assert not list(unfinished.iterdir())
    dead = subprocess.Popen(["true"])
    dead.wait()
    host = re.sub(r"[^\w.-]", "_", os.uname().nodename)
    names = {
        "dead": unfinished / f"{host}~{dead.pid}~1~{'ab' * 16}.bin",
        "alive": unfinished / f"{host}~{os.getpid()}~1~{'cd' * 16}.bin",
        "elsewhere": unfinished / f"other-{host}~{dead.pid}~1~{'ef' * 16}.bin",
        "long ago elsewhere": unfinished / f"other-{host}~{dead.pid}~1~{'01' * 16}.bin",
        "staged": s.path / "staging" / f"{host}~{dead.pid}~1~staged.ndjson",
    }
    for path in names.values():
        path.write_bytes(b"half")
    os.utime(names["long ago elsewhere"], (0, 0))
    reopen(s)
    assert {name for name, path in names.items() if path.exists()} == {"alive", "elsewhere"}


def test_a_killed_writer_leaves_nothing_once_the_store_is_opened(tmp_path):
    Path("writer.py").write_text(
        "import os, signal, rms_jupyter as rms\n"
        "s = rms.open('killed.rms')\n"
        "os.fdatasync = lambda fd: os.kill(os.getpid(), signal.SIGKILL)\n"
        "s.pipe(lambda n: bytes(n), name='make')(100_000)\n"
    )
    assert subprocess.run([sys.executable, "writer.py"]).returncode == -9
    unfinished = tmp_path / "killed.rms" / "objects" / ".unfinished"
    assert len(list(unfinished.iterdir())) == 1
    with rms.Session(tmp_path / "killed.rms") as s:
        assert not list(unfinished.iterdir())
        assert s.pipe(lambda n: bytes(n), name="make")(100_000) == bytes(100_000)
