"""Tracked scripts and notebooks: what changes their state, how they run, and who runs what is queued."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import warnings
from pathlib import Path

import nbformat
import psutil
import pytest

from rms_jupyter.errors import RmsError, RmsWarning
from rms_jupyter.naming import short_id
from tests.conftest import soak

NAP = f"98.{os.getpid()}"  # Told from those of tests beside this one.
SETTINGS = """
[tool.rms_jupyter.tracked]
exclude = ["*_old.py"]
figures = ["png"]
[tool.rms_jupyter.tracked.configs.short]
timeout = 1
environment = { QUICK = "1", HOME_OF_DATA = false }
arguments = ["--fast", "-n", "it's \\"3\\"\\n4 é"]
parameters = { n = 3 }
[tool.rms_jupyter.tracked.groups]
paper = ["scripts/fig_*.py"]
"""


@pytest.fixture
def write(tmp_path):
    """Write files of the project."""

    def write(**texts: str) -> None:
        for name, text in texts.items():
            path = tmp_path / name.replace("__", "/").replace("_DOT_", ".")
            path = path if path.suffix else path.with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    return write


def states(tracked) -> dict[str, str]:
    return {Path(row["script"]).name: row["state"] for row in tracked.states()}


def detail(tracked, name: str) -> str:
    return next(row["detail"] for row in tracked.states() if row["script"].endswith(name))


def notebook_of(*cells: str, parameters: str = "") -> str:
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "language": "python", "display_name": "P"}}
    )
    if parameters:
        notebook.cells.append(nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    notebook.cells += [nbformat.v4.new_code_cell(cell) for cell in cells]
    return nbformat.writes(notebook)


def printed(s, pipe: str) -> str:
    return s.sql("SELECT text FROM logs WHERE pipe = $1 ORDER BY task_id DESC", [pipe]).fetchall()[0][0]


def test_a_script_is_never_run_up_to_date_changed_or_failed(s, write):
    write(
        scripts__ok="import helper\nprint(helper.f(1), open('../data.csv').read())",
        scripts__helper="def f(x):\n    return x + 1\n",
        scripts__raises="raise ValueError('too large')",
        scripts__exits="import sys\nsys.exit(5)",
        scripts__killed="import os\nos.kill(os.getpid(), 9)",
        data_DOT_csv="1,2",
    )
    tracked = s.track("scripts", exclude=["helper.py"])
    assert set(states(tracked).values()) == {"never run"}
    assert tracked.run(n_jobs=2).counts == {"up to date": 1, "failed": 3}
    assert detail(tracked, "raises.py") == "raised ValueError: too large"
    page = s.tracked("raises.py")._repr_html_()
    assert short_id(s.tracked("raises.py")[0]["task"]) in page and "group" not in page
    assert detail(tracked, "exits.py") == "exits.py exited with code 5"
    assert detail(tracked, "killed.py") == "killed.py was killed by SIGKILL"
    assert printed(s, "scripts.ok.py") == "2 1,2\n"
    assert [row["what"] for row in s.tasks(pipe="scripts.ok.py").rows()] == ['scripts.ok.py("std")']

    write(scripts__helper="# only a comment\ndef f(x): return x + 1")
    assert states(tracked)["ok.py"] == "up to date"
    write(scripts__helper="def f(x):\n    return x + 2\n")
    assert (states(tracked)["ok.py"], detail(tracked, "ok.py")) == ("changed", "code helper")
    write(scripts__helper="def f(x):\n    return x + 1\n", data_DOT_csv="1,3")
    assert (states(tracked)["ok.py"], detail(tracked, "ok.py")) == ("changed", "input data.csv")
    write(data_DOT_csv="1,2", scripts__raises="print('mended')")
    assert states(tracked) == {
        "ok.py": "up to date",
        "raises.py": "changed",
        "exits.py": "failed",
        "killed.py": "failed",
    }
    Path("scripts/exits.py").unlink()
    assert states(tracked)["exits.py"] == "failed"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("no.ipynb", "{not json", "no.ipynb is not a valid notebook"),
        ("r.ipynb", notebook_of("x").replace("python", "julia").replace("julia3", "no-such"), "kernel no-such, which is not"),
        ("odd.py", "class Stop(BaseException): pass\nraise Stop('enough')", "raised Stop: enough"),
        ("lxml.py", "import lxml\nlxml.nothing", "has no attribute 'nothing'"),
        ("stopped.py", "raise KeyboardInterrupt", "stopped.py was killed by SIGINT"),
    ],
)  # fmt: skip
def test_whatever_fails_is_failed_until_it_is_mended_and_shows_nothing_of_ours(s, write, name, text, said):
    write(**{name.replace(".", "_DOT_"): text})
    tracked = s.track(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RmsWarning)
        assert tracked.run(n_jobs=1).counts == {"failed": 1}
    assert said in detail(tracked, name) and states(tracked) == {name: "failed"}
    shown = str(s.sql("SELECT text, error FROM logs JOIN tasks ON task_id = id").fetchall())
    assert "child.py" not in shown and "rms_jupyter/" not in shown
    write(**{name.replace(".", "_DOT_"): notebook_of("1") if name.endswith("ipynb") else "1"})
    assert states(tracked) == {name: "changed"}


def test_it_is_changed_when_what_it_asks_for_or_gives_to_commands_has_changed(s, write, monkeypatch):
    monkeypatch.delenv("LEVEL", raising=False)
    write(
        asks="import os\nprint(os.path.exists('flag'))",
        asks_path="from pathlib import Path\nprint(Path('sign').is_file())",
        fills_in="import os\nprint(os.path.expandvars('$LEVEL/x'))",
        starts="import os\nos.system('cat part.txt > whole.txt')",
        looks="import importlib.metadata\nprint(len(importlib.metadata.entry_points()) >= 0)",
        part_DOT_txt="1",
    )
    tracked = s.track("*.py")
    assert tracked.run(n_jobs=2).counts == {"up to date": 5}

    def changed():
        return {name for name, state in states(tracked).items() if state == "changed"}

    assert changed() == set()
    Path("flag").touch()
    assert changed() == {"asks.py"}
    Path("sign").touch()
    assert changed() == {"asks.py", "asks_path.py"}
    write(part_DOT_txt="2")
    assert changed() == {"asks.py", "asks_path.py", "starts.py"}
    monkeypatch.setenv("LEVEL", "high")
    assert changed() == {"asks.py", "asks_path.py", "starts.py", "fills_in.py"}


@pytest.mark.parametrize("in_a_notebook", [False, True])
def test_a_database_that_is_attached_counts(s, write, in_a_notebook):
    text = (
        "import sqlite3\ndatabase = sqlite3.connect('o' + 'ne.db')\ndatabase.execute(\"ATTACH 'two\" + \".db' AS two\")\n"
        "print(database.execute('SELECT * FROM two.a').fetchall())"
    )

    def fill(value):
        with contextlib.closing(sqlite3.connect("two.db")) as database, database:
            database.execute("CREATE TABLE IF NOT EXISTS a (b)")
            database.execute("INSERT INTO a VALUES (?)", (value,))

    fill(1)
    write(**({"ask_DOT_ipynb": notebook_of(text)} if in_a_notebook else {"ask": text}))
    tracked = s.track("ask.*")
    assert tracked.run(n_jobs=1).counts == {"up to date": 1} and tracked.states().counts == {"up to date": 1}
    fill(2)
    assert tracked.states().counts == {"changed": 1}


@pytest.mark.parametrize("in_a_notebook", [False, True])
def test_what_libraries_read_below_python_under_names_made_up_on_the_way_counts(s, write, in_a_notebook):
    pyarrow = pytest.importorskip("pyarrow")
    texts = {
        "one": "import pyarrow.csv\nname = 'rows' + '.csv'\nprint(pyarrow.csv.read_csv(name))",
        "two": "import pyarrow.parquet as pq\nname = 'rows' + '.parquet'\nprint(pq.read_table(name))",
        "three": "import polars\nname = 'rows' + '.csv'\nprint(polars.scan_csv(name).collect())",
        "four": "import duckdb\nprint(duckdb.sql(\"SELECT * FROM 'rows.csv'\").fetchall())",
    }

    def fill(value):
        write(rows_DOT_csv=f"a\n{value}\n")
        importlib.import_module("pyarrow.parquet").write_table(pyarrow.table({"a": [value]}), "rows.parquet")

    fill(1)
    write(
        **{f"{n}_DOT_ipynb" if in_a_notebook else n: notebook_of(t) if in_a_notebook else t for n, t in texts.items()}
    )
    tracked = s.track("*.ipynb" if in_a_notebook else "*.py")
    assert tracked.run(n_jobs=2).counts == {"up to date": 4} and tracked.states().counts == {"up to date": 4}
    fill(2)
    assert tracked.states().counts == {"changed": 4}


def test_what_a_script_loads_by_other_names_counts_and_what_appears_before_a_module_too(s, write):
    write(
        a="import importlib, runpy\nprint(importlib.import_module('plug' + '_in').x)\nrunpy.run_path('part.py')\nimport lib.tools",
        plug_in="x = 1",
        part="y = 1",
        lib__tools="from . import deep",
        lib__deep="z = 1",
        lib____init__="",
    )
    Path("lib/__init__.py").write_text("")
    tracked = s.track("a.py")
    assert tracked.run().counts == {"up to date": 1}
    for name in ("plug_in.py", "part.py", "lib/deep.py"):
        before = Path(name).read_text()
        Path(name).write_text(before + "\nw = 2")
        assert states(tracked) == {"a.py": "changed"}, name
        Path(name).write_text(before)
        assert states(tracked) == {"a.py": "up to date"}, name
    Path("runpy.py").write_text("def run_path(path): pass")  # It is found first from now on.
    assert states(tracked) == {"a.py": "changed"}


def test_what_a_script_writes_is_its_output_and_leads_to_it(s, write):
    write(a="open('raw.txt', 'w').write('1')", b="open('made.txt', 'w').write(open('raw.txt').read() * 2)")
    s.track("a.py").run()
    s.track("b.py").run()
    ancestors = s.sql("SELECT pipe FROM ancestors($1) WHERE kind = 'task' ORDER BY depth", [s.ident("made.txt")])
    assert [pipe for (pipe,) in ancestors.fetchall()] == ["b.py", "a.py"]
    assert s.why("b.py").account.ident == s.latest_task("b.py")
    Path("made.txt").unlink()
    assert (states(s.track()), detail(s.track(), "b.py")) == (
        {"a.py": "up to date", "b.py": "changed"},
        "output is missing: made.txt",
    )


def test_a_file_that_scripts_add_to_is_an_output_of_none_but_the_one_that_makes_it(s, write):
    write(a="open('log.txt', 'a').write('a')", b="open('log.txt', 'a').write('b')", log_DOT_txt="")
    assert s.track(["a.py", "b.py"]).run(n_jobs=1).counts == {"up to date": 2}
    Path("log.txt").unlink()
    assert s.track().states().counts == {"up to date": 2}


def test_each_run_configuration_has_a_state_of_its_own(s, write, monkeypatch):
    Path("pyproject.toml").write_text(SETTINGS)
    write(
        a="import os, sys, time\nprint(sys.argv[1:], os.environ.get('QUICK'), os.environ.get('HOME_OF_DATA'))\n"
        "time.sleep(0 if len(sys.argv) > 1 else 0.01)",
        slow="import time, sys\nprint('begun', flush=True)\ntime.sleep(30 if sys.argv[1:] else 0)",
    )
    monkeypatch.setenv("HOME_OF_DATA", "/data")
    monkeypatch.setenv("API_TOKEN", "hush")
    usual, short = s.track(["a.py", "slow.py"]), s.track(["a.py", "slow.py"], config="short")
    usual.run()
    assert states(usual) == {"a.py": "up to date", "slow.py": "up to date"}
    assert states(short) == {"a.py": "never run", "slow.py": "never run"}
    began = time.monotonic()
    assert short.run().counts == {"up to date": 1, "failed": 1}
    assert time.monotonic() - began < 15
    assert detail(short, "slow.py") == "timed out: slow.py took longer than its timeout of 1 s"
    assert printed(s, "a.py") == "['--fast', '-n', 'it\\'s \"3\"\\n4 é'] 1 None\n"
    assert printed(s, "slow.py") == "begun\n"
    rows = s.sql("SELECT config, status FROM tracked WHERE pipe = 'slow.py' ORDER BY config").fetchall()
    assert rows == [("short", "timed_out"), ("std", "done")]
    journals = [path.read_bytes() for path in (s.path / "journal").iterdir() if path.is_file()]
    assert not any(b"hush" in journal for journal in journals)
    monkeypatch.setenv("HOME_OF_DATA", "/other")
    assert (states(usual)["a.py"], detail(usual, "a.py")) == ("changed", "code env HOME_OF_DATA")
    assert states(short)["a.py"] == "up to date"
    with pytest.raises(RmsError, match="there is no run configuration 'full'"):
        s.track("a.py", config="full")


def test_where_it_runs_counts_and_a_timeout_is_no_less_than_nothing(s, write):
    write(place="import os; print(os.getcwd())", sub__x="1")
    setting = "[tool.rms_jupyter.tracked.configs.there]\n"
    Path("pyproject.toml").write_text(setting + "folder = 'sub'")
    assert s.track("place.py", config="there").run(n_jobs=1).counts == {"up to date": 1}
    Path("pyproject.toml").write_text(setting)
    there = s.track("place.py", config="there")
    assert detail(there, "place.py").startswith("code working directory") and there.run(n_jobs=1).counts == {
        "up to date": 1
    }
    Path("pyproject.toml").write_text(setting + "timeout = -1")
    with pytest.raises(RmsError, match="timeout is not valid"):
        s.track("place.py", config="there")


def test_a_database_that_it_opens_counts(s, write):
    write(
        ask="import sqlite3\nname = 'a' + '.db'\nprint(sqlite3.connect(f'file:{name}?mode=ro', uri=True).execute('FROM a').fetchall())"
    )

    def put(value):
        with contextlib.closing(sqlite3.connect("a.db")) as database, database:
            database.execute("CREATE TABLE IF NOT EXISTS a(x)")
            database.execute("INSERT INTO a VALUES (?)", [value])

    write(ask="import sqlite3\nname = 'a' + '.db'\nfor file in (name, f'file:{name}?mode=ro'):\n"
          "    print(sqlite3.connect(file, uri=True).execute('SELECT * FROM a').fetchall())")  # fmt: skip
    put(1)
    tracked = s.track("ask.py")
    assert tracked.run(n_jobs=1).counts == {"up to date": 1} and states(tracked) == {"ask.py": "up to date"}
    put(2)
    assert (states(tracked)["ask.py"], detail(tracked, "ask.py")) == ("changed", "input a.db")


def test_paths_patterns_groups_and_what_is_tracked_no_more(s, write):
    Path("pyproject.toml").write_text(SETTINGS + "[tool.rms_jupyter.tracked.configs]\n"[:0])
    write(scripts__fig_1="1", scripts__deep__b="1", scripts__c_old="1", scripts__d="1")
    names = [Path(entry.path).name for entry in s.track("scripts")]
    assert names == ["d.py", "fig_1.py"]
    assert len(s.track("scripts", recursive=True)) == len(s.track("scripts/**/*.py")) == 3
    assert [row["script"] for row in s.tracked("paper")] == ["scripts/fig_1.py"]
    s.track("scripts/d.py").untrack()
    assert {Path(entry.path).name for entry in s.track()} == {"fig_1.py", "b.py"}
    for wrong, message in (("nothing/*.py", "no script or notebook"), ("pyproject.toml", "is not a script")):
        with pytest.raises(RmsError, match=message):
            s.track(wrong)


def test_figures_are_saved_shown_or_not(s, write):
    write(a="import matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()\nfig = plt.figure()\nplt.close(fig)")
    assert s.track("a.py").run().counts == {"up to date": 1}
    names = sorted(path.name for path in (s.path / "figures").iterdir())
    assert names == ["a.py-1.png", "a.py-1.svg", "a.py-2.png", "a.py-2.svg"]


def test_a_notebook_runs_with_parameters_and_the_executed_one_is_kept(s, write):
    Path("pyproject.toml").write_text(SETTINGS)
    write(
        tools="def f(x):\n    return x * 10",
        n_DOT_ipynb=notebook_of(
            "import tools",
            "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nprint(tools.f(n), open('d.txt').read())",
            parameters="n = 1",
        ),
        bad_DOT_ipynb=notebook_of("1 / 0"),
        d_DOT_txt="x",
    )
    usual, short = s.track(["n.ipynb", "bad.ipynb"]), s.track("n.ipynb", config="short")
    assert usual.run(n_jobs=2).counts == {"up to date": 1, "failed": 1}
    assert detail(usual, "bad.ipynb").startswith("raised ZeroDivisionError")
    executed = s.path / "outputs/tracked/n/std.ipynb"
    assert "10 x" in executed.read_text() and s.ident(executed) in range(
        s.latest_task("n.ipynb"), s.latest_task("n.ipynb") + 9
    )
    figure = s.path / "figures" / "n.ipynb-1.png"
    assert s.task_of_figure(figure) == s.latest_task("n.ipynb")
    assert "ZeroDivisionError" in (s.path / "outputs/tracked/bad/std.failed.ipynb").read_text()
    assert states(short) == {"n.ipynb": "never run"}
    notebook = nbformat.read("n.ipynb", as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell("prose"))
    nbformat.write(notebook, "n.ipynb")
    assert states(usual)["n.ipynb"] == "up to date"
    write(tools="def f(x):\n    return x * 20")
    assert (states(usual)["n.ipynb"], detail(usual, "n.ipynb")) == ("changed", "code tools")


def test_a_script_that_is_edited_before_its_turn_runs_as_it_is_then_and_one_edited_at_its_start_runs_again(s, write):
    write(
        first="import time, pathlib\ntime.sleep(0.2)\npathlib.Path('second.py').write_text('print(2)')",
        second="print(1)",
    )
    s.track(["first.py", "second.py"]).run(n_jobs=1)
    assert printed(s, "second.py") == "2\n"
    write(third="import pathlib, time\npathlib.Path('late.py').write_text('x = 2')\nimport late", late="x = 1")
    tracked = s.track("third.py")
    assert tracked.run().counts == {"changed": 1}
    assert tracked.run().counts == {"up to date": 1}


RMS = [sys.executable, "-m", "rms_jupyter"]


@contextlib.contextmanager
def working(s, *options: str):
    """Let a terminal run what is in the queue."""
    worker = subprocess.Popen([*RMS, "work", "--store", str(s.path), *options], stderr=subprocess.PIPE, text=True)
    try:
        yield worker
    finally:
        worker.kill()
        worker.communicate()


def asleep() -> list[int]:
    return [p.pid for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", NAP]]


def until(holds, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.soak
@pytest.mark.timeout(3600 if soak() else 300)
def test_each_entry_runs_once_in_two_terminals_and_states_are_right_after_a_helper_was_edited(s, write):
    scripts, notebooks = (200, 20) if soak() else (8, 1)
    write(scripts__helper="def f(x):\n    return x + 1\n")
    for n in range(scripts):
        uses = "import helper\nhelper.f(1)\n" if n % 2 else ""
        write(**{f"scripts__s{n:03d}": f"{uses}print({n})"})
    for n in range(notebooks):
        write(**{f"scripts__n{n:03d}_DOT_ipynb": notebook_of(f"import helper\nprint(helper.f({n}))")})
    tracked = s.track("scripts", exclude=["helper.py"])
    assert len(tracked.queue()) == scripts + notebooks and tracked.queue() == []
    with working(s, "-j", "2", "--until-empty") as one, working(s, "-j", "2", "--until-empty") as other:
        said = [worker.communicate(timeout=3000 if soak() else 250)[1] for worker in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0)
    assert sum(text.count("done in") for text in said) == scripts + notebooks
    assert all("done in" in text for text in said)
    began = time.monotonic()
    assert tracked.states().counts == {"up to date": scripts + notebooks}
    print(f"{time.monotonic() - began:.2f} s for the states of {len(tracked)}")
    assert s.sql("SELECT count(*), count(DISTINCT pipe) FROM tasks").fetchall() == [(scripts + notebooks,) * 2]
    write(scripts__helper="def f(x):\n    return x + 2\n")
    assert tracked.states().counts == {"up to date": scripts // 2, "changed": scripts // 2 + notebooks}


def test_the_entries_of_a_worker_that_is_killed_are_taken_by_another_and_what_waits_can_be_cancelled(s, write):
    write(**{f"slow_{n}": f"import time\ntime.sleep(0.7)\nprint({n})" for n in range(4)})
    s.track("*.py").queue()
    with working(s, "-j", "2") as killed:
        until(lambda: sum(row["state"] == "running" for row in s.queued_entries()) == 2)
        running = [row["script"] for row in s.queued_entries() if row["state"] == "running"]
        assert s.choose_tracked(running).cancel() == []  # It has begun.
        time.sleep(0.3)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    until(lambda: not any(row["state"] == "running" for row in s.queued_entries()))
    assert len(s.queued_entries()) == 4
    [cancelled] = s.choose_tracked("slow_3.py").cancel()
    assert Path(cancelled.path).name == "slow_3.py" and len(s.queued_entries()) == 3
    assert s.work(n_jobs=2) == 3
    assert s.tracked().counts == {"up to date": 3, "never run": 1} and s.queued_entries() == []
    assert s.sql("SELECT count(*), count(DISTINCT pipe) FROM tasks WHERE status = 'done'").fetchall() == [(3, 3)]


def test_what_scripts_and_notebooks_have_started_ends_with_a_worker_that_is_killed(s, write):
    nap = f"import subprocess\nsubprocess.run(['sleep', '{NAP}'])"
    write(a=nap, b_DOT_ipynb=notebook_of(nap))
    s.track(["a.py", "b.ipynb"]).queue()
    with working(s, "-j", "2") as worker:
        until(lambda: len(asleep()) == 2)
        worker.kill()
    until(lambda: not asleep())


def test_who_kills_each_worker_is_not_begun_for_ever(s, write):
    write(a="import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(10)")
    s.track("a.py").queue()
    for _ in range(2):
        with working(s, "--until-empty") as worker:
            assert worker.wait(30) == -signal.SIGKILL
    until(lambda: not any(row["state"] == "running" for row in s.queued_entries()))
    assert s.work() == 0 and s.queued_entries() == []


def test_the_commands_in_a_terminal(s, write, capsys):
    from rms_jupyter.cli import main

    write(scripts__a="print(1)", scripts__b="raise ValueError('too large')", scripts__b_old="1")
    s.close()
    store = ["--store", str(s.path)]
    assert main(["track", "scripts", "--exclude", "*_old.py", *store]) == 0
    assert "○ 2 never run" in capsys.readouterr().out
    assert main(["queue", "--all", *store]) == 0 and "2 added; 2 waiting, 0 running" in capsys.readouterr().out
    assert (
        main(["queue", "--cancel", "scripts/a.py", *store]) == 0 and "1 cancelled; 1 waiting" in capsys.readouterr().out
    )
    assert main(["work", "--until-empty", *store]) == 0
    written = capsys.readouterr()
    assert "1 ended here" in written.out and "failed: scripts/b.py [std]: ValueError: too large" in written.err
    assert main(["run", *store]) == 1
    written = capsys.readouterr()
    assert "● 1 up to date · ■ 1 failed" in written.out and "raised ValueError: too large" in written.out
    assert main(["why", "scripts/a.py", *store]) == 0 and "scripts.a.py" in capsys.readouterr().out
    assert main(["run", "nothing.py", *store]) == 1 and "no script or notebook at nothing.py" in capsys.readouterr().err
    assert main(["track", "--remove", "scripts/b.py", *store]) == 0
    capsys.readouterr()
    assert main(["tracked", "--json", *store]) == 0
    assert [row["script"] for row in json.loads(capsys.readouterr().out)["rows"]] == ["scripts/a.py"]


def test_the_panel_has_scripts_run_beside_the_kernel_and_that_ends_with_the_session(s, write):
    from rms_jupyter.panel.questions import answer

    def ask(do: str, **more) -> dict:
        return answer({"ask": "tracked", "store": str(s.path), "do": do, **more})

    write(a="print(1)", b=f"import subprocess\nsubprocess.run(['sleep', '{NAP}'])", not_tracked="1")
    assert ask("track", path="[ab].py")["said"] == "2 tracked there"
    a, b = ([row["path"], row["config"]] for row in ask("")["rows"])
    foreign = [str(Path("not_tracked.py").absolute()), "std"]
    assert ask("run", entries=[a, foreign])["live"]
    until(lambda: ask("")["rows"][0]["state"] == "up to date")
    assert s.sql("SELECT DISTINCT pipe FROM tasks").fetchall() == [("a.py",)]
    assert ask("explode", entries=[a])["error"] == "'explode' cannot be done with scripts"
    ask("run", entries=[b])
    until(lambda: ask("")["rows"][1]["state"] == "running" and asleep())
    assert ask("cancel", entries=[b])["said"] == "0 cancelled; what has begun goes on"
    s.close()
    until(lambda: not asleep())
