"""What one sees of tasks during and after a run: their text, what they cost, and the magics that show it."""

import contextlib
import logging
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from joblib.externals import loky

import rms_jupyter as rms
from rms_jupyter.harmless import readable
from rms_jupyter.run.task.capture import capturing
from rms_jupyter.run.workers.child_process import run_isolated
from rms_jupyter.run.workers.kernel_state import KernelState
from rms_jupyter.run.workers.wire import Batch, Job, decode_results, encode, pack_function

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


def test_a_process_of_its_own_keeps_its_text_even_if_it_dies(tmp_path):
    def deep(i):
        print("first")
        subprocess.run(["sh", "-c", "echo command"], check=True)
        print("end")
        time.sleep(0.02)
        if i == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    def run(i):
        job = Job(0, "0" * 32, pickle.dumps(((i,), {})))
        kernel = KernelState(str(tmp_path))
        return run_isolated(encode(Batch(pack_function(deep), [job], str(tmp_path), kernel, False, False)))

    for _ in range(2):
        [result] = decode_results(run(1))
        assert result.made.printed == "first\ncommand\nend\n" and result.made.memory > 0
    assert run(2).printed == "first\ncommand\nend\n"


@pytest.mark.parametrize("options", [{}, {"isolate": True}])
def test_a_command_left_running_does_not_write_into_the_next_task(s, options):
    def leave(i):
        subprocess.Popen(["sh", "-c", f"sleep 0.3; echo late {i}"])
        return i

    def after(i):
        time.sleep(0.5)
        print("mine", i)

    leave_, after_ = s.register_pipe(leave, **options), s.register_pipe(after, **options)
    with s.plan() as plan:
        results = [leave_(i) for i in range(4)] + [after_(i) for i in range(4)]
    plan.run(n_jobs=2)
    assert [r.task.printed for r in results] == [""] * 4 + [f"mine {i}\n" for i in range(4)]


def test_what_a_task_printed_before_it_died_is_kept_after_others_have_left_commands_running(s):
    def leave(i):
        subprocess.Popen(["sh", "-c", f"sleep 0.2; echo late {i}"])
        print("left", i)

    def dies(i):
        print("about to die", i, flush=True)
        time.sleep(0.4)
        os._exit(3)

    leave_, dies_ = s.register_pipe(leave, isolate=True), s.register_pipe(dies, isolate=True)
    with s.plan() as plan:
        left, [dead] = [leave_(i) for i in range(3)], [dies_(i) for i in range(1)]
    with pytest.raises(rms.PlanFailed):
        plan.run(n_jobs=1)
    assert [r.task.printed for r in left] == [f"left {i}\n" for i in range(3)]
    with pytest.raises(rms.TaskFailed) as failed:
        dead.task
    [ident] = re.findall(r"logs (t\w+);", str(failed.value))
    assert "about to die 0\n" in str(s.logs(ident))


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
    flushed = s.register_pipe(lambda x: print(x, flush=True), name="flushed")
    with s.plan() as plan:
        results = [flushed(i) for i in range(4)]
    plan.run(n_jobs=n_jobs)
    assert [r.task.printed for r in results] == ["0\n", "1\n", "2\n", "3\n"]


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
    return how


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_processor_time_of_tasks_and_of_commands_they_wait_for(s, n_jobs):
    pipe = s.register_pipe(burn)
    with s.plan() as plan:
        here, command, asleep, tiny = pipe(0.3, "here"), pipe(0.3, "command"), pipe(0.3, "asleep"), pipe(0, "asleep")
    plan.run(n_jobs=n_jobs)
    assert 0.3 <= here.task.cpu < 0.6 and 0.3 <= command.task.cpu < 0.9
    assert asleep.task.cpu < 0.2 and (tiny.task.cpu == 0 or tiny.task.seconds >= 0.01)
    rows = s.sql("SELECT cpu_seconds FROM tasks ORDER BY k").fetchall()
    assert sorted(round(cpu, 3) for (cpu,) in rows if cpu) == sorted(
        round(r.task.cpu, 3) for r in (here, command, asleep, tiny) if r.task.cpu
    )
    assert re.search(r"cpu +\d+ ms\n", str(s.show(here.replacement)))


def test_peak_memory_of_tasks_in_workers(s):
    loky.get_reusable_executor().shutdown(wait=True)  # What earlier tests have imported there counts, too.

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


def strain(seconds, megabytes):
    """Use processor time and memory; tells how much of the former, which slow memory adds to."""
    began = time.thread_time()
    block = bytearray(megabytes * 10**6)
    while time.thread_time() < began + seconds:
        pass
    del block
    return time.thread_time() - began


@pytest.mark.parametrize("where", ["serial", "threads", "loky", "isolated"])
def test_what_a_task_costs_is_shown_wherever_it_ran(s, where):
    pipe = s.register_pipe(strain, isolate=where == "isolated")
    with s.plan() as plan:
        results = [pipe(0.2, 1), pipe(0.4, 300)]
    plan.run(n_jobs=2, executor=where if where in ("serial", "threads") else None)
    rows = s.sql("SELECT cpu_seconds, peak_memory FROM tasks ORDER BY args->>'seconds'").fetchall()
    assert [(pytest.approx(r.task.cpu, rel=1e-6), r.task.memory or None) for r in results] == rows
    (first, small), (second, large) = rows
    spent, more = (r.content for r in results)
    assert 0.2 <= spent <= first < spent + 0.2 and 0.4 <= more <= second < more + 0.2
    page = str(s.show(results[1].replacement))
    assert re.search(r"\n  cpu +\d+ ms\n", page)
    if where in ("loky", "isolated"):
        assert 2.8e8 < large - small < 3.2e8 and re.search(r"\n  memory +\d+ MB\n", page)
    else:
        assert small is large is None and "\n  memory" not in page, "several tasks may share the process"


@pytest.mark.parametrize(
    "text, shown",
    [
        ("plain\n\ttab é\n", "plain\n\ttab é\n"),
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m"),
        ("\x1b[38:5:9mred", "\x1b[38:5:9mred\x1b[0m"),
        ("\x1b]0;title\x07a\x1b]52;c;cGFzdGU=\x1b\\b\x1b]8;;http://x", "ab"),
        ("\x1b[2J\x1b[H\x1b[?1049h\x1bcx\x1b", "x"),
        ("\x9b31mred\x07\x08\x00\x7f", "31mred"),
        (" 1%|    \r50%|##  \r100%|####\nnext\r\n", "100%|####\nnext\n"),
        ("done\r", "done"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_text_is_harmless_to_a_terminal(text, shown):
    assert readable(text) == shown
    assert readable(readable(text)) == shown


def noisy(x):
    print("looking at", x)
    if x > 1:
        raise ValueError("too large")
    return x


def test_threads_of_a_task_count_for_it_once_no_other_runs(tmp_path):
    def in_a_thread(work):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    def another():
        with capturing(echo=False):
            pass

    with capturing(echo=False) as captured:
        in_a_thread(another)
        captured.turn_to((str(tmp_path), "0" * 32))
        in_a_thread(lambda: print("from a thread"))
        assert captured.take_printed() == "from a thread\n"


def test_logs_of_what_one_has_at_hand(s):
    Path("in.txt").write_text("x")
    registered = s.register_file("in.txt")

    def write(path, x):
        print("writing")
        Path(path).write_text(str(x))

    noisy_, write_ = s.register_pipe(noisy), s.register_pipe(write, outputs="path")
    with s.plan() as plan:
        fine, fails = noisy_(1), noisy_(2)
    with pytest.raises(rms.PlanFailed):
        plan.run(n_jobs=2)
    assert s.logs(fine).text == s.logs(fine.replacement).text == s.logs(fine.task.id).text == "looking at 1\n"
    text = s.logs(fails).text
    assert text.startswith("looking at 2\nTraceback (most recent call last):") and "ValueError: too large" in text
    assert re.match(r"noisy\(2\) · failed · \d+ (µs|ms)\nlooking at 2\nTraceback", repr(s.logs(fails)))
    made = write_("out.txt", 1)
    assert s.logs(made).text == s.logs("out.txt").text == s.logs(write_).text == s.logs("write").text == "writing\n"
    assert repr(s.logs(write_("out.txt", 1))).endswith("\nwriting")
    with pytest.raises(rms.RmsError, match="registered, not computed"):
        s.logs(registered)
    with pytest.raises(rms.RmsError, match="whose logs"):
        s.logs()


def test_failures_of_the_latest_run(s):
    pipe = s.register_pipe(noisy)
    assert str(s.logs(failed=True)) == "(no task has failed in the latest run)"
    for numbers in ([0, 1], [2, 3, 4, 1]):
        with s.plan() as plan:
            for number in numbers:
                pipe(number)
        with contextlib.suppress(rms.PlanFailed):
            plan.run(n_jobs=2)
    logs = s.logs(failed=True)
    assert len(logs) == 3 and logs.text.count("Traceback") == 3
    assert {re.match(r"noisy\((\d)", log.head)[1] for log in logs.entries} == {"2", "3", "4"}
    assert "noisy(2) · failed" in logs.text


def test_a_long_log_is_shown_at_both_ends(s, capsys):
    def long():
        print("begin" + "x" * 300_000 + "end")

    logs = s.logs(s.register_pipe(long)())
    assert len(logs.text) == 300_009 and len(str(logs)) < 101_000
    assert "begin" in str(logs) and "end" in str(logs) and "200,009 characters are not shown here" in str(logs)


def test_runs_and_figures(s, tmp_path, monkeypatch):
    import matplotlib.pyplot as plt

    def draw(path, kind):
        if kind == "svg":
            Path(path).write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
        elif kind == "huge":
            Path(path).write_bytes(b"x" * 10**6)
        else:
            figure, axes = plt.subplots()
            axes.plot([1, 2])
            figure.savefig(path)
            plt.close(figure)

    def given(n):
        figure, axes = plt.subplots()
        axes.plot(range(n))
        plt.close(figure)
        return figure

    draw_ = s.register_pipe(draw, outputs="path")
    draw_("a.png", "png")
    draw_("<b>.svg", "svg")
    draw_("big.png", "huge")
    s.register_pipe(given)(3)
    figures = s.figures()
    assert [Path(row["figure"]).name for row in figures.rows()] == ["matplotlib.Figure", "big.png", "<b>.svg", "a.png"]
    html = figures._repr_html_()
    assert html.count("<img") == 3 and "data:image/svg+xml;base64," in html
    assert "<script" not in html and "<b>" not in html and "&lt;b&gt;.svg" in html
    assert "a.png" in repr(figures) and "draw(" in repr(figures)
    assert len(s.figures("given")) == 1 and len(s.figures("png kind huge")) == 1 and s.figures("nothing' OR 1") == []
    Path("a.png").write_bytes(b"other")
    os.unlink("big.png")
    assert s.figures("a.png")._repr_html_().count("<img") == 0
    assert s.figures("big")._repr_html_().count("<img") == 0
    assert s.figures("nothing")._repr_html_() == "<i>(none)</i>"

    pipe = s.register_pipe(noisy)
    with s.plan() as plan:
        pipe(1), pipe(5)
    with pytest.raises(rms.PlanFailed):
        plan.run(n_jobs=1)
    first, *rest = s.runs()
    assert (first["kind"], first["tasks"], first["failed"]) == ("plan", 2, 1)
    assert rest[-1]["tasks"] == 4 and len(s.runs("plan")) == 1 and s.runs("plan nothing") == []
    assert "kind" in repr(s.runs()) and len(s.runs(limit=1)) == 1


def test_the_magics(kernel):
    kernel.run(
        "%%rms\nimport logging, warnings, sys\ndef qc(i):\n    print('\\x1b[31mlooking\\x1b[0m at <b>', i)\n"
        "    logging.getLogger('qc').warning('hm')\n    warnings.warn('careful')\n"
        "    if i > 1:\n        raise ValueError('no reads')\n    return i\nr = qc(1)"
    )
    ran = kernel.run("%rms logs r")
    assert re.match(r"qc\(1\) · done · \d+ (µs|ms)\n\x1b\[31mlooking\x1b\[0m at <b> 1\nWARNING qc: hm\n", ran.result)
    assert "UserWarning: careful" in ran.result
    assert not any("text/html" in bundle for bundle in ran.displays)
    assert not kernel.run("%%rms run -j 2\nrs = [qc(i) for i in range(4)]").ok
    assert kernel.run("%rms logs --failed").result.count("Traceback") == 2
    kernel.run("bad = rs[3]")
    ran = kernel.run("%rms logs bad")
    assert "qc(3) · failed" in ran.result and "ValueError: no reads" in ran.result and "hm\n" in ran.result
    latest = kernel.run("%rms logs qc").result
    assert re.match(r"qc\((0\) · done|[23]\) · failed)", latest), "any of the three that ran, on two workers"
    assert "status" in kernel.run("%rms show bad").result
    ran = kernel.run("%rms runs plan")
    assert "plan" in ran.result and "qc(i) for i in range(4)" in ran.result and "[" not in ran.error
    kernel.run("%%rms\nimport matplotlib.pyplot as plt\ndef fig(n):\n    f, ax = plt.subplots()\n    return f\nfig(1)")
    ran = kernel.run("%rms figures")
    assert "matplotlib.Figure" in ran.result and any("<img" in d.get("text/html", "") for d in ran.displays)
    assert "WHAT is missing" in kernel.run("%rms logs").error
    assert "nothing is called 'nothing'" in kernel.run("%rms logs nothing").error
    assert "--failed shows all failures" in kernel.run("%rms logs r --failed").error
    assert set(kernel.complete("%rms logs b")) >= {"bad"} and "--failed" in kernel.complete("%rms logs --f")
    assert {"runs", "rerun"} <= set(kernel.complete("%rms r")) and "figures" in kernel.complete("%rms fi")


def test_a_warning_is_kept_for_each_task_of_a_worker(s):
    def warns(i):
        warnings.warn("the same every time", stacklevel=1)

    pipe = s.register_pipe(warns)
    with s.plan() as plan:
        results = [pipe(i) for i in range(6)]
    plan.run(n_jobs=2)
    assert all("the same every time" in r.task.printed for r in results)


def test_a_hook_on_warnings_that_a_task_puts_in_place_does_no_harm(s):
    shown = []

    def chains(i):
        before = warnings.showwarning
        if i == 1:
            warnings.showwarning = lambda *args: (shown.append(str(args[0])), before(*args))
        warnings.warn(f"warning {i}", stacklevel=1)

    pipe = s.register_pipe(chains, ignore="shown")
    with warnings.catch_warnings(record=True) as recorded:
        warnings.simplefilter("always")
        results = [pipe(i) for i in (1, 2)]
        warnings.warn("outside", stacklevel=1)
    shown = [text for text in shown if "runs each time" not in text]
    recorded = [warning for warning in recorded if not issubclass(warning.category, rms.RmsWarning)]
    assert shown == ["warning 1", "warning 2", "outside"] and len(recorded) == 3
    assert "warning 2" in results[1].task.printed


def test_runs_are_listed_by_the_names_that_other_commands_take(kernel, tmp_path):
    kernel.run(f"import os, rms_jupyter as rms\nos.environ['JPY_SESSION_NAME'] = {str(tmp_path / 'night.ipynb')!r}")
    kernel.run("%%rms\ndef double(x):\n    return 2 * x")
    kernel.run("%%rms run -j 1\ntwo = double(1)\nname = f'run {len(In) - 1}'")
    kernel.run("four = double(2)")
    kernel.run("runs = %rms runs")
    assert kernel.value("[row['run'] == name for row in runs], [row['notebook'] for row in runs]") == str(
        ([False, True], ["night.ipynb"] * 2)
    )
    assert kernel.value("[row['run'] == name for row in rms.current().runs(f'plan {name}')]") == "[True]"
