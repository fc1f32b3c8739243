"""Whatever happens to a file of the store's own: it is told, nothing wrong is read, and what can be made again is."""

import os
import shutil
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import rms_jupyter as rms
from rms_jupyter.store.journal import Journal, lock_if_dead
from rms_jupyter.store.sealed import seal

CALLS = 20
NUMBERS = []  # Of the journals of the store, as they were born.


def double(x):
    return x * 2


def fill(path, numbers=range(CALLS)):
    """Make calls in a session of their own: they are a journal of their own."""
    with rms.Session(path) as s:
        double_ = s.register_pipe(double)
        for x in numbers:
            double_(x)
        s.sql("SELECT 1")


@pytest.fixture
def store(tmp_path):
    """A store of three sealed journals; each call was made once."""
    NUMBERS.clear()
    for start in (0, CALLS, 2 * CALLS):
        fill(tmp_path / "test.rms", range(start, start + CALLS))
        NUMBERS.extend(numbers_in(tmp_path / "test.rms") - set(NUMBERS))
    return tmp_path / "test.rms"


def reopened(path, calls=3 * CALLS):
    """Make the calls again; give what was told, and how many of them ran."""
    with rms.Session(path) as s:
        double_ = s.register_pipe(double)
        results = [double_(x) for x in range(calls)]
        assert [result.content for result in results] == [2 * x for x in range(calls)]
        number = sum(not result.task.hit for result in results)
        rows = s.sql("SELECT args, count(*) FROM tasks GROUP BY args").fetchall()
        assert len(rows) == calls and s.sql("SELECT count(*) = count(DISTINCT id) FROM tasks").fetchall() == [(True,)]
        return s.problems, number


def everything(path):
    """What the database holds, and what the index leads to."""
    with rms.Session(path) as s:
        rows = s.sql("SELECT id, args, status FROM tasks ORDER BY id").fetchall()
        rows += s.sql("SELECT id, digest FROM resources ORDER BY id").fetchall()
        return rows, [s.register_pipe(double)(x).id for x in range(3 * CALLS)]


def numbers_in(store):
    return {int(path.name.partition(".")[0]) for path in (store / "journal").glob("*.jsonl*")}


def number_of(nth):
    """The number of a journal of the store, the first being 1; beyond the last, one that no journal has."""
    return NUMBERS[nth - 1] if nth <= len(NUMBERS) else nth


def sealed(store, nth):
    return store / "journal" / f"{number_of(nth)}.jsonl.zst"


def has_another(store):
    return not numbers_in(store) <= set(NUMBERS)


# Journals ------------------------------------------------------------------------------------------------------------


def test_nothing_is_told_of_a_store_that_is_whole(store):
    assert reopened(store) == ([], 0)
    assert reopened(store) == ([], 0)


def test_a_copy_of_a_store_is_as_whole_as_the_store(store, tmp_path):
    shutil.copytree(store, tmp_path / "copy.rms", copy_function=shutil.copyfile)
    assert reopened(tmp_path / "copy.rms") == ([], 0)


@pytest.mark.parametrize("gone", [[1], [2], [3], [1, 2, 3]])
def test_a_journal_that_is_missing_is_told_and_its_number_not_used_again(store, gone):
    for number in gone:
        sealed(store, number).unlink()
    told, number = reopened(store)
    assert number == CALLS * len(gone)
    assert all(any(f"journal {number_of(n)} is missing" in problem for problem in told) for n in gone)
    assert any("the database held records of journal" in problem for problem in told)
    assert has_another(store) and not any(sealed(store, n).exists() for n in gone)
    assert reopened(store) == ([], 0)


@pytest.mark.parametrize("lost", ["index.json", "index*", "numbers", "provenance.duckdb", "all but the numbers"])
def test_the_number_of_a_missing_journal_is_known_from_several_places(store, lost):
    sealed(store, 3).unlink()
    folders = {"numbers": store / "journal"}
    names = ["index*", "provenance.duckdb"] if lost.startswith("all") else [lost]
    for name in names:
        for path in folders.get(name, store).glob(name):
            path.unlink()
    told, number = reopened(store)
    assert number == CALLS and any(f"journal {number_of(3)} is missing" in problem for problem in told)
    assert has_another(store) and not sealed(store, 3).exists()


def test_a_journal_that_comes_back_is_read_again(store, tmp_path):
    shutil.move(sealed(store, 2), tmp_path)
    with rms.Session(store) as s:
        assert any(f"journal {number_of(2)} is missing" in problem for problem in s.problems)
    shutil.move(tmp_path / sealed(store, 2).name, sealed(store, 2))
    assert reopened(store) == ([], 0)


def test_a_journal_that_was_renamed_is_told(store):
    sealed(store, 2).rename(sealed(store, 9))
    told, number = reopened(store)
    assert number == CALLS
    assert any(f"journal/9.jsonl.zst is journal {number_of(2)} under another name" in problem for problem in told)
    sealed(store, 9).rename(sealed(store, 2))
    assert reopened(store)[1] == 0


def test_journals_that_have_changed_places_are_told(store):
    sealed(store, 1).rename(store / "x")
    sealed(store, 2).rename(sealed(store, 1))
    (store / "x").rename(sealed(store, 2))
    told, number = reopened(store)
    assert number == 2 * CALLS
    assert any(
        f"journal/{number_of(1)}.jsonl.zst is journal {number_of(2)} under another name" in problem for problem in told
    )


def test_a_journal_that_was_doubled_is_told_and_read_once(store):
    shutil.copy(sealed(store, 2), sealed(store, 7))
    told, number = reopened(store)
    assert number == 0
    assert told == [f"journal/7.jsonl.zst is journal {number_of(2)} under another name: it is left out"]


def test_a_journal_of_another_store_is_told(store, tmp_path):
    fill(tmp_path / "other.rms", range(500, 510))
    [other] = (tmp_path / "other.rms" / "journal").glob("*.zst")
    shutil.copy(other, sealed(store, 2))
    told, number = reopened(store)
    assert number == CALLS
    assert any(
        f"journal/{number_of(2)}.jsonl.zst is not the journal that had this number" in problem for problem in told
    )
    with rms.Session(store) as s:
        assert s.sql("SELECT count(*) FROM tasks WHERE args LIKE '%:50_}'").fetchall() == [(0,)]


FOREIGN = ["1 (conflicted copy).jsonl", "._1.jsonl", "01.jsonl", "+1.jsonl", "4294967296.jsonl", "-1.jsonl", "1.jsonl~",
           "99999999999999999999.jsonl.zst", "1 2.jsonl.zst", "x.jsonl", "１.jsonl", "0.jsonl"]  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_name_is_told_and_left_alone(store, name):
    (store / "journal" / name).write_bytes(b"whatever\n")
    told, number = reopened(store)
    assert number == 0
    assert told == [f"journal/{name} is not a journal of this store: it is left out; move it elsewhere"]
    assert (store / "journal" / name).read_bytes() == b"whatever\n"


@pytest.mark.parametrize("kind", ["folder", "fifo", "dangling"])
def test_what_is_no_file_is_told_and_not_read(store, kind):
    path = store / "journal" / "8.jsonl"
    {"folder": Path.mkdir, "fifo": os.mkfifo, "dangling": lambda path: path.symlink_to("nowhere")}[kind](path)
    told, number = reopened(store)
    assert number == 0 and told == ["journal/8.jsonl is not a journal of this store: it is left out; move it elsewhere"]


def test_the_highest_number_does_not_stop_the_store(store):
    (store / "journal" / f"{2**31 - 1}.jsonl").write_bytes(b"garbage\n")
    told, number = reopened(store)
    assert number == 0 and told
    fill(store, [777])
    assert has_another(store)


def emptied(data):
    return b""


def cut(data):
    return data[: len(data) * 2 // 3]


def zeroed(data):
    return bytes(len(data))


def noise(data):
    return os.urandom(len(data))


def flipped(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0x20]) + data[middle + 1 :]


def tail_lost(data):
    return data[:-3]


DAMAGE = [emptied, cut, zeroed, noise, flipped, tail_lost]


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("with_index", [True, False])
def test_a_damaged_sealed_journal_is_told(store, damage, with_index):
    path = sealed(store, 2)
    path.write_bytes(damage(path.read_bytes()))
    if not with_index:
        (store / "index.json").unlink()
        (store / "provenance.duckdb").unlink()
    told, number = reopened(store)
    assert number <= CALLS
    assert told and all("journal" in problem for problem in told)
    assert number or damage is tail_lost
    assert reopened(store)[1] == 0


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_live_journal_is_told(store, damage):
    with rms.Session(store) as s:
        double_ = s.register_pipe(double)
        for x in range(3 * CALLS, 4 * CALLS):
            double_(x)
        s.store._journal.close()  # As when the kernel dies: nobody seals it.
        path = s.store._journal.path
        shutil.copy(path, path.with_suffix(".kept"))
    path.with_suffix(".jsonl.zst").unlink()
    path.write_bytes(damage(path.with_suffix(".kept").read_bytes()))
    path.with_suffix(".kept").unlink()
    told, number = reopened(store, 4 * CALLS)
    assert told and 0 < number <= CALLS
    assert reopened(store, 4 * CALLS)[1] == 0


# What can be made again ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", ["index", "index.json", "provenance.duckdb"])
def test_a_damaged_index_or_database_is_told_and_made_again_as_it_was(store, damage, name):
    before = everything(store)
    path = store / name
    path.write_bytes(damage(path.read_bytes()))
    told, number = reopened(store)
    assert number == 0
    what = "the index was damaged" if name.startswith("index") else "the database could not be read"
    assert any(what in problem for problem in told) or (name == "provenance.duckdb" and damage in (flipped, tail_lost))
    assert everything(store) == before
    assert reopened(store) == ([], 0)


@pytest.mark.parametrize("name", ["numbers", "store.json"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_small_file_costs_nothing(store, damage, name):
    [path] = [path for path in (store / name, store / "journal" / name) if path.exists()]
    path.write_bytes(damage(path.read_bytes()))
    assert reopened(store)[1] == 0


NO_TEXT, NESTED = b'{"id":"\xff"}', b'{"a":' * 100_000 + b"1" + b"}" * 100_000


def a_note(data):
    line = b"0" * 32 + b" 5 5 " + data
    return struct.pack("<Q", len(line)) + line


@pytest.mark.parametrize("data", [NO_TEXT, NESTED, b"9" * 5000], ids=["no text", "nested", "long number"])
@pytest.mark.parametrize(
    "name", ["store.json", "copies.json", "index.json", "running/70000", "trash/1/deleted.json", "queue/1.json"]
)
def test_a_small_file_that_holds_anything_costs_nothing(store, name, data):
    (store / name).parent.mkdir(parents=True, exist_ok=True)
    (store / name).write_bytes(a_note(data) if "running" in name else data)
    assert reopened(store)[1] == 0
    with rms.Session(store) as s:
        assert "tasks" in repr(s.status()) and not s.queued_entries()
        with pytest.raises(rms.RmsError, match="nothing in the trash|put there elsewhere"):
            s.undo_delete()


def test_a_note_of_a_number_that_is_none_costs_nothing(store):
    line = b"0" * 32 + b" " + b"9" * 5000 + b" 5 {}"
    (store / "running" / "70000").write_bytes(struct.pack("<Q", len(line)) + line)
    assert reopened(store)[1] == 0


def test_an_index_of_another_store_is_told(store, tmp_path):
    fill(tmp_path / "other.rms", range(100, 200))
    for path in (tmp_path / "other.rms").glob("index*"):
        shutil.copy(path, store / path.name)
    told, number = reopened(store)
    assert number == 0 and told


# Births ---------------------------------------------------------------------------------------------------------------


def test_a_journal_that_is_being_born_is_not_taken_for_a_dead_one(tmp_path):
    """Another thread seals all the time, as other processes do."""
    done = threading.Event()
    lost = []

    def seal_all():
        while not done.is_set():
            for path in tmp_path.iterdir():
                if path.suffix == ".jsonl" and (fd := lock_if_dead(path)) is not None:
                    if not path.read_bytes().count(b"\n") > 1:
                        lost.append(path.name)
                    seal(path, path.with_suffix(".jsonl.zst"))
                    os.close(fd)
                elif path.name.startswith(".unborn") and (fd := lock_if_dead(path)) is not None:
                    path.unlink(missing_ok=True)
                    os.close(fd)

    sealers = [threading.Thread(target=seal_all) for _ in range(2)]
    for sealer in sealers:
        sealer.start()
    numbers = []
    for n in range(300):
        journal = Journal(tmp_path, lambda n=n: b'{"record":"writer","n":%d}' % n)
        numbers.append(journal.append([b'{"a":%d}' % n])[0] >> 32)
        journal.close()
    done.set()
    for sealer in sealers:
        sealer.join()
    assert not lost and len(set(numbers)) == 300
    names = {path.name.partition(".")[0] for path in tmp_path.glob("*.jsonl*")}
    assert names >= set(map(str, numbers))


def test_processes_that_open_and_close_lose_nothing(tmp_path):
    script = """
import sys
from pathlib import Path
import rms_jupyter as rms
for i in range(int(sys.argv[2])):
    with rms.Session(Path("many.rms")) as s:
        def work(i, who):
            return i
        s.register_pipe(work)(i, sys.argv[1])
"""
    Path("script.py").write_text(script)
    times = 40 if os.environ.get("RMS_SOAK") else 8
    both = [subprocess.Popen([sys.executable, "-W", "error", "script.py", who, str(times)]) for who in "ab"]
    assert [process.wait() for process in both] == [0, 0]
    with rms.Session(tmp_path / "many.rms") as s:
        assert s.problems == []
        assert s.sql("SELECT count(*), count(DISTINCT args) FROM tasks").fetchall() == [(2 * times, 2 * times)]


def test_a_database_that_proves_damaged_when_it_is_let_go_of(tmp_path):
    with rms.Session(tmp_path / "whole.rms") as s:
        work = s.register_pipe(lambda i: i, name="work")
        [work(i) for i in range(6)]
        s.sql("SELECT 1")
        shutil.copytree(s.path, tmp_path / "cut.rms")
    database = tmp_path / "cut.rms" / "provenance.duckdb"
    data = database.read_bytes()
    database.write_bytes(data[: -(1 << 16)] + bytes(1 << 16))
    with rms.Session(tmp_path / "cut.rms") as s:
        s.register_pipe(lambda i: i, name="work")(7)
        assert s.sql("SELECT count(*) FROM tasks").fetchall() == [(7,)]
        assert any("made again from the journals" in problem for problem in s.problems)


def test_tables_of_an_older_version_are_made_again(tmp_path):
    import duckdb

    with rms.Session(tmp_path / "older.rms") as s:
        s.register_pipe(lambda i: i + 1, name="plus")(1)
        assert len(s.runs()) == 1
    with duckdb.connect(str(tmp_path / "older.rms" / "provenance.duckdb")) as connection:
        views = [
            name for (name,) in connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        ]
        for name in views:
            connection.execute(f'DROP VIEW IF EXISTS "{name}"')
        connection.execute("ALTER TABLE raw.runs DROP COLUMN rule")
        connection.execute("COMMENT ON TABLE raw.ingested IS '6:0000000000000000'")
    with rms.Session(tmp_path / "older.rms") as s:
        assert s.sql("SELECT count(*) FROM tasks").fetchall() == [(1,)] and len(s.runs()) == 1
        assert s.problems == []
