"""How the cells of a notebook stand: never run, up to date, changed since (and why), running, failed, cancelled."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from tests.kernel import FrontEnd, Kernel

LOAD = "%%rms\ndef load(path):\n    return [float(line) for line in open(path)]"
LATE = "%%rms\ndef late(delays, cutoff=None):\n    return [d for d in delays if d > (cutoff or CUTOFF)]"
CALLS = "%%rms\ndelays = load('delays.txt')\nfound = late(delays)"


class Notebook:
    """Cells by their ids, as a front end holds them."""

    def __init__(self, kernel, front_end, **cells):
        self.kernel, self.front_end, self.cells = kernel, front_end, cells

    def run(self, *idents):
        """Run cells; gives the last one's outcome."""
        for ident in idents:
            ran = self.kernel.run(self.cells[ident], cell=ident)
        return ran

    def edit(self, ident, old, new):
        """Edit a cell."""
        assert old in self.cells[ident]
        self.cells[ident] = self.cells[ident].replace(old, new)

    def standing(self, ident):
        """How a cell stands: its state, and why."""
        cells = [{"id": ident, "code": code} for ident, code in self.cells.items()]
        answer = self.front_end.ask({"ask": "cells", "cells": cells})
        found = answer["cells"][ident]
        return found["state"], found["why"]

    def state(self, ident):
        """How a cell stands, in one word."""
        return self.standing(ident)[0]


@pytest.fixture
def flights(kernel, front_end, tmp_path):
    """A notebook whose cells have run."""
    (tmp_path / "delays.txt").write_text("10\n35\n60\n")
    cells = {"open": "%rms open demo.rms", "load": LOAD, "cut": "CUTOFF = 30", "late": LATE, "calls": CALLS}
    notebook = Notebook(kernel, front_end, **cells)
    assert notebook.run("open", "load", "cut", "late").ok
    assert notebook.state("calls") == "never_run"
    assert notebook.run("calls").ok
    assert [notebook.state(ident) for ident in ("load", "late", "calls")] == ["current"] * 3
    return notebook


def again(tmp_path):
    """Another kernel, as after a restart."""
    return Kernel(tmp_path)


def test_an_edited_cell_has_changed_until_it_is_run_or_taken_back(flights):
    flights.edit("late", "d > (", "d >= (")
    assert flights.standing("late") == ("stale", "late edited")
    assert flights.state("calls") == "current", "what was edited was not run"
    flights.edit("late", "d >= (", "d > (")
    assert flights.state("late") == "current"
    flights.edit("late", "d > (", "d > ( ")
    flights.edit("late", "cutoff=None):\n", "cutoff=None):\n    '''Those that are late.'''\n    # sorted\n")
    assert flights.state("late") == "current", "layout, comments and docstrings do not count"
    flights.edit("calls", "late(delays)", "late(delays, 20)")
    assert flights.standing("calls") == ("stale", "edited")
    flights.run("calls")
    assert flights.state("calls") == "current"


def test_a_cell_has_changed_when_the_code_that_it_calls_has(flights):
    flights.edit("late", "d > (", "d >= (")
    flights.run("late")
    assert flights.state("late") == "current"
    assert flights.standing("calls") == ("stale", "late: code_changed late")
    why = flights.kernel.run("%rms why found").shown
    assert "it would run" in why and "code_changed late" in why
    flights.run("calls")
    assert flights.state("calls") == "current"


def test_a_cell_has_changed_when_a_global_that_its_pipes_read_has(flights):
    flights.cells["cut"] = "CUTOFF = 40"
    flights.run("cut")
    assert flights.standing("calls") == ("stale", "late: input_changed CUTOFF 30 → 40")
    flights.cells["cut"] = "CUTOFF = 30"
    flights.run("cut")
    assert flights.state("calls") == "current"


def test_a_cell_has_changed_when_a_file_that_it_read_has(flights, tmp_path):
    (tmp_path / "delays.txt").write_text("10\n350\n600\n")
    assert flights.standing("calls") == ("stale", "load: input_changed delays.txt")


def test_a_cell_has_changed_when_a_variable_that_it_reads_holds_another_value(flights):
    flights.cells |= {"given": "limit = 20", "uses": "%%rms\nmore = late(delays, limit)"}
    flights.run("given", "uses")
    assert flights.state("uses") == "current"
    flights.cells["given"] = "limit = 50"
    flights.run("given")
    assert flights.standing("uses") == ("stale", "limit 20 → 50")
    flights.run("uses")
    flights.kernel.run("delays = load('delays.txt') + [100.0]")
    assert flights.state("uses") == "current", "a plain value is not compared"
    flights.kernel.run("open('more.txt', 'w').write('70'); delays = load('more.txt')")
    assert flights.standing("uses") == ("stale", "delays changed")


def test_a_cell_has_changed_when_what_its_inputs_were_made_from_has(flights, tmp_path):
    flights.cells |= {"uses": "%%rms\nmore = late(delays, 20)"}
    flights.run("uses")
    (tmp_path / "delays.txt").write_text("10\n350\n600\n")
    assert flights.standing("uses") == ("stale", "load: input_changed delays.txt")
    flights.run("calls")
    assert flights.standing("uses") == ("stale", "delays changed")
    flights.run("uses")
    assert flights.state("uses") == "current"


def test_what_failed_and_what_was_interrupted_are_told_apart(flights):
    flights.cells |= {
        "bad": "%%rms\nload('absent<b>.txt')",
        "syntax": "%%rms\ndef f(:",
        "long": "%%rms\nimport time\ntime.sleep(60)",
    }
    flights.run("bad", "syntax")
    assert flights.standing("bad")[0] == "failed" and "FileNotFoundError" in flights.standing("bad")[1]
    assert flights.standing("syntax")[0] == "failed" and "SyntaxError" in flights.standing("syntax")[1]
    threading.Timer(1.0, lambda: os.kill(flights.kernel.pid, signal.SIGINT)).start()
    flights.run("long")
    assert flights.standing("long")[0] == "cancelled"
    flights.edit("long", "60", "0")
    assert flights.state("long") == "stale"
    flights.run("long")
    assert flights.state("long") == "current"


def test_a_cell_runs_as_long_as_the_run_that_it_began(flights, tmp_path):
    nap = "import pathlib, time\ndef nap(i):\n    pathlib.Path(f'begun{i}').touch()\n    time.sleep(60)\nrs = [nap(1)]"
    flights.cells |= {"busy": f"%%rms run -j 2\n{nap}", "back": f"%%rms run --background -j 2\n{nap.replace('1', '2')}"}
    flights.run("back")
    assert flights.state("back") == "running"
    assert flights.front_end.ask({"ask": "stop", "cell": "back"})["stopped"]
    give_up = time.monotonic() + 20
    while flights.state("back") == "running" and time.monotonic() < give_up:
        time.sleep(0.1)
    assert flights.standing("back") == ("cancelled", "stopped; what has finished is kept")
    flights.kernel._client.session.metadata = {"cellId": "busy"}
    flights.kernel._client.execute(flights.cells["busy"], stop_on_error=False)
    while not (tmp_path / "begun1").exists() and time.monotonic() < give_up:
        time.sleep(0.05)
    assert flights.state("busy") == "running"
    flights.front_end.ask({"ask": "stop", "cell": "busy"})
    while flights.state("busy") == "running" and time.monotonic() < give_up:
        time.sleep(0.1)
    assert flights.standing("busy")[0] == "cancelled" and "1 cancelled" in flights.standing("busy")[1]


def test_a_failure_in_the_background_is_the_cells(flights):
    flights.cells |= {"back": "%%rms run --background -j 1\nr = load('absent')"}
    flights.run("back")
    give_up = time.monotonic() + 20
    while flights.state("back") == "running" and time.monotonic() < give_up:
        time.sleep(0.1)
    assert flights.standing("back")[0] == "failed" and "FileNotFoundError" in flights.standing("back")[1]


def test_a_failure_in_the_background_is_the_cells_however_soon_it_comes(flights):
    flights.cells |= {"back": "%%rms run --background -j 1\nr = load('absent')"}
    flights.kernel.run(
        "import threading\nstart = threading.Thread.start\n"
        "threading.Thread.start = lambda self: (start(self), self.name == 'rms-run' and self.join())"
    )
    flights.run("back")
    assert flights.standing("back")[0] == "failed" and "FileNotFoundError" in flights.standing("back")[1]


def test_the_next_kernel_knows_from_the_record(flights, tmp_path):
    flights.cells |= {"bad": "%%rms\nload('absent.txt')"}
    flights.run("bad")
    flights.kernel.kill()
    with again(tmp_path) as kernel:
        kernel.run("%load_ext rms_jupyter\n%rms open demo.rms")
        notebook = Notebook(kernel, FrontEnd(kernel), **flights.cells)
        assert notebook.state("calls") == "current" and notebook.state("cut") == "never_run"
        assert notebook.standing("bad")[0] == "failed" and "FileNotFoundError" in notebook.standing("bad")[1]
        notebook.edit("calls", "late(delays)", "late(delays, 20)")
        assert notebook.standing("calls") == ("stale", "edited")
        notebook.edit("calls", "late(delays, 20)", "late(delays)")
        notebook.edit("late", "d > (", "d >= (")
        notebook.run("load", "cut", "late")
        assert notebook.standing("calls") == ("stale", "late: code_changed late")
        notebook.edit("late", "d >= (", "d > (")
        notebook.run("late")
        assert notebook.state("calls") == "current"
        notebook.run("calls")
        assert notebook.state("calls") == "current"


def test_what_a_cell_ran_once_with_the_code_it_has_now_counts(flights, tmp_path):
    flights.edit("calls", "late(delays)", "late(delays, 20)")
    flights.run("calls")
    flights.edit("calls", "late(delays, 20)", "late(delays)")
    with again(tmp_path) as kernel:
        kernel.run("%load_ext rms_jupyter\n%rms open demo.rms")
        notebook = Notebook(kernel, FrontEnd(kernel), **flights.cells)
        assert notebook.state("calls") == "current"
        notebook.edit("calls", "late(delays)", "late(delays, 25)")
        assert notebook.state("calls") == "stale"


def test_a_cell_that_is_a_pipe_stands_as_its_call(flights):
    flights.cells |= {"cell": "%%rms cell -o total\ntotal = sum(x) + limit", "given": "x = [1, 2]; limit = 3"}
    flights.run("given", "cell")
    assert flights.state("cell") == "current"
    flights.cells["given"] = "x = [1, 2]; limit = 4"
    flights.run("given")
    assert flights.standing("cell") == ("stale", "limit 3 → 4")


def test_thousands_of_cells_are_told_at_once_and_looked_at_in_turn(flights, tmp_path):
    many = [f"%%rms\nx{i} = late(delays, {i})" for i in range(1, 1501)]
    flights.cells |= {f"c{i}": code for i, code in enumerate(many)}
    flights.kernel.run(
        "from rms_jupyter.run.surroundings import Cell\nplace = rms.current().place\n"
        f"for i in range(1500):\n    place.enter(Cell(ident=f'c{{i}}', code={many!r}[i], count=1))\n"
        "    late(delays, i + 1)\n    place.cell.end()"
    )
    (tmp_path / "delays.txt").write_text("10\n350\n600\n")
    cells = [{"id": ident, "code": code} for ident, code in flights.cells.items()]
    standings, asked = {}, 0
    while asked < 20 and not (standings and all(found["looked"] for found in standings.values())):
        began = time.monotonic()
        answer = flights.front_end.ask({"ask": "cells", "cells": cells})["cells"]
        assert time.monotonic() - began < 10
        standings |= {ident: found for ident, found in answer.items() if found["looked"]} if asked else answer
        asked += 1
    assert {standings[f"c{i}"]["state"] for i in range(1500)} == {"stale"}
