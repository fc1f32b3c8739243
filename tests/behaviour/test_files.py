"""What a call finds in files, folders and the environment, however it names them."""

import functools
import glob
import inspect
import os
import pathlib
import pickle
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rms_jupyter as rms
from tests.behaviour.test_edits import Notebook


def pipe_of(s, text, name="f", **options):
    notebook = Notebook()
    notebook.run(text)
    return s.register_pipe(notebook.names[name], **options)


def settle():
    """Let the clock go on, so that what was written before is older than its grain."""
    time.sleep(0.06)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "data"
    (made / "inner").mkdir(parents=True)
    (made / "a.txt").write_text("1")
    (made / "inner" / "b.txt").write_text("2")
    (tmp_path / "elsewhere.txt").write_text("3")
    (made / "link.txt").symlink_to(tmp_path / "elsewhere.txt")
    settle()
    return made


def names_and_texts(path):
    return sorted(
        (str(p.relative_to(path)), p.read_text() if p.is_file() else "") for p in pathlib.Path(path).rglob("*")
    )


def replace_unseen(path, text):
    """Write other content of the same size, and set the old time."""
    before = os.stat(path)
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES = {
    "a file's content": lambda d: (d / "a.txt").write_text("9"),
    "the same size and time": lambda d: replace_unseen(d / "a.txt", "9"),
    "deep below": lambda d: (d / "inner" / "b.txt").write_text("9"),
    "a name": lambda d: (d / "a.txt").rename(d / "z.txt"),
    "a new file": lambda d: (d / "c.txt").write_text(""),
    "a file gone": lambda d: (d / "a.txt").unlink(),
    "a new empty folder": lambda d: (d / "empty").mkdir(),
    "what a link leads to": lambda d: (d.parent / "elsewhere.txt").write_text("9"),
    "a dead link": lambda d: (d / "dead").symlink_to("nowhere"),
    "two files exchanged": lambda d: [
        (d / "a.txt").rename(d / "x"), (d / "inner/b.txt").rename(d / "a.txt"), (d / "x").rename(d / "inner/b.txt")
    ],
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_folder_counts_by_its_names_and_contents(s, folder, change):
    f = s.register_pipe(names_and_texts)
    first = f(str(folder))
    assert f(str(folder)).task.hit
    change(folder)
    again = f(str(folder))
    assert not again.task.hit
    assert again.content == names_and_texts(folder)
    assert first.content != again.content or change is CHANGES["a dead link"]


def test_a_folder_is_known_in_the_next_kernel_and_a_copy_of_it_is_the_same(s, folder, reopen):
    first = s.register_pipe(names_and_texts)(folder)
    assert s.lineage(first)
    s = reopen(s)
    assert s.register_pipe(names_and_texts)(folder).task.hit
    (folder / "a.txt").write_text("1")  # Written again: the same content.
    assert s.register_pipe(names_and_texts)(folder).task.hit


def test_a_store_in_a_folder_is_no_content_of_it(s, tmp_path):
    (tmp_path / "a.txt").write_text("1")
    f = s.register_pipe(lambda path: len(os.listdir(path)), name="count")
    f(".")
    assert f(".").task.hit


def test_a_folder_that_a_call_makes_is_its_output(s, tmp_path):
    def write(path):
        os.makedirs(os.path.join(path, "inner"))
        pathlib.Path(path, "inner", "a.txt").write_text("1")

    f = s.register_pipe(write)
    made = f("out")
    [file] = made.files
    assert file.path == str(tmp_path / "out")
    assert f("out").task.hit
    (tmp_path / "out" / "inner" / "a.txt").unlink()
    (tmp_path / "out" / "inner").rmdir()
    (tmp_path / "out").rmdir()
    assert not f("out").task.hit
    assert (tmp_path / "out" / "inner" / "a.txt").exists()


def test_a_declared_folder_is_handed_on_and_checked(s, tmp_path):
    def write(n, out: rms.Out):
        os.makedirs(out, exist_ok=True)
        pathlib.Path(out, "n.txt").write_text(str(n))

    count = s.register_pipe(lambda path: len(os.listdir(path)), name="count")
    made = s.register_pipe(write)(3, "out")
    assert isinstance(made, rms.FileResource)
    assert count(made).content == 1
    assert count(made).task.hit


def test_calls_that_share_a_folder_leave_each_other_alone(s, tmp_path):
    def write(n, folder):
        os.makedirs(folder, exist_ok=True)
        pathlib.Path(folder, f"{n}.txt").write_text(str(n))
        return n

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "readme").write_text("")
    f = s.register_pipe(write)
    for n in range(3):
        [file] = f(n, "out").files
        assert file.path == str(tmp_path / "out" / f"{n}.txt")
    assert all(f(n, "out").task.hit for n in range(3))
    (tmp_path / "out" / "1.txt").unlink()
    assert [f(n, "out").task.hit for n in range(3)] == [True, False, True]


# Files ---------------------------------------------------------------------------------------------------------------


def unlink_and_make(path, text):
    before = os.stat(path)
    path.unlink()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def rename_over(path, text):
    before = os.stat(path)
    other = path.with_suffix(".new")
    other.write_text(text)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.rename(path)


@pytest.mark.parametrize("change", [replace_unseen, unlink_and_make, rename_over])
def test_content_that_keeps_its_size_and_time_is_still_read(s, tmp_path, change):
    path = tmp_path / "a.txt"
    path.write_text("old")
    settle()
    f = s.register_pipe(lambda path: pathlib.Path(path).read_text(), name="read")
    assert f("a.txt").content == "old"
    change(path, "new")
    assert f("a.txt").content == "new"


def test_an_old_record_without_the_time_of_the_inode_is_read_and_its_file_hashed_again(s, tmp_path):
    from rms_jupyter.fingerprint.files import FileDigests
    from rms_jupyter.model import FileState

    path = tmp_path / "a.txt"
    path.write_text("x")
    found = path.stat()
    old = FileState(digest="0" * 32, size=1, mtime_ns=found.st_mtime_ns, inode=found.st_ino)
    assert FileDigests(lambda _: old).state(str(path)).digest != old.digest


def test_what_a_database_keeps_beside_its_file_counts(s, tmp_path):
    writer = sqlite3.connect(tmp_path / "a.db")
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("CREATE TABLE t (x)")
    writer.commit()

    def count(path):
        with sqlite3.connect(path) as reader:
            return reader.execute("SELECT count(*) FROM t").fetchone()[0]

    f = s.register_pipe(count)
    for expected in range(1, 3):
        writer.execute("INSERT INTO t VALUES (1)")
        writer.commit()
        first = f("a.db")
        assert (first.content, first.task.hit) == (expected, False)
        assert f("a.db").task.hit
    writer.close()


def test_two_spellings_of_a_path_are_one_file(s, tmp_path):
    def write(out: rms.Out):
        pathlib.Path(out).write_text("1")

    f = s.register_pipe(write)
    first = f("o.txt")
    for spelling in ("./o.txt", str(tmp_path / "o.txt"), tmp_path / "x" / ".." / "o.txt"):
        again = f(spelling)
        assert (again.path, again.task.hit) == (first.path, True)


def test_a_plain_argument_in_another_spelling_writes_the_same_file_again(s):
    f = s.register_pipe(lambda out: pathlib.Path(out).write_text("1"), name="write", outputs=["out"])
    f("o.txt")
    f("./o.txt")
    assert f("o.txt").task.hit


def test_names_that_are_not_utf_8(s, tmp_path, reopen):
    odd = os.fsdecode(b"caf\xe9.txt")
    (tmp_path / odd).write_text("old")
    settle()

    def copy(source, target):
        text = pathlib.Path(source).read_text()
        pathlib.Path(target).write_text(text)
        return text

    target = os.fsdecode(b"out\xff.txt")
    assert s.register_pipe(copy)(odd, target).content == "old"
    again = s.register_pipe(copy)(odd, target)
    assert again.task.hit
    assert again.files[0].path == str(tmp_path / target)
    assert len(s.files()) == 2
    s = reopen(s)
    assert s.register_pipe(copy)(odd, target).task.hit
    assert s.register_file(odd).path == str(tmp_path / odd)
    (tmp_path / odd).write_text("new")
    assert s.register_pipe(copy)(odd, target).content == "new"
    with s.plan() as plan:
        s.register_pipe(copy)(odd, os.fsdecode(b"planned\xff.txt"))
    plan.run(n_jobs=2)
    assert (tmp_path / os.fsdecode(b"planned\xff.txt")).read_text() == "new"


READERS = {
    "a name without an ending": 'def f():\n    with open("a") as h:\n        return h.read()',
    "bytes": 'def f():\n    with open(b"a") as h:\n        return h.read()',
    "pathlib": 'from pathlib import Path\ndef f():\n    return Path("a").read_text()',
    "joined": 'import os\ndef f():\n    with open(os.path.join("d", "a")) as h:\n        return h.read()',
    "divided": 'from pathlib import Path\ndef f():\n    return (Path("d") / "a").read_text()',
    "one of several": 'def f():\n    text = ""\n    for n in ("a", "b"):\n        with open(n) as h:\n            text += h.read()\n    return text',
    "a class attribute": 'class C:\n    path = "a"\ndef f():\n    with open(C.path) as h:\n        return h.read()',
    "an inherited one": 'class B:\n    path = "a"\nclass C(B):\n    pass\ndef f():\n    with open(C().path) as h:\n        return h.read()',
    "a default of a helper": 'def g(path="a"):\n    with open(path) as h:\n        return h.read()\ndef f():\n    return g()',
    "a default": 'def f(path="a"):\n    with open(path) as h:\n        return h.read()',
    "a path in a global": 'from pathlib import Path\nP = Path("a")\ndef f():\n    return P.read_text()',
    "bytes in a global": 'P = b"a"\ndef f():\n    with open(P) as h:\n        return h.read()',
    "a list in a global": 'P = [b"a"]\ndef f():\n    with open(P[0]) as h:\n        return h.read()',
    "an object in a global": 'class C:\n    def __init__(self):\n        self.p = "a"\nc = C()\n'
                             'def f():\n    with open(c.p) as h:\n        return h.read()',
    "a namespace": 'from types import SimpleNamespace\nc = SimpleNamespace(p="a")\ndef f():\n    with open(c.p) as h:\n        return h.read()',
    "a closure": 'def make():\n    p = "a"\n    def f():\n        with open(p) as h:\n            return h.read()\n    return f\nf = make()',
    "a keyword": 'def f():\n    with open(file="a") as h:\n        return h.read()',
    "NumPy": 'import numpy as np\ndef f():\n    return np.fromfile("a", np.uint8).tobytes().decode()',
    "the root as a global": 'from pathlib import Path\nROOT = Path.cwd()\ndef f():\n    return (ROOT / "a").read_text()',
    "a path-like of the user's": 'class P:\n    def __fspath__(self):\n        return "a"\np = P()\n'
                                 'def f():\n    with open(p) as h:\n        return h.read()',
}  # fmt: skip


@pytest.mark.parametrize("text", READERS.values(), ids=READERS)
def test_files_that_code_names_are_inputs(s, tmp_path, text):
    (tmp_path / "d").mkdir()
    for path in ("a", "b", "d/a"):
        (tmp_path / path).write_text("old")
    settle()
    f = pipe_of(s, text)
    first = f().content
    assert f().task.hit
    for path in ("a", "d/a"):
        (tmp_path / path).write_text("new")
    again = f()
    assert not again.task.hit
    assert "new" in again.content and "new" not in first


class Named:
    """A path-like of the user's."""

    def __init__(self, name):
        self.name = name

    def __fspath__(self):
        return self.name

    def __repr__(self):
        return f"Named({self.name!r})"


@pytest.mark.parametrize("given", [b"a", Named("a"), Named(b"a"), [b"a"], {"k": Named("a")}, np.str_("a")], ids=repr)
def test_whatever_names_a_file_is_an_input(s, tmp_path, given):
    def read(given):
        inner = given[0] if isinstance(given, list) else given["k"] if isinstance(given, dict) else given
        with open(inner) as file:
            return file.read()

    (tmp_path / "a").write_text("old")
    settle()
    f = s.register_pipe(read)
    assert f(given).content == "old"
    assert f(given).task.hit
    (tmp_path / "a").write_text("new")
    assert f(given).content == "new"


def read_a():
    return pathlib.Path("a").read_text()


class Reader:
    """Reads a file that only its code names."""

    path = "a"

    def read(self):
        return pathlib.Path(self.path).read_text()


@pytest.mark.parametrize(
    "given", [read_a, [read_a], functools.partial(read_a), Reader().read, Reader], ids=["f", "[f]", "partial", "m", "C"]
)
def test_files_that_a_function_among_the_arguments_names_are_inputs(s, tmp_path, given):
    def call(given):
        inner = given[0] if isinstance(given, list) else given
        return Reader().read() if inner is Reader else inner()

    (tmp_path / "a").write_text("old")
    settle()
    f = s.register_pipe(call)
    assert f(given).content == "old"
    assert f(given).task.hit
    (tmp_path / "a").write_text("new")
    assert f(given).content == "new"


def test_what_a_failed_call_has_half_written_is_moved_aside(s, tmp_path):
    def write(out: rms.Out, fail=True):
        with open(out, "w") as file:
            file.write("half")
            file.flush()
            if fail:
                raise ValueError("no")

    f = s.register_pipe(write)
    with pytest.raises(ValueError, match="no") as failure:
        f("o.txt")
    assert failure.value.__notes__ == [f"rms: what it had written is now {tmp_path / 'o.txt.failed'}"]
    assert not (tmp_path / "o.txt").exists()
    assert (tmp_path / "o.txt.failed").read_text() == "half"
    f("o.txt", fail=False)
    with pytest.raises(ValueError, match="no"):
        f("p.txt")
    assert (tmp_path / "o.txt").read_text() == "half"


def test_a_call_that_fails_before_it_writes_leaves_the_file_of_before(s, tmp_path):
    def write(out: rms.Out, fail):
        if fail:
            raise ValueError("no")
        pathlib.Path(out).write_text("whole")

    f = s.register_pipe(write, overwrite=True)
    f("o.txt", False)
    with pytest.raises(ValueError, match="no"):
        f("o.txt", True)
    assert (tmp_path / "o.txt").read_text() == "whole"


# The environment -----------------------------------------------------------------------------------------------------


ASKING = {
    "environ[]": 'import os\ndef f():\n    return os.environ["X"]',
    "get": 'import os\ndef f():\n    return os.environ.get("X", "")',
    "getenv": 'import os\ndef f():\n    return os.getenv("X", "")',
    "taken from os": 'from os import environ, getenv\ndef f():\n    return environ["X"]',
    "getenv from os": 'from os import getenv as ask\ndef f():\n    return ask("X")',
    "another name": 'import os as system\nenv = system.environ\ndef f():\n    return env["X"]',
    "imported inside": 'def f():\n    import os\n    return os.environ["X"]',
    "taken inside": 'def f():\n    from os import environ as e\n    return e["X"]',
    "a helper": 'import os\ndef g():\n    return os.getenv("X")\ndef f():\n    return g()',
    "a method": 'import os\nclass C:\n    def g(self):\n        return os.environ["X"]\ndef f():\n    return C().g()',
    "a comprehension": 'import os\ndef f():\n    return [os.environ["X"] for _ in range(1)][0]',
    "in": 'import os\ndef f():\n    return "X" in os.environ',
    "a shell": 'import subprocess\ndef f():\n    return subprocess.getoutput("echo $X")',
}


@pytest.mark.parametrize("text", ASKING.values(), ids=ASKING)
def test_variables_of_the_environment_that_code_names_are_inputs(s, monkeypatch, text):
    monkeypatch.setenv("X", "1")
    f = pipe_of(s, text)
    f()
    assert f().task.hit
    monkeypatch.setenv("Y", "2")
    assert f().task.hit
    monkeypatch.setenv("X", "2")
    again = f()
    assert again.task.reason == "input_changed env:X '1' → '2'"
    assert f().task.hit


def test_a_variable_that_is_not_set_is_another_than_one_that_is(s, monkeypatch):
    monkeypatch.delenv("X", raising=False)
    monkeypatch.setenv("Y", "1")
    f = pipe_of(s, 'import os\ndef f():\n    return os.getenv("X"), os.getenv("Y")')
    assert f().content == (None, "1")
    monkeypatch.setenv("X", "1")
    monkeypatch.delenv("Y")
    assert f().content == ("1", None)


def test_setting_a_variable_is_not_reading_it(s, monkeypatch):
    monkeypatch.setenv("X", "1")
    f = pipe_of(s, 'import os\ndef f():\n    os.environ["X"] = "5"\n    return 1')
    with pytest.warns(rms.RmsWarning, match="it changes an environment variable"):
        f()
    monkeypatch.setenv("X", "2")
    assert "X" not in f().task.reason


# One argument, one call ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    ["x" * 8192, "x" * 8193, "x" * 100_000, b"abc", b"x" * 20_000, float("nan"), float("inf"), 2**63 - 1, 2**63, 2**64 - 1,
     2**64, 2**200, -(2**63), -(2**63) - 1, True, None, 1.5, "é", os.fsdecode(b"\xe9"), "", (1, 2), 1 + 2j],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_a_resource_and_its_value_are_one_argument(s, value):
    make = s.register_pipe(lambda: value, name="make")
    kind = s.register_pipe(lambda x: type(x).__name__, name="kind")
    made = make()
    kind(made)
    assert kind(value).task.hit
    assert kind(make().content).task.hit
    made = make()
    assert kind(made).task.hit


def test_threads_compute_a_shared_call_once(s):
    calls = []

    def slow(x, note=""):
        calls.append(x)
        time.sleep(0.05)
        return x * 2

    def ask(x, note):
        results.append((f(x, note) if note else f(x)).content)

    f, results = s.register_pipe(slow, ignore="calls"), []
    for note in ("", "text"):
        for x in range(3):
            calls.clear()
            threads = [threading.Thread(target=ask, args=(x, note)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert calls == [x]
    assert results == [0] * 4 + [2] * 4 + [4] * 4 + [0] * 4 + [2] * 4 + [4] * 4


# ignore --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ignore", ["verbos", ("verbose", "LIMITT"), "x2"])
def test_what_is_to_be_ignored_must_be_there(s, ignore):
    with pytest.raises(rms.RegistrationError, match="nothing called") as refusal:
        pipe_of(s, "LIMIT = 1\ndef f(x, verbose=False):\n    return x + LIMIT", ignore=ignore)
    assert "did you mean" in refusal.value.hint


@pytest.mark.parametrize("ignore", ["verbose", "LIMIT", "INNER", "g", ("verbose", "INNER")])
def test_arguments_globals_and_helpers_can_be_ignored(s, ignore):
    text = "LIMIT = 1\nINNER = 2\ndef g():\n    return INNER\ndef f(x, verbose=False):\n    return x + LIMIT + g()"
    assert pipe_of(s, text, ignore=ignore)(1).content == 4


def test_what_is_defined_later_can_be_ignored(s):
    notebook = Notebook()
    notebook.run("def f(x):\n    return g(x)")
    f = s.register_pipe(notebook.names["f"], ignore="INNER")
    notebook.run("INNER = 2\ndef g(x):\n    return x + INNER")
    assert f(1).content == 3


@pytest.mark.parametrize("text", ["", "/", "..", "-", "//", b"/"])
def test_signs_alone_are_no_path(s, tmp_path, text):
    join = s.register_pipe(lambda parts, sign: [*parts, sign], name="join")
    assert join(["a"], text).content == ["a", text]
    (tmp_path / "new.txt").write_text("1")
    assert join(["a"], text).task.hit and not s.files()


# Files whose names are made while code runs -----------------------------------------------------------------------------


def read_one(i):
    with open(f"data/{i}.txt") as file:
        return file.read()


def read_all(i):
    return [path.read_text() for path in sorted(pathlib.Path("data").glob("*.txt"))]


def names(i):
    return sorted(os.listdir("data"))


def names_here(i):
    return sorted(glob.glob("*.csv"))


def through_a_shell(i):
    return subprocess.run("cat data/1.txt | sort", shell=True, capture_output=True).stdout


def through_a_pattern_of_a_shell(i):
    with os.popen("cat data/*.txt") as shown:
        return shown.read()


def by_a_shell_if_it_is_there(i):
    return os.system("test -f data/new.txt")


def through_another_python(i):
    code = "print(open('data/1.txt').read())"
    return subprocess.check_output([sys.executable, "-c", code])


def through_a_library(i):
    return float(np.loadtxt(os.path.join("data", str(i) + ".txt")))


@pytest.mark.parametrize(
    ("function", "path"),
    [
        (read_one, "data/1.txt"),
        (read_all, "data/1.txt"),
        (read_all, "data/7.txt"),
        (names, "data/7.txt"),
        (names_here, "new.csv"),
        (through_a_library, "data/1.txt"),
        (through_a_shell, "data/1.txt"),
        (through_a_pattern_of_a_shell, "data/7.txt"),
        (by_a_shell_if_it_is_there, "data/new.txt"),
        (through_another_python, "data/1.txt"),
    ],
)
@pytest.mark.parametrize("how", ["called", "in a worker"])
def test_files_under_names_made_by_the_code_are_inputs(s, tmp_path, monkeypatch, function, path, how):
    (tmp_path / "data").mkdir()
    for i in range(3):
        (tmp_path / "data" / f"{i}.txt").write_text(str(i))
    pipe = s.pipe(function)

    def ask():
        if how == "called":
            return pipe(1)
        with s.plan() as plan:
            result = pipe(1)
        plan.run(n_jobs=2)
        return result.content

    first = ask()
    assert first == function(1) == ask() and len(s.tasks()) == 1
    (tmp_path / path).write_text("5")
    assert ask() == function(1) != first
    assert ask() == function(1) and len(s.tasks()) == 2


def test_a_database_named_by_a_uri_is_an_input(s, tmp_path):
    def write(value):
        with sqlite3.connect("a.db") as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS t (x)")
            connection.execute("UPDATE t SET x = ?" if value > 1 else "INSERT INTO t VALUES (?)", [value])
        connection.close()
        settle()

    def read():
        connection = sqlite3.connect("file:a.db?mode=ro", uri=True)
        try:
            return connection.execute("SELECT x FROM t").fetchall()
        finally:
            connection.close()

    pipe = s.pipe(read)
    for value in (1, 2):
        write(value)
        assert pipe() == pipe() == [(value,)]
    assert len(s.tasks()) == 2


@pytest.mark.parametrize("path", ["one_{}.db", "file:one_{}.db?mode=ro"])
def test_a_database_that_is_attached_is_an_input(s, tmp_path, path):
    def write(value):
        with sqlite3.connect("one_1.db") as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS t (x)")
            connection.execute("INSERT INTO t VALUES (?)", [value])
        connection.close()
        settle()

    def read(n):
        connection = sqlite3.connect("file::memory:", uri=True)
        try:
            connection.execute(f"ATTACH '{path.format(n)}' AS other")
            return connection.execute("SELECT sum(x) FROM other.t").fetchall()
        finally:
            connection.close()

    pipe = s.pipe(read)
    for value in (1, 2):
        write(value)
        assert pipe(1) == pipe(1) == read(1)
    assert len(s.tasks()) == 2


def attach_and_fill(n):
    connection = sqlite3.connect(":memory:")
    connection.execute(f"ATTACH 'new_{n}.db' AS other")
    connection.execute("CREATE TABLE other.t (x)")
    connection.commit()
    connection.close()
    return n


def test_a_database_that_is_made_by_attaching_it_is_made_each_time(s):
    pipe = s.pipe(attach_and_fill)
    with pytest.warns(rms.RmsWarning, match="runs each time.*it adds to new_1.db"):
        assert pipe(1) == 1 and os.path.exists("new_1.db")
    os.remove("new_1.db")
    assert pipe(1) == 1 and os.path.exists("new_1.db")


def attach_by_a_variable(name):
    connection = sqlite3.connect(":memory:")
    connection.execute("ATTACH ? AS other", (f"{name}.db",))
    names = connection.execute("SELECT name FROM other.sqlite_master").fetchall()
    connection.close()
    return names


def test_a_database_that_is_attached_by_its_name_in_a_variable_is_asked_each_time(s):
    pipe = s.pipe(attach_by_a_variable)
    with pytest.warns(rms.RmsWarning, match="runs each time.*it attaches a database by its name in a variable"):
        assert pipe("old") == []
    with sqlite3.connect("old.db") as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    assert pipe("old") == [("t",)]


def test_a_file_that_may_not_be_there_before_is_made_each_time(s, tmp_path):
    def begin():
        with open("new.txt", "x") as file:
            return file.write("begun")

    pipe = s.pipe(begin)
    with pytest.warns(rms.RmsWarning, match="begin runs each time.*new.txt, which may not be there before"):
        pipe()
    with pytest.raises(FileExistsError):
        pipe()


def test_the_number_of_links_to_a_file_is_asked_each_time(s, tmp_path):
    (tmp_path / "a.txt").write_text("1")
    pipe = s.pipe(lambda: os.stat("a.txt").st_nlink, name="links")
    assert pipe() == 1
    os.link("a.txt", "b.txt")
    assert pipe() == 2


def write_one(i):
    with open(f"out_{i}.txt", "w") as file:
        file.write(str(i))


def test_files_under_names_made_by_the_code_are_outputs(s, tmp_path):
    pipe = s.pipe(write_one)
    pipe(1)
    (tmp_path / "out_1.txt").unlink()
    pipe(1)
    assert (tmp_path / "out_1.txt").read_text() == "1"
    pipe(1)
    assert len(s.tasks()) == 2


def test_a_call_that_adds_to_a_file_adds_each_time(s, tmp_path):
    def write(path, text, mode):
        with open(path, mode) as file:
            file.write(text)

    pipe = s.pipe(write)
    pipe("notes.txt", "one", "w")
    with pytest.warns(rms.RmsWarning, match="write runs each time.*it adds to notes.txt"):
        pipe("notes.txt", "two", "a")
    pipe("notes.txt", "two", "a")
    assert (tmp_path / "notes.txt").read_text() == "onetwotwo"


def test_a_call_that_does_nothing_but_add_to_a_log_adds_each_time(s, tmp_path):
    def note(text):
        with open("log.txt", "a") as file:
            file.write(text)

    pipe = s.pipe(note)
    with pytest.warns(rms.RmsWarning, match="note runs each time.*it adds to log.txt"):
        pipe("one")
    pipe("one")
    assert (tmp_path / "log.txt").read_text() == "oneone"


def test_files_of_one_content_are_two_to_a_function_that_gets_their_paths(s, tmp_path, monkeypatch, reopen):
    """A function may look at the name: as text, as a path, as a file on record, in lists too."""
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        Path(f"{name}.csv").write_text("the same")

    def define(s):
        stem = s.pipe(lambda path: Path(path).stem, name="stem")
        stems = s.pipe(lambda paths: [Path(path).stem for path in paths], name="stems")

        def copied(name, out):
            Path(out).write_text("the same")

        return stem, stems, s.pipe(copied, outputs=["out"])

    def ask(session):
        stem, stems, copied = define(session)
        recorded = [session.register_file(f"{name}.csv") for name in "ab"]
        for files in (["a.csv", "b.csv"], [Path("a.csv"), Path("b.csv")], recorded):
            assert [stem(file) for file in files] == ["a", "b"]
            assert [stems([file]) for file in files] == [["a"], ["b"]]
        assert [stem(copied(name, f"{name}.out")) for name in "xy"] == ["x", "y"]
        return session.sql("SELECT count(*) FROM tasks").fetchall()

    count = ask(s)
    later = reopen(s)
    assert ask(later) == count  # All hits.
    later.close()


# What is asked of files without opening them ----------------------------------------------------------------------------


def asks_first(i):
    if not os.path.exists(f"out_{i}"):
        os.makedirs(f"out_{i}")
    Path(f"out_{i}", "a.txt").write_text("a")
    return i


def does_not_mind(i):
    Path(f"out_{i}").mkdir(parents=True, exist_ok=True)
    Path(f"out_{i}", "a.txt").write_text("a")
    return i


def removes_first(i):
    path = Path("out") / f"{i}.txt"
    if path.exists():
        path.unlink()
    path.write_text("a")
    return i


@pytest.mark.parametrize("function", [asks_first, does_not_mind, removes_first])
def test_code_that_makes_sure_of_a_place_is_answered(s, tmp_path, function):
    (tmp_path / "out").mkdir()
    pipe = s.pipe(function)
    for _ in range(3):
        pipe(1)
    assert len(s.tasks()) == 1
    for made in tmp_path.glob("out*/*.txt"):
        made.unlink()
    pipe(1)
    assert len(list(tmp_path.glob("out*/*.txt"))) == 1


def test_what_is_asked_of_a_file_is_why_a_call_runs(s, tmp_path):
    def there(i):
        return os.path.exists(f"{i}.txt"), os.path.isdir("library")

    pipe = s.pipe(there)
    assert pipe(1) == (False, False) and pipe(1) == (False, False)
    (tmp_path / "1.txt").touch()
    assert pipe(1) == (True, False)
    [(detail,)] = s.sql("SELECT detail FROM reasons WHERE kind = 'input_changed'").fetchall()
    assert detail == f"whether {tmp_path / '1.txt'} is there"
    (tmp_path / "1.txt").unlink()
    assert pipe(1) == (False, False) and len(s.tasks()) == 2


def test_what_libraries_ask_does_not_count(s, tmp_path):
    def copied(i):
        return shutil.copy("a.txt", f"b_{i}.txt")

    (tmp_path / "a.txt").write_text("a")
    pipe = s.pipe(copied)
    pipe(1), pipe(1)
    assert len(s.tasks()) == 1


def test_functions_of_os_are_what_they_were(s, tmp_path):
    """Ours stand in their places once a call has run."""
    s.pipe(lambda: os.path.exists("a"), name="ask")()
    assert os.stat in os.supports_follow_symlinks and os.stat in os.supports_fd and os.stat in os.supports_dir_fd
    assert (
        os.lstat not in os.supports_fd and os.access in os.supports_effective_ids and os.readlink in os.supports_dir_fd
    )
    for name in ("stat", "lstat", "access", "readlink"):
        function = getattr(os, name)
        assert pickle.loads(pickle.dumps(function)) is function and function.__name__ == name and function.__doc__
        assert next(iter(inspect.signature(function).parameters)) == "path"
    (tmp_path / "a").write_text("a")
    (tmp_path / "link").symlink_to("nowhere")
    shutil.copystat(tmp_path / "link", tmp_path / "link", follow_symlinks=False)
    shutil.copytree(tmp_path, tmp_path.parent / "copy", symlinks=True, ignore=shutil.ignore_patterns("*.rms"))
    assert os.readlink(tmp_path.parent / "copy" / "link") == "nowhere"
    assert {name for _, _, names in os.walk(tmp_path.parent / "copy") for name in names} >= {"a", "link"}
    with open(tmp_path / "a") as file:
        assert os.stat(file.fileno()).st_size == os.stat("a", dir_fd=None).st_size == 1
    with pytest.raises(FileNotFoundError):
        os.stat(tmp_path / "link")
    with pytest.raises(TypeError):
        os.stat()


def test_files_under_made_names_in_a_folder_that_the_code_names_are_outputs(s, tmp_path):
    def write(i):
        (Path("out") / f"{i}.txt").write_text("a")
        return i

    (tmp_path / "out").mkdir()
    pipe = s.pipe(write)
    for _ in range(2):
        pipe(1)
    (tmp_path / "out" / "1.txt").unlink()
    pipe(1)
    assert len(s.tasks()) == 2 and (tmp_path / "out" / "1.txt").read_text() == "a"


def test_functions_of_libraries_are_what_they_were(s):
    """Ours stand in their places as soon as a session is open."""
    polars, csv, parquet = map(pytest.importorskip, ["polars", "pyarrow.csv", "pyarrow.parquet"])
    for function in (polars.read_csv, polars.scan_parquet, csv.read_csv, parquet.read_table):
        assert pickle.loads(pickle.dumps(function)) is function and inspect.signature(function).parameters
    assert isinstance(polars.read_csv(b"a\n1\n"), polars.DataFrame)
    with pytest.raises(TypeError):
        polars.read_csv()


BELOW_PYTHON = """import ctypes
libc = ctypes.CDLL(None)
def read(name):
    place, text = libc.open(str(name).encode(), 0), ctypes.create_string_buffer(99)
    libc.read(place, text, 99), libc.close(place)
    return text.value
"""
OTHER_LIBRARIES = {
    "netCDF4": (
        "class Dataset:\n    def __init__(self, name, mode='r'):\n        self.text = read(name)",
        "Dataset({}).text",
    ),
    "rasterio": ("open = lambda fp, mode='r': read(fp)", "open({})"),
    "soundfile": (
        "class SoundFile:\n    def __init__(self, file, mode='r'):\n        self.text = read(file)",
        "SoundFile({}).text",
    ),
    "SimpleITK": (
        "class ImageFileReader:\n    def SetFileName(self, fn):\n        self.text = read(fn)\n        return self",
        "ImageFileReader().SetFileName({}).text",
    ),
    "pyogrio": (
        "import os\nread_dataframe = lambda path: read(os.path.splitext(path)[0] + '.dbf')",
        "read_dataframe({})",
    ),
}


@pytest.mark.parametrize("library", OTHER_LIBRARIES)
def test_what_other_libraries_read_below_python_under_names_made_up_on_the_way_counts(kernel, library):
    """Libraries that are like them in how they are called, and in that Python hears nothing of what they open."""
    text, reads = OTHER_LIBRARIES[library]
    kernel.run(
        "import os, sys, pathlib\nos.makedirs('site-packages')\nsys.path.append(os.path.abspath('site-packages'))"
    )
    kernel.run(f"pathlib.Path('site-packages/{library}.py').write_text({BELOW_PYTHON + text!r})")
    kernel.run("for ending in ('shp', 'dbf'): pathlib.Path(f'a.{ending}').write_text('one')")
    asked = reads.format("'a' + '.shp'")
    kernel.run(f"%%rms\ndef f():\n    import {library}\n    return {library}.{asked}")
    assert kernel.value("f()") == "b'one'" and "f hit" in kernel.run("f()").shown
    changed = "a.dbf" if library == "pyogrio" else "a.shp"
    kernel.run(f"pathlib.Path('{changed}').write_text('three')")
    assert kernel.value("f()") == "b'three'"
    kernel.run(f"import {library}")
    if library == "netCDF4":
        assert kernel.value("isinstance(netCDF4.Dataset('a.shp'), netCDF4.Dataset)") == "True"
        assert kernel.value("type(netCDF4.Dataset('a.shp')).__name__, repr(netCDF4.Dataset)") == (
            "('Dataset', \"<class 'netCDF4.Dataset'>\")"
        )


FRAME = pd.DataFrame({"a": [1, 2]})


def test_duckdb_finds_the_frames_of_its_caller(s):
    duckdb = pytest.importorskip("duckdb")

    def ask(n):
        mine = pd.DataFrame({"a": [n]})
        with duckdb.connect() as connection:
            found = duckdb.sql("SELECT sum(a) FROM FRAME").fetchall() + connection.sql("FROM mine").fetchall()
            return found + connection.execute("FROM mine").fetchall(), len(mine)

    pipe = s.pipe(ask)
    assert pipe(1) == pipe(1) == ask(1) == ([(3,), (1,), (1,)], 1)
    FRAME.loc[0, "a"] = 10
    assert pipe(1) == ask(1) == ([(12,), (1,), (1,)], 1)


def test_tables_of_duckdbs_own_connection_are_asked_each_time(s):
    duckdb = pytest.importorskip("duckdb")
    make = s.pipe(
        lambda n: len(duckdb.execute(f"CREATE OR REPLACE TABLE made AS SELECT {n} AS a").fetchall()), name="make"
    )
    ask = s.pipe(lambda: duckdb.sql("SELECT a FROM made").fetchall(), name="ask")
    duckdb.execute("DROP TABLE IF EXISTS made")
    with pytest.warns(rms.RmsWarning, match="runs each time.*DuckDB's own connection"):
        for n in (1, 2, 1):
            make(n)
            assert ask() == [(n,)]
    duckdb.execute("DROP TABLE made")
    add = s.pipe(lambda: duckdb.sql("SELECT 1 + 1").fetchall(), name="add")
    assert add() == add() == [(2,)] and len(s.tasks(pipe="add")) == 1


def sizes_of_entries(folder):
    return sorted((entry.name, entry.stat().st_size) for entry in os.scandir("da" + folder))


def files_among_entries(folder):
    with os.scandir("da" + folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_file())


def size_of(entry):
    return entry.stat().st_size


def sizes_by_a_helper(folder):
    return sorted(map(size_of, os.scandir("da" + folder)))


@pytest.mark.parametrize("function", [sizes_of_entries, files_among_entries, sizes_by_a_helper])
def test_what_is_asked_of_the_entries_of_a_folder_is_an_input(s, function):
    Path("data").mkdir()
    Path("data/a").write_text("1")
    Path("data/b").mkdir()
    pipe = s.pipe(function)
    first = pipe("ta")
    assert pipe("ta") == first
    Path("data/a").write_text("123")
    Path("data/b").rmdir()
    Path("data/b").write_text("")
    assert pipe("ta") == function("ta") != first
    assert len(s.tasks()) == 2


def run_script(name):
    return subprocess.check_output([sys.executable, "-B", f"{name}.py"])


def run_module(name):
    return subprocess.check_output([sys.executable, "-B", "-m", name])


def run_code(name):
    return subprocess.check_output([sys.executable, "-B", "-c", f"import {name}"])


def run_shell(name):
    return subprocess.check_output(f"sh {name}.sh", shell=True)


@pytest.mark.parametrize("changed", ["tool.py", "lab/helpers.py", "lab/deep.py", "values.txt"])
@pytest.mark.parametrize("function", [run_script, run_module, run_code, run_shell])
def test_what_a_started_script_rests_on_is_an_input(s, tmp_path, function, changed):
    (tmp_path / "lab").mkdir()
    texts = {
        "tool.py": "from lab import helpers\nprint(helpers.ask(), 1)\n",
        "lab/__init__.py": "",
        "lab/helpers.py": "from .deep import N\ndef ask():\n    return open('values.txt').read(), N, 1\n",
        "lab/deep.py": "N = 1\n",
        "values.txt": "1",
        "tool.sh": f"{sys.executable} -B tool.py",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    pipe = s.pipe(function)
    first = pipe("tool")
    assert pipe("tool") == first == function("tool")
    (tmp_path / changed).write_text(texts[changed].replace("1", "2"))
    assert pipe("tool") == function("tool") != first
    assert len(s.tasks()) == 2


SENT_TO_PROCESSES = {
    "joblib": "import joblib\ndef f(n):\n    return joblib.Parallel(n_jobs=2)(joblib.delayed(reader.read)(i) for i in range(n))",
    "an executor": (
        "def f(n):\n    with ProcessPoolExecutor(1, mp_context=spawning) as pool:\n"
        "        return list(pool.map(reader.read, range(n)))"
    ),
    "a pool": "def f(n):\n    with spawning.Pool(1) as pool:\n        return pool.map(func=reader.read, iterable=range(n))",
    "a call of a pool": (
        "def f(n):\n    with spawning.Pool(1) as pool:\n        return pool.apply_async(func=reader.read, args=(1,)).get()"
    ),
}


@pytest.mark.parametrize("text", SENT_TO_PROCESSES.values(), ids=SENT_TO_PROCESSES)
def test_files_that_other_processes_read_for_a_call_are_inputs(s, tmp_path, monkeypatch, text):
    (tmp_path / "reader.py").write_text("def read(i):\n    return open(f'data/{i}.txt').read()\n")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "data").mkdir()
    for i in range(2):
        (tmp_path / "data" / f"{i}.txt").write_text(str(i))
    above = "import multiprocessing, reader\nfrom concurrent.futures import ProcessPoolExecutor\n"
    f = pipe_of(s, f"{above}spawning = multiprocessing.get_context('spawn')\n{text}")
    first = f(2).content
    assert f(2).task.hit and "1" in first
    (tmp_path / "data" / "1.txt").write_text("5")
    assert "5" in f(2).content and len(s.tasks()) == 2
