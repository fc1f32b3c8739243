"""Bad input: one short message that says what to do next, and nothing lost."""

import os
import pickle
import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import duckdb
import pytest

import rms_jupyter as rms
from rms_jupyter import errors


def work(x):
    return x * 2


def slow_work(x):
    time.sleep(0.005)  # Calls that are known to be brief are not noted before they run.
    return x * 2


def test_a_missing_file(s):
    with pytest.raises(rms.RmsError, match=r"no file .*nothing.csv\n→ check the path"):
        s.register_file("nothing.csv")
    with pytest.raises(rms.RmsError, match=r"no file on record at nothing.csv\n→ put it there"):
        s.file_from_path("nothing.csv")


def test_a_path_that_is_neither_a_file_nor_a_folder(s, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(rms.RmsError, match=r"is not a regular file\n→ name a file or a folder"):
        s.register_file(tmp_path / "pipe")

    def load(path: rms.In):
        return 1

    with pytest.raises(rms.RmsError, match="is not a regular file"):
        s.register_pipe(load)(str(tmp_path / "pipe"))
    assert s.register_pipe(load)(str(tmp_path)).content == 1


def test_a_store_where_nothing_can_be_written():
    with pytest.raises(rms.StoreError, match=r"/proc/x.rms cannot be written: .*\n→ look only: .*--read-only"):
        rms.open("/proc/x.rms")


def test_a_path_that_is_no_store(tmp_path):
    Path("file.rms").write_text("x")
    with pytest.raises(rms.StoreError, match="is a file, not a store"):
        rms.open("file.rms")
    Path("full").mkdir()
    Path("full/thesis.tex").write_text("x")
    with pytest.raises(rms.StoreError, match="a directory with other things in it"):
        rms.open("full")
    with pytest.raises(rms.StoreError, match="there is no store at"):
        rms.open("nothing.rms", read_only=True)
    assert not Path("nothing.rms").exists()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("flights.csv", r"a new store of that name would look like a file\n→ name a folder: %rms open flights.rms"),
        ("notes/Table.XLSX", "would look like a file"),
        ("https://example.org/store", r"is an address\n→ .*%rms pull ADDRESS"),
    ],
)
def test_a_name_that_is_not_meant_for_a_store_makes_none(name, told):
    before = set(Path().iterdir())
    with pytest.raises(rms.StoreError, match=told):
        rms.open(name)
    assert set(Path().iterdir()) == before


def test_a_closed_session_says_so_when_it_is_asked(s):
    s.close()
    for ask in (lambda: s.sql("SELECT 1"), s.tasks, s.find, s.runs, s.status, s.results, lambda: s.lineage(1)):
        with pytest.raises(rms.RmsError, match="is closed"):
            ask()


def test_a_store_made_by_a_newer_version(s):
    s.close()
    (s.path / "store.json").write_text('{"format": 99}')
    with pytest.raises(rms.StoreError, match=r"newer version .*format 99.*\n→ pip install --upgrade"):
        rms.open(s.path)


def test_a_truncated_journal(s):
    pipe = s.register_pipe(slow_work)
    results = [pipe(i).id for i in range(50)]
    s.store._journal.close()
    [journal] = (s.path / "journal").glob("*.jsonl")
    os.truncate(journal, journal.stat().st_size - 10)
    later = rms.Session(s.path)
    assert any("cut off in its middle" in problem for problem in later.problems)
    again = later.register_pipe(slow_work)
    assert [again(i).id for i in range(49)] == results[:49]
    assert not again(49).task.hit
    counts = later.sql("SELECT status, count(*) FROM tasks GROUP BY status ORDER BY status").fetchall()
    assert counts == [("cut_off", 1), ("done", 50)]
    assert list((s.path / "journal" / "rejected").iterdir())
    later.close()


def test_a_damaged_line_is_put_aside_and_named(s, reopen):
    pipe = s.register_pipe(work)
    for i in range(5):
        pipe(i)
    [journal] = (s.path / "journal").glob("*.jsonl")
    text = journal.read_bytes()
    journal.write_bytes(text.replace(b'{"x":2}', b'{"x":7}'))
    assert s.sql("SELECT count(*) FROM tasks").fetchall() == [(4,)]
    assert any(f"damaged bytes in journal {journal.stem}" in problem for problem in s.problems)
    later = reopen(s)
    again = later.register_pipe(work)
    assert [again(i).task.hit for i in range(5)] == [True, True, False, True, True]


@pytest.mark.parametrize("damage", ["noise", "zeros", "half", "empty", "gone"])
def test_a_damaged_database_is_made_again(s, damage):
    pipe = s.register_pipe(work)
    for i in range(20):
        pipe(i)
    assert s.sql("SELECT count(*) FROM tasks").fetchall() == [(20,)]
    s.close()
    database = s.path / "provenance.duckdb"
    size = database.stat().st_size
    if damage == "gone":
        database.unlink()
    else:
        content = {
            "noise": os.urandom(size),
            "zeros": bytes(size),
            "half": database.read_bytes()[: size // 2],
            "empty": b"x",
        }
        database.write_bytes(content[damage])
    with rms.open(s.path) as later:
        assert later.sql("SELECT count(*), sum((args->>'x')::INT) FROM tasks").fetchall() == [(20, 190)]
        told = later.problems
        assert damage == "gone" or any("made again from the journals, the old one is" in problem for problem in told), (
            told
        )
        assert damage == "gone" or list(s.path.glob("provenance.damaged-*.duckdb"))
        assert later.register_pipe(work)(3).task.hit


def test_a_database_that_another_program_holds(s, monkeypatch):
    pipe = s.register_pipe(work)
    pipe(1)
    s.sql("SELECT 1")
    monkeypatch.setattr("rms_jupyter.store.ask.database.PATIENCE", 0.3)
    hold = textwrap.dedent(f"""
        import duckdb, sys, time
        connection = duckdb.connect({str(s.path / "provenance.duckdb")!r})
        print("held", flush=True)
        time.sleep(30)
    """)
    with subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        assert pipe(1).task.hit and not pipe(2).task.hit
        stream = random.getstate()
        with pytest.raises(rms.StoreError, match=rf"held by process {holder.pid} .*\n→ close it there"):
            s.sql("SELECT count(*) FROM tasks")
        assert random.getstate() == stream
        holder.kill()
    assert s.sql("SELECT count(*) FROM tasks").fetchall() == [(2,)]


def test_a_damaged_index_only_costs_time(s, reopen):
    pipe = s.register_pipe(work)
    for i in range(20):
        pipe(i)
    s.close()
    (s.path / "index").write_bytes(os.urandom((s.path / "index").stat().st_size))
    with rms.open(s.path) as later:
        again = later.register_pipe(work)
        assert [again(i).content for i in range(20)] == [2 * i for i in range(20)]
    (s.path / "index").unlink()
    with rms.open(s.path) as later:
        assert later.register_pipe(work)(3).task.hit


def test_a_lost_object_is_made_again(s, reopen):
    def make(n):
        return list(range(n))

    first = s.register_pipe(make)(10_000)
    later = reopen(s)
    for path in (s.path / "objects").rglob("*.pickle"):
        path.unlink()
    again = later.register_pipe(make)(10_000)
    assert again.task.hit and again.content == list(range(10_000)) and again.id == first.id


def test_looking_only_writes_nothing(s):
    pipe = s.register_pipe(work)
    pipe(1)
    s.close()
    before = {p: (p.stat().st_size, p.stat().st_mtime_ns) for p in s.path.rglob("*")}
    with rms.open(s.path, read_only=True) as looking:
        again = looking.register_pipe(work)
        assert again(1).task.hit
        with pytest.warns(rms.RmsWarning, match="read-only: work runs, and nothing is recorded"):
            assert again(2).content == 4
        assert again(3).content + 1 == 7
        assert looking.sql("SELECT args FROM tasks").fetchall() == [('{"x":1}',)]
        assert len(looking.tasks("work")) == 1
    assert {p: (p.stat().st_size, p.stat().st_mtime_ns) for p in s.path.rglob("*")} == before


def test_a_full_disk_loses_nothing(s, monkeypatch):
    pipe = s.register_pipe(work)
    pipe(1)
    write = os.write

    def full(fd, block):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.warns(rms.RmsWarning, match=r"nothing can be kept in .*: the disk is full"):
        assert pipe(2).content == 4
    assert pipe(2).task.hit and pipe(1).task.hit
    monkeypatch.setattr(os, "write", write)
    with pytest.warns(rms.RmsWarning, match=r"what could not be kept in .* is written down now"):
        assert pipe(3).content == 6
    assert s.sql("SELECT count(*) FROM tasks").fetchall() == [(3,)]


def test_a_closed_session_says_so(s):
    pipe = s.register_pipe(work)
    s.close()
    with pytest.raises(rms.RmsError, match="is closed"):
        pipe(1)


ERRORS = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.RmsError)]


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_pickles_and_carries_a_hint(kind):
    error = kind("it failed", hint="try again")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.hint) == (kind, "it failed\n→ try again", "try again")
    assert getattr(rms, kind.__name__) is kind


def test_the_database_is_plain_duckdb(s):
    s.register_pipe(work)(1)
    s.sql("SELECT 1")
    s.close()
    with duckdb.connect(str(s.path / "provenance.duckdb"), read_only=True) as connection:
        assert connection.sql("SELECT pipe, args FROM tasks").fetchall() == [("work", '{"x":1}')]
