"""What a front end asks of a kernel: answered on a comm of its own, also while a cell runs."""

from __future__ import annotations

import time

import pytest

BUSY = """
import pathlib, time
pathlib.Path("busy").touch()
until, n = time.monotonic() + 60, 1
while not pathlib.Path("enough").exists() and time.monotonic() < until:
    n += 1
    add(n)
    if n % 50 == 0: rms.current().sql("SELECT count(*) FROM tasks").fetchall()
pathlib.Path("end").write_text(str(n))
"""
ADD = "%rms open demo.rms\n@rms.pipe\ndef add(i): return i + 1\nresult = add(1)"


def until(true):
    """Wait until something is true."""
    give_up = time.monotonic() + 30
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_questions_are_answered_while_a_cell_runs_and_writes(kernel, front_end, tmp_path):
    assert kernel.run(ADD).ok
    first = kernel.value("rms.info(result).id")
    kernel._client.execute(BUSY)
    until((tmp_path / "busy").exists)
    counts = []
    for _ in range(20):
        counts.append(front_end.ask({"ask": "store"})["tasks"])
        assert [node["label"] for node in front_end.ask({"ask": "lineage", "id": first})["nodes"]] == ["2", "add"]
    assert counts == sorted(counts) and 1 <= counts[0] < counts[-1]
    assert not (tmp_path / "end").exists()
    (tmp_path / "enough").touch()
    until(lambda: (tmp_path / "end").exists() and (tmp_path / "end").read_text())
    assert front_end.ask({"ask": "store"})["tasks"] == int((tmp_path / "end").read_text())


NAP = """%%rms run {} -j {}
import pathlib, time
def nap(i, seconds):
    pathlib.Path(f"begun{{i}}").touch()
    time.sleep(seconds)
    return i
rs = [nap(i, 60) for i in range(5)]
"""


@pytest.mark.parametrize("jobs, question", [(1, {}), (2, {}), (2, {"cell": "c4f3"})])
def test_a_run_is_stopped_while_its_cell_keeps_the_kernel_busy(kernel, front_end, tmp_path, jobs, question):
    kernel.run("%rms open demo.rms")
    kernel._client.session.metadata = {"cellId": "c4f3"}
    sent = kernel._client.execute(NAP.format("", jobs), stop_on_error=False)
    until((tmp_path / "begun0").exists)
    assert "not going on" in front_end.ask({"ask": "stop", "cell": "another"})["error"]
    began = time.monotonic()
    answer = front_end.ask({"ask": "stop", **question})
    assert len(answer["stopped"]) == 1 and time.monotonic() - began < 5
    reply = kernel._client.get_shell_msg(timeout=30)
    while reply["parent_header"].get("msg_id") != sent:
        reply = kernel._client.get_shell_msg(timeout=30)
    assert reply["content"]["status"] == "error" and reply["content"]["ename"] == "PlanStopped"
    assert "5 cancelled" in reply["content"]["evalue"]
    assert kernel.value("rms.current().sql('SELECT DISTINCT status FROM tasks').fetchall()") == "[('cancelled',)]"
    assert "not going on" in front_end.ask({"ask": "stop", **question})["error"]


def test_a_run_in_the_background_is_stopped_by_its_id(kernel, front_end, tmp_path):
    kernel.run("%rms open demo.rms")
    assert kernel.run(NAP.format("--background", 2)).ok
    until((tmp_path / "begun0").exists)
    ident = kernel.value("str(rms.current().runs()[0]['id'])").strip("'")
    assert front_end.ask({"ask": "stop", "run": ident}) == {"stopped": [ident]}
    assert not kernel.run("rs[0].content").ok
    assert "not going on" in front_end.ask({"ask": "stop", "run": ident})["error"]


def test_what_cannot_be_answered_says_why_and_what_to_do(kernel, front_end):
    answer = front_end.ask({"ask": "store"})
    assert answer["error"] == "the store is not open in this kernel"
    kernel.run(ADD)
    answer = front_end.ask({"ask": "store", "store": "/elsewhere/other.rms"})
    assert answer["hint"] == "%rms open /elsewhere/other.rms"
    assert "is not a question" in front_end.ask({"ask": "<script>"})["error"]
    assert "is not a question" in front_end.ask({"ask": ["store"]})["error"]


def test_nobody_answers_once_the_extension_is_unloaded(kernel, front_end):
    kernel.run("%unload_ext rms_jupyter")
    with pytest.raises(ConnectionRefusedError):
        front_end.ask({"ask": "store"})
