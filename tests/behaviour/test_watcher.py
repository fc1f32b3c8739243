"""A run is watched: what the kernel sends of it, how it is stopped while a cell runs, and what stays of it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import time
from collections import Counter

import pytest

from rms_jupyter.naming import short_id
from rms_jupyter.run.plan.progress import time_left
from tests.kernel import FrontEnd

PIPES = """%%rms
import time
def nap(i, seconds=0.01):
    time.sleep(seconds)
    return i
def odd(i):
    if i % 2:
        raise ValueError(f"{i} is odd <script>alert(1)</script> " + chr(0x202e))
    return i
"""


class Watched(FrontEnd):
    """A cell being run, and all that the kernel publishes meanwhile."""

    def __init__(self, kernel, code):
        super().__init__(kernel)
        self.messages = []
        self._cell = self._client.execute(code)

    def next(self):
        message = self._client.get_iopub_msg(timeout=60)
        self.messages.append((message["header"]["date"].timestamp(), message))
        return message

    def until(self, true):
        give_up = time.monotonic() + 60
        while not true(message := self.next()):
            assert time.monotonic() < give_up
        return message

    def to_the_end(self):
        self.until(
            lambda m: (
                m["msg_type"] == "status"
                and m["content"]["execution_state"] == "idle"
                and m["parent_header"].get("msg_id") == self._cell
            )
        )
        return self

    def states(self):
        """When each state of the widget was sent, and the state."""
        found = []
        for at, message in self.messages:
            data = message["content"].get("data", {})
            state = data.get("state", {}) if message["msg_type"] in ("comm_msg", "comm_open") else {}
            if "state" in state:
                found.append((at, state["state"]))
        return found

    def displays(self):
        """What was shown in the run's place, one after the other."""
        kinds = ("display_data", "update_display_data")
        contents = [m["content"] for _, m in self.messages if m["msg_type"] in kinds]
        return [content for content in contents if content["transient"].get("display_id")]

    def ask_widget(self, question):
        """Ask as the widget's front end does, in the subshell that JupyterLab names for it."""
        opens = [m["content"] for _, m in self.messages if m["msg_type"] == "comm_open"]
        [opened] = [content for content in opens if "_esm" in content["data"]["state"]]
        data = {"method": "custom", "content": {"id": "q1", "question": question}}
        message = self._client.session.msg("comm_msg", {"comm_id": opened["comm_id"], "data": data})
        message["header"]["subshell_id"] = self._subshell
        self._client.shell_channel.send(message)


@pytest.fixture
def watched(kernel):
    kernel.run(PIPES)
    return lambda code: Watched(kernel, code)


def test_states_come_at_most_ten_times_a_second_and_the_last_is_the_end(watched):
    run = watched("%%rms run -j 2\nrs = [nap(i) for i in range(400)]").to_the_end()
    states = run.states()
    assert len(states) >= 8, "it took about two seconds"
    for (before, _), (after, _) in zip(states, states[10:], strict=False):
        assert after - before >= 0.9
    assert states[0][1]["phase"] == "running" and states[-1][1]["phase"] == "done"
    [pipe] = states[-1][1]["pipes"]
    assert pipe == {"name": "nap", "total": 400, "done": 400}
    assert any("/s · about" in state["title"] and "of 2 workers" in state["title"] for _, state in states)
    assert len(json.dumps(states[-1][1])) < 2000


def test_a_long_task_in_this_kernel_is_seen_running(watched):
    states = watched("%%rms run -j 1\nrs = [nap(0, 0.01), nap(1, 2.0)]").to_the_end().states()
    assert any(state["pipes"] == [{"name": "nap", "total": 2, "done": 1, "running": 1}] for _, state in states)


def test_a_run_that_is_over_in_a_moment_needs_no_widget(watched):
    watched("%%rms run -j 1\nrs = [nap(i, 0) for i in range(5)]").to_the_end()
    run = watched("%%rms run -j 1\nrs = [nap(i, 0) for i in range(5)]").to_the_end()
    assert not run.states()
    assert "5 of 5: 5 hit" in run.displays()[1]["data"]["text/plain"]


def test_the_widget_s_place_is_taken_by_what_stays(watched):
    run = watched("%%rms run -j 2\nrs = [nap(i) for i in range(100)]").to_the_end()
    first, live, last = run.displays()
    assert len({content["transient"]["display_id"] for content in (first, live, last)}) == 1
    assert "application/vnd.jupyter.widget-view+json" in live["data"] and "100 tasks" in live["data"]["text/html"]
    assert set(last["data"]) == {"text/plain", "text/html", "application/vnd.rms.run.v1+json"}
    assert "100 of 100: 100 done" in last["data"]["text/plain"]
    assert "100 done" in last["data"]["text/html"] and "<script" not in last["data"]["text/html"]


def test_failures_are_shown_with_their_commands_and_harmless(watched):
    run = watched("%%rms run -j 2\nrs = [odd(i) for i in range(10)]\nlast = [nap(rs[1])]").to_the_end()
    last = run.displays()[-1]["data"]
    state = last["application/vnd.rms.run.v1+json"]
    assert state["failed"] == 5 and state["phase"] == "failed" and len(state["failures"]) == 5
    assert {pipe["name"]: pipe.get("not run") for pipe in state["pipes"]} == {"odd": None, "nap": 1}
    failure = state["failures"][0]
    task = short_id(int(failure["task"]))
    assert f"%rms logs {task} · %rms rerun {task} --debug" in last["text/html"]
    assert "<script" not in last["text/html"] and "\u202e" not in str(last) and "\\u202e" in failure["error"]


@pytest.mark.parametrize("way", ["widget", "comm"])
@pytest.mark.parametrize("jobs", ["-j 2", "-j 1"])
def test_a_run_is_stopped_while_the_kernel_is_busy(kernel, watched, way, jobs):
    run = watched(f"%%rms run {jobs}\nrs = [nap(i, 0.1) for i in range(600)]")
    run.until(lambda m: run.states() and run.states()[-1][1]["pipes"][0].get("done", 0) > 3)
    state = run.states()[-1][1]
    question = {"ask": "stop", "run": state["run"], "store": state["store"]}
    began = time.monotonic()
    if way == "widget":
        run.ask_widget(question)
    else:
        assert run.ask(question) == {"stopped": [state["run"]]}
    run.to_the_end()
    assert time.monotonic() - began < 5
    last = run.displays()[-1]["data"]["application/vnd.rms.run.v1+json"]
    [pipe] = last["pipes"]
    assert last["phase"] == "stopped" and pipe["not run"] > 500
    found = "rms_jupyter.current().sql(\"SELECT args->>'i' FROM tasks WHERE status = 'done'\").fetchall()"
    kernel.run(f"import rms_jupyter\nfinished = [int(i) for (i,) in {found}]")
    again = kernel.run(f"%%rms run {jobs}\nrs = [nap(i, 0.1) for i in finished]")
    assert again.ok and f"{pipe['done']} hit" in again.shown


def test_a_stopped_run_fails_its_cell_so_that_those_below_do_not_go_on(watched):
    run = watched("%%rms run -j 2\nrs = [nap(i, 0.1) for i in range(600)]")
    run.until(lambda m: run.states())
    run.ask({"ask": "stop", "run": run.states()[-1][1]["run"]})
    error = run.until(lambda m: m["msg_type"] == "error")["content"]
    assert error["ename"] == "PlanStopped" and "cancelled" in error["evalue"]
    run.to_the_end()


def test_stopping_what_does_not_run_says_so(kernel):
    kernel.run("%rms open t.rms")
    front_end = FrontEnd(kernel)
    assert "is not going on" in front_end.ask({"ask": "stop", "run": "123"})["error"]
    assert front_end.ask({"ask": "going"})["runs"] == []


def test_what_goes_on_is_told_while_the_kernel_is_busy(watched):
    run = watched("%%rms run -j 2\nrs = [nap(i, 0.05) for i in range(80)]")
    run.until(lambda m: run.states())
    [told] = run.ask({"ask": "going"})["runs"]
    assert told["name"] == "run 3" and told["pipes"][0]["total"] == 80
    run.to_the_end()


def test_a_page_that_was_closed_asks_how_a_run_stands_and_what_it_has_come_to(kernel, watched):
    run = watched("%%rms run -j 2\nrs = [nap(i, 0.05) for i in range(80)]")
    run.until(lambda m: run.states())
    question = {"ask": "run", "run": run.states()[-1][1]["run"]}
    going = run.ask(question)["shown"]["application/vnd.rms.going.v1+json"]
    assert going["phase"] == "running" and going["pipes"][0]["total"] == 80
    run.to_the_end()
    assert run.ask(question)["shown"] == run.displays()[-1]["data"]
    assert "has not run it" in run.ask({"ask": "run", "run": "1"})["error"]


def test_a_plain_terminal_gets_text(tmp_path):
    cells = [PIPES, "%%rms run -j 2\nrs = [nap(i, 0.1) for i in range(10)]"]
    program = (
        "from IPython.core.interactiveshell import InteractiveShell as S\n"
        "s = S.instance()\ns.run_cell('%load_ext rms_jupyter\\n%rms open t.rms')\n"
        f"for cell in {cells!r}: s.run_cell(cell).raise_error()\n"
        "import sys; print('anywidget' in sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert ran.stdout.count("10 of 10: 10 done") == 1, ran.stdout + ran.stderr
    assert ran.stdout.strip().endswith("False") and "<" not in ran.stdout.replace("<slow", "")


def test_a_notebook_run_by_nbclient_keeps_the_end(tmp_path):
    import nbformat
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter

    cells = ["%load_ext rms_jupyter\n%rms open t.rms", PIPES, "%%rms run -j 2\nrs = [nap(i, 0.1) for i in range(20)]"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    kept = [output["data"] for output in notebook.cells[2].outputs]
    assert "20 of 20: 20 done" in kept[0]["text/plain"] and "application/vnd.jupyter.widget-view+json" not in str(kept)
    assert "20 done" in HTMLExporter().from_notebook_node(notebook)[0]


def test_loading_the_extension_and_a_short_run_import_no_widgets(kernel):
    kernel.run("%rms open t.rms\n")
    kernel.run("%%rms\ndef f(i): return i")
    kernel.run("%%rms run -j 1\nf(1)")
    kernel.run("import sys")
    assert ast.literal_eval(kernel.value("'anywidget' in sys.modules")) is False


@pytest.mark.parametrize(
    ("pipes", "seconds", "elapsed", "still", "left"),
    [
        ({"a": Counter(queued=80)}, {"a": 2.0}, 0, {}, 20),
        ({"a": Counter(queued=80), "b": Counter(waiting=8)}, {"a": 2.0}, 0, {}, 22),
        ({"a": Counter(done=160, queued=80)}, {"a": 2.0}, 80, {}, 40),
        ({"a": Counter(hit=90, queued=10, waiting=100)}, {"a": 8.0}, 0, {}, 20),
        ({"a": Counter(hit=90, waiting=100)}, {"a": 8.0}, 0, {}, 0),
        ({"a": Counter(done=8), "merge": Counter(waiting=1)}, {"a": 1.0, "merge": 3600.0}, 1, {}, 3600),
        ({"a": Counter(done=8), "merge": Counter(running=1)}, {"a": 1.0, "merge": 3600.0}, 1, {"merge": 3000}, 600),
        ({"a": Counter(queued=5)}, {}, 10, {}, 0),
    ],
)
def test_the_time_left_is_estimated_from_what_each_pipe_takes(pipes, seconds, elapsed, still, left):
    assert time_left(pipes, seconds, 8, elapsed, still) == pytest.approx(left)
