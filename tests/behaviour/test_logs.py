"""What one sees of tasks during and after a run: their text, what they cost, and the magics that show it."""

import logging
import os
import re
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

import rms_jupyter as rms

logger = logging.getLogger("steps.trim")


def talk(i):
    print("out", i)
    sys.stderr.write(f"err {i}\n")
    logger.info("cut %d", i)
    logger.debug("too small")
    logger.warning("short")
    warnings.warn("careful", stacklevel=1)
    thread = threading.Thread(target=print, args=("from a thread",))
    thread.start()
    thread.join()
    print("last", end="")
    return i


def expected(i):
    return f"out {i}\nerr {i}\nINFO steps.trim: cut {i}\nWARNING steps.trim: short\nUserWarning: careful\nfrom a thread\nlast"


def without_place(text):
    """Leave out where a warning came from."""
    return re.sub(r"\S+:\d+: (UserWarning: careful)\n.*\n", r"\1\n", text)


@pytest.fixture
def level():
    """Loggers let INFO through, as a notebook sets them up in its first cell."""
    before = logging.root.level
    logging.root.setLevel(logging.INFO)
    yield
    logging.root.setLevel(before)


@pytest.mark.parametrize("where", ["kernel", "serial", "processes", "threads", "isolated"])
def test_text_warnings_and_log_records_are_kept_in_order(s, level, capfd, where):
    pipe = s.register_pipe(talk, isolate=where == "isolated")
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        if where == "kernel":
            results = [pipe(i) for i in range(3)]
        else:
            with s.plan() as plan:
                results = [pipe(i) for i in range(3)]
            executor = ThreadPoolExecutor(1) if where == "threads" else None
            plan.run(n_jobs=1 if where == "serial" else 2, executor=executor)
    assert [without_place(r.task.printed) for r in results] == [expected(i) for i in range(3)]
    told = capfd.readouterr().out
    assert ("out 1" in told) == (where in ("kernel", "serial"))


def test_tasks_in_threads_keep_their_own(s):
    def chatter(name):
        for i in range(200):
            print(name, i)
            time.sleep(0.0001)

    pipe = s.register_pipe(chatter)
    with s.plan() as plan:
        results = [pipe(name) for name in "abcd"]
    with ThreadPoolExecutor(4) as executor:
        plan.run(executor=executor)
    for name, result in zip("abcd", results, strict=True):
        assert result.task.printed == "".join(f"{name} {i}\n" for i in range(200))


def test_what_is_written_below_python_is_kept_in_order_in_workers(s):
    def deep(i):
        print("first")
        os.write(1, b"descriptor\n")
        subprocess.run(["sh", "-c", f"echo command {i}; echo its error >&2"], check=True)
        sys.stdout.buffer.write(b"buffer\n")
        sys.stdout.flush()
        print("end")

    pipe = s.register_pipe(deep)
    with s.plan() as plan:
        results = [pipe(i) for i in range(8)]
    plan.run(n_jobs=2)
    lines = "first\ndescriptor\ncommand {}\nits error\nbuffer\nend\n"
    assert [r.task.printed for r in results] == [lines.format(i) for i in range(8)]


def test_a_command_left_running_does_not_write_into_the_next_task(s):
    def leave(i):
        subprocess.Popen(["sh", "-c", f"sleep 0.3; echo late {i}"])

    def after(i):
        time.sleep(0.5)
        print("mine", i)

    leave_, after_ = s.register_pipe(leave), s.register_pipe(after)
    with s.plan() as plan:
        results = [leave_(i) for i in range(4)] + [after_(i) for i in range(4)]
    plan.run(n_jobs=2)
    assert [r.task.printed for r in results] == [""] * 4 + [f"mine {i}\n" for i in range(4)]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_text_is_bounded_and_what_was_left_out_is_counted(s, n_jobs, capfd):
    def floods(i):
        for _ in range(30):
            print("é" * 99_999)
        os.write(2, b"")

    pipe = s.register_pipe(floods)
    with s.plan() as plan:
        results = [pipe(i) for i in range(2)]
    plan.run(n_jobs=n_jobs)
    for result in results:
        text, _, more = result.task.printed.rpartition("\n")
        assert len(text) == 1_000_000 and more == "… 2,000,000 more characters"


def test_a_flood_of_a_command_is_counted_too(s):
    def floods(i):
        subprocess.run(["sh", "-c", "head -c 6000000 /dev/zero | tr '\\0' x"], check=True)

    pipe = s.register_pipe(floods)
    with s.plan() as plan:
        results = [pipe(i) for i in range(2)]
    plan.run(n_jobs=2)
    assert results[0].task.printed == "x" * 1_000_000 + "\n… 5,000,000 more characters"


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_odd_text_is_kept_somehow(s, n_jobs, capfd):
    def odd(i):
        if n_jobs == 2:
            os.write(1, b"\xff\x00\x1b[31mred\x1b[0m\n")
            print("\ud800")
        try:
            sys.stdout.write(b"bytes")
        except TypeError:
            print("refused")
        sys.stdout.writelines(["a", "b\n"])
        if n_jobs == 2:  # Here, pytest would raise it.
            logger.warning("%d", "no number")

    pipe = s.register_pipe(odd)
    with s.plan() as plan:
        results = [pipe(i) for i in range(2)]
    plan.run(n_jobs=n_jobs)
    text = results[1].task.printed
    assert "refused\nab\n" in text
    if n_jobs == 2:
        assert text.startswith("\ufffd\x00\x1b[31mred\x1b[0m\n\\ud800\n")
    assert s.sql("SELECT count(*) FROM logs WHERE contains(text, 'refused')").fetchall() == [(2,)]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_task_that_fails_or_exits_keeps_its_text(s, n_jobs):
    def stops(how):
        print("before")
        if how == "close":
            sys.stdout.close()
        elif how == "exit":
            sys.exit(5)
        raise ValueError(how)

    pipe = s.register_pipe(stops)
    with s.plan() as plan:
        pipe("raise")
        pipe("exit")
        if n_jobs == 2:
            pipe("close")
    with pytest.raises(rms.PlanFailed):
        plan.run(n_jobs=n_jobs)
    assert [task.printed for task in s.tasks(status="failed")] == ["before\n"] * (n_jobs + 1)


def test_records_that_nobody_would_see_are_not_kept(s, level):
    quiet = logging.getLogger("quiet.library")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False

    def f(i):
        logging.getLogger("quiet.library").warning("hidden")
        logging.getLogger("steps").warning("seen")
        try:
            1 / 0
        except ZeroDivisionError:
            logging.getLogger("steps").exception("trouble")

    text = s.register_pipe(f)(1).task.printed
    assert text.startswith("WARNING steps: seen\nERROR steps: trouble\nTraceback") and text.endswith("zero\n")


def test_a_handler_of_the_users_own_still_gets_its_records_and_they_are_kept_once(s, level, capsys):
    class Collects(logging.StreamHandler):
        def emit(self, record):
            got.append(record.getMessage())
            print("shown:", record.getMessage())

    got = []
    handler = Collects()
    logging.root.addHandler(handler)
    try:

        def f(i):
            logging.getLogger("steps").info("once")

        result = s.register_pipe(f)(1)
    finally:
        logging.root.removeHandler(handler)
    assert result.task.printed == "INFO steps: once\n" and got == ["once"]
    assert "shown: once" in capsys.readouterr().out


def burn(seconds, how):
    if how == "here":
        until = time.process_time() + seconds
        while time.process_time() < until:
            pass
    elif how == "command":
        code = f"import time\nwhile time.process_time() < {seconds}: pass"
        subprocess.run([sys.executable, "-c", code], check=True)
    else:
        time.sleep(seconds)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_processor_time_of_tasks_and_of_commands_they_wait_for(s, n_jobs):
    pipe = s.register_pipe(burn)
    with s.plan() as plan:
        here, command, asleep, tiny = pipe(0.3, "here"), pipe(0.3, "command"), pipe(0.3, "asleep"), pipe(0, "asleep")
    plan.run(n_jobs=n_jobs)
    assert 0.3 <= here.task.cpu < 0.6 and 0.3 <= command.task.cpu < 0.9
    assert asleep.task.cpu < 0.2 and (tiny.task.cpu == 0 or tiny.task.seconds >= 0.001)
    rows = s.sql("SELECT cpu_seconds FROM tasks ORDER BY k").fetchall()
    assert sorted(round(cpu, 3) for (cpu,) in rows if cpu) == sorted(
        round(r.task.cpu, 3) for r in (here, command, asleep) if r.task.cpu
    )
    assert re.search(r"cpu +\d+ ms\n", str(s.show(here.replacement)))


def test_peak_memory_of_tasks_in_workers(s):
    def fill(megabytes):
        block = bytearray(megabytes * 10**6)
        time.sleep(0.02)
        return len(block)

    pipe = s.register_pipe(fill)
    with s.plan() as plan:
        results = {size: pipe(size) for size in (400, 0, 200, 1)}
    plan.run(n_jobs=2)
    memory = {size: result.task.memory for size, result in results.items()}
    assert memory[400] > memory[200] > memory[1] > 10**7
    assert 0.9 * 3.99e8 < memory[400] - memory[1] < 1.2 * 3.99e8
    assert s.sql("SELECT max(peak_memory) FROM tasks").fetchall() == [(memory[400],)]
    assert pipe(10).task.memory == 0
