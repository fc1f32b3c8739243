"""What tasks print, seen while they run: in this kernel, in workers, and from another notebook."""

import os
import re
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

import rms_jupyter as rms
from rms_jupyter.run.task import live_output as live
from tests.kernel import Kernel

HOW = ["serial", "threads", "loky", "isolated"]


def begin(s, how, pipe, *args):
    """Run a call for each argument in the background; gives the plan and the placeholders."""
    with s.plan() as plan:
        results = [pipe(arg) for arg in args]
    executor = how if how in ("serial", "threads") else None
    plan.run(n_jobs=2, executor=executor, background=True)
    return plan, results


def wait_for(condition, seconds=60):
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)
    return found


def live_files(s):
    return list((s.path / "running").glob("*.log"))


def talks(flag):
    """Say something on all ways, and go on until a file is there."""
    import logging

    print("out é")
    sys.stderr.write("err\n")
    warnings.warn("careful", stacklevel=1)
    logging.getLogger("steps").warning("short")
    print("unfinished", end="")
    while not Path(flag).exists():
        time.sleep(0.02)
    print(" line")
    return flag


@pytest.mark.parametrize("how", HOW)
def test_what_a_task_prints_is_seen_while_it_runs_and_afterwards(s, how, capfd):
    pipe = s.register_pipe(talks, isolate=how == "isolated")
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        plan, [result] = begin(s, how, pipe, "go")
        assert str(s.logs(result)) == 'talks("go") · waits, or has just begun\n(nothing printed)'
        wait_for(lambda: "unfinished" in str(s.logs(running=True)))
        text = s.logs(pipe).text
        assert text.startswith("out é\nerr\n") and "UserWarning: careful" in text
        assert text.endswith("WARNING steps: short\nunfinished") and s.logs(result).text == text
        head = s.logs("talks").entries[0].head
        assert head.startswith('talks("go") · running · ')
        key = head.rpartition(" · ")[2]
        assert len(s.logs(key)) == len(s.logs("talks(flag='go')")) == len(s.logs('talks( flag = "go" )')) == 1
        other = rms.Session(s.path, read_only=True)
        assert other.logs("talks").text == text
        other.close()
        Path("go").touch()
        assert plan.wait(30).counts == {"done": 1}
    assert s.logs(result).text == result.task.printed == f"{text} line\n" and not live_files(s)
    assert " · done · " in str(s.logs("talks")) and str(s.logs(running=True)) == "(no task has run for a second yet)"


def test_what_a_command_writes_is_seen(s):
    def commands(flag):
        code = f"echo first; echo error >&2; while [ ! -e {flag} ]; do sleep 0.05; done; echo last"
        subprocess.run(["sh", "-c", code], check=True)

    plan, [result] = begin(s, "loky", s.register_pipe(commands), "go")
    wait_for(lambda: len(s.logs(running=True)) and s.logs(running=True).text == "first\nerror\n")
    Path("go").touch()
    plan.wait(30)
    assert result.task.printed == "first\nerror\nlast\n"


def pours(seconds):
    """Print lines in two pieces each, as fast as it goes."""
    until, i = time.time() + seconds, 0
    while time.time() < until:
        sys.stdout.write(f"{i} ä")
        sys.stdout.write("ö€😀" * (i % 5) + "\n")
        i += 1
        if i % 20 == 0:
            time.sleep(0.005)


@pytest.mark.parametrize("how", HOW)
def test_nothing_is_torn(s, how, capfd):
    plan, [result] = begin(s, how, s.register_pipe(pours, isolate=how == "isolated"), 2.2)
    seen = set()
    while plan.is_running:
        seen.update(log.text for log in s.logs(running=True).entries)
    whole = result.task.printed
    assert len(seen) > 2
    torn = [text[-80:] for text in seen if not whole.startswith(text) or text[-1:] not in ("", "\n")]
    assert not torn


def test_a_flood_is_bounded(s):
    def floods(flag):
        while not Path(flag).exists():
            print("€" * 9_999)
            time.sleep(0.001)

    plan, [result] = begin(s, "loky", s.register_pipe(floods), "go")
    text = wait_for(lambda: (t := s.logs(running=True)) and "more is" in t.text and t.text)
    assert max(path.stat().st_size for path in live_files(s)) < 1_001_000
    kept, _, more = text.rpartition("\n")
    assert set(kept) == {"€", "\n"} and more == "… more is not shown while it runs"
    Path("go").touch()
    plan.wait(30)
    assert result.task.printed.startswith(kept)


def test_a_task_that_prints_dots_shows_them(s):
    def dots(flag):
        while not Path(flag).exists():
            print(".", end="", flush=True)
            time.sleep(0.1)

    plan, _ = begin(s, "loky", s.register_pipe(dots), "go")
    first = wait_for(lambda: len(s.logs(running=True)) and len(s.logs(running=True).text))
    wait_for(lambda: len(s.logs(running=True)) and len(s.logs(running=True).text) > first)
    Path("go").touch()
    plan.wait(30)


def silent(flag):
    while not Path(flag).exists():
        time.sleep(0.02)
    return flag


def test_a_silent_task_is_seen_too_and_the_longest_comes_first(s):
    pipe = s.register_pipe(silent)
    plan, _ = begin(s, "loky", pipe, "go")
    wait_for(lambda: len(s.logs(running=True)) == 1)
    second, _ = begin(s, "threads", pipe, "go2")
    wait_for(lambda: len(s.logs(running=True)) == 2)
    assert [log.head.partition(" · ")[0] for log in s.logs("silent").entries] == [
        'silent("go")',
        'silent("go2")',
    ]
    assert str(s.logs(running=True)).count("(nothing printed)") == 2
    Path("go").touch(), Path("go2").touch()
    plan.wait(30), second.wait(30)


def test_short_tasks_write_nothing_and_leave_no_thread(s, monkeypatch):
    made = []
    monkeypatch.setattr(live, "LiveText", lambda *args: made.append(args))
    pipe = s.register_pipe(lambda i: print(i) if i % 100 == 0 else i, name="short")
    with s.plan() as plan:
        for i in range(500):
            pipe(i)
    plan.run(n_jobs=1)
    for i in range(500, 900):
        pipe(i)
    assert made == []
    wait_for(lambda: live._thread is None)


def test_what_the_user_prints_beside_a_run_is_not_the_tasks(s, capsys):
    plan, [result] = begin(s, "serial", s.register_pipe(silent), "go")
    wait_for(lambda: len(s.logs(running=True)))
    print("in another cell")
    Path("go").touch()
    plan.wait(30)
    assert result.task.printed == "" and "in another cell" in capsys.readouterr().out


# Ends -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", HOW)
def test_a_stopped_task_leaves_nothing(s, how, capfd):
    def endless(i):
        print("begun", i)
        for _ in range(60):
            time.sleep(0.05)

    plan, results = begin(s, how, s.register_pipe(endless, isolate=how == "isolated"), 1, 2, 3)
    wait_for(lambda: s.logs(running=True).entries)
    assert "waits" in str(s.logs(results[2]))
    plan.stop()
    plan.wait(30)
    wait_for(lambda: not live_files(s))
    assert len(s.logs(running=True)) == 0


@pytest.mark.parametrize("isolate", [False, True])
def test_a_killed_worker_leaves_nothing(s, isolate):
    def dies(flag):
        print("last words", flush=True)
        while not Path(flag).exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGKILL)

    plan, [result] = begin(s, "loky", s.register_pipe(dies, isolate=isolate), "go")
    wait_for(lambda: "last words" in str(s.logs(running=True)))
    Path("go").touch()
    with pytest.raises(rms.PlanFailed):
        plan.wait(30)
    assert not live_files(s) and "last words" in s.logs(result).text


KILLED = """
import sys, time
import rms_jupyter as rms
s = rms.open("killed.rms")
def works(i):
    print("step", i)
    time.sleep(100)
if __name__ == "__main__":
    pipe = s.register_pipe(works)
    with s.plan() as plan:
        rs = [pipe(i) for i in range(3)]
    plan.run(n_jobs=int(sys.argv[1]))
"""


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_what_a_killed_kernel_was_printing_is_kept_with_what_was_cut_off(n_jobs):
    Path("script.py").write_text(KILLED)
    with rms.Session(Path("killed.rms").absolute()) as other:
        with subprocess.Popen([sys.executable, "script.py", str(n_jobs)], start_new_session=True) as process:
            wait_for(lambda: other.logs(running=True).text.count("step") == n_jobs)
            os.killpg(process.pid, signal.SIGKILL)
        assert len(other.logs(running=True)) == 0, "its owner is dead"
    with rms.Session(Path("killed.rms").absolute()) as s:
        texts = [task.printed for task in s.tasks(status="cut_off")]
        assert sum("step" in text for text in texts) == n_jobs and not live_files(s)
        assert s.sql("SELECT count(*) FROM logs WHERE text LIKE 'step%'").fetchall() == [(n_jobs,)]


def test_what_was_cut_off_is_named_although_another_session_has_tidied_up():
    Path("script.py").write_text(KILLED)
    other = rms.Session(Path("killed.rms").absolute())
    with subprocess.Popen([sys.executable, "script.py", "1"], start_new_session=True) as process:
        wait_for(lambda: len(other.logs(running=True)))
        os.killpg(process.pid, signal.SIGKILL)
    other.close()
    with rms.Session(Path("killed.rms").absolute()) as s:
        assert s.problems == ["cut off when its kernel died: works(0)"]


def test_notes_follow_the_journal(s, monkeypatch):
    """A journal that has grown large is closed while tasks run: they are not taken for cut off."""
    monkeypatch.setattr("rms_jupyter.store.journal.SEAL_AT", 1)
    plan, [result] = begin(s, "loky", s.register_pipe(silent), "go")
    wait_for(lambda: len(s.logs(running=True)))
    s.register_pipe(lambda i: i, name="quick")(1)
    with rms.Session(s.path) as other:
        assert other.problems == [] and len(other.logs(running=True)) == 1
    Path("go").touch()
    plan.wait(30)
    assert result.content == "go" and [task.status for task in s.tasks(pipe="silent")] == ["done"]


# In notebooks ---------------------------------------------------------------------------------------------------------


def test_a_run_in_the_background_is_followed_here_and_from_another_notebook(kernel, tmp_path):
    kernel.run(
        "%%rms\nfrom pathlib import Path\nimport time\ndef fit(sample):\n    print('\\x1b[31mepoch\\x1b[0m \\x1b[2J1', sample)\n"
        "    while not Path('go').exists():\n        time.sleep(0.02)\n    print('converged')\n    return sample"
    )
    kernel.run("%%rms run -j 2 --background\nrs = [fit(i) for i in range(4)]\nlast = rs[3]")

    def seen():
        ran = kernel.run("%rms logs fit")
        return ran.ok and ran.result.count("epoch") == 2 and ran.result

    text = wait_for(seen)
    key = re.search(r"fit\(0\) · running · .*?(#[0-9a-f]{8})", text)[1]
    assert kernel.run(f"%rms logs {key}").result.count("running") == 1
    assert "fit(0) · running · " in text and "\x1b[31mepoch\x1b[0m 1 1" in text and "converged" not in text
    assert kernel.run("%rms logs --running").result.count("· running ·") == 2
    assert kernel.run("%rms logs fit(1)").result.count("running") == 1
    assert "fit(3) · waits" in kernel.run("%rms logs last").result
    (tmp_path / "other").mkdir()
    with Kernel(tmp_path / "other") as second:
        second.run("%load_ext rms_jupyter")
        second.run("%rms open ../.rms")
        assert second.run("%rms logs fit").result.count("· running ·") == 2
        ran = second.run("%rms logs --running --failed")
        assert not ran.ok and "--running all tasks that run" in ran.error
    Path("go").touch()
    wait_for(lambda: "fit(3) · done" in kernel.run("%rms logs last").result)
    assert "fit(0) · done" in kernel.run(f"%rms logs {key}").result
    assert "no task has run for a second" in kernel.run("%rms logs --running").result
    assert "--running" in kernel.complete("%rms logs --r")
