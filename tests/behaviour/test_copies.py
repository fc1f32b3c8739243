"""Copies of a store: what one has computed is a hit for another, and nothing is lost on the way."""

import contextlib
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from fsspec.implementations.local import LocalFileSystem

import rms_jupyter as rms


def load(path):
    return [float(line) for line in Path(path).read_text().split()]


def scale(values, factor):
    return np.asarray(values) * factor


def report(values, out):
    Path(out).write_text(f"{len(values)} values, {sum(values):.1f} in all\n")


def tell(values):
    print("the mean is", sum(values) / len(values))
    return len(values)


def raw(folder, text="1 2 3 4"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "raw.txt").write_text(text)


@contextlib.contextmanager
def at_work(folder):
    """A session on the store of a project, in its folder."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        with rms.open(folder / "work.rms") as s:
            yield s
    finally:
        os.chdir(before)


def analyse(s, factor=3, big=50_000):
    """Load, scale a lot, report in a file, and print: the results."""
    pipes = [s.register_pipe(function) for function in (load, scale, tell)]
    report_ = s.register_pipe(report, outputs=["out"])
    values = pipes[0]("raw.txt")
    return [
        values,
        pipes[1](values, factor),
        pipes[1](np.arange(big), factor),
        report_(values, "report.txt"),
        pipes[2](values),
    ]


def analyse_and_push(folder, copy):
    """What somebody has done before."""
    with at_work(folder) as s:
        analyse(s)
        s.push(copy)


def hits(results):
    return [result.task.hit for result in results]


def figures(s):
    """What is on record, without what depends on the place."""
    return s.sql("SELECT t.id, t.key, t.status, t.k FROM tasks t ORDER BY t.id").fetchall()


@pytest.fixture
def two(tmp_path):
    """The projects of two people, and the copy between them."""
    ada, ben = tmp_path / "ada", tmp_path / "ben's, ünlike"
    raw(ada)
    raw(ben)
    return ada, ben, str(tmp_path / "shared copy")


def test_what_a_colleague_has_computed_is_a_hit(two):
    ada, ben, copy = two
    with at_work(ada) as s:
        results = analyse(s)
        assert "pushed" in str(s.push(copy))
        scaled = results[2].content
    with at_work(ben) as s:
        assert "5 tasks" in str(s.pull(copy))
        assert not any((s.path / "objects").rglob("*.npy"))  # Fetched when it is used.
        again = analyse(s)
        assert hits(again) == [True] * 5
        assert np.array_equal(again[2].content, scaled)
        assert (ben / "report.txt").read_text() == (ada / "report.txt").read_text()
        assert [path for (path,) in s.sql("SELECT DISTINCT path FROM files ORDER BY path").fetchall()] == [
            str(ben / "raw.txt"),
            str(ben / "report.txt"),
        ]
        assert not list(s.check())
        assert "up to date" in str(s.ahead_and_behind())


def test_both_ways_and_no_record_twice(two):
    ada, ben, copy = two
    for _ in range(3):
        for folder, factor in ((ada, 3), (ben, 4)):
            with at_work(folder) as s:
                s.pull(copy)
                analyse(s, factor)
                s.push(copy)
    with at_work(ada) as s:
        s.pull(copy)
        here = figures(s)
        assert s.sql("SELECT count(*), count(DISTINCT key) FROM tasks").fetchall() == [(7, 7)]
    with at_work(ben) as s:
        s.pull(copy)
        assert figures(s) == here
        assert "nothing new" in str(s.pull(copy))
        assert "nothing new" in str(s.push(copy))


def test_two_who_push_at_once_lose_nothing(two, tmp_path):
    ada, ben, copy = two
    with at_work(ada) as s, at_work(ben) as t:
        os.chdir(ada)
        analyse(s, 3)
        os.chdir(ben)
        analyse(t, 4)
        for _ in range(2):
            s.push(copy)
            t.push(copy)
    raw(tmp_path / "cora")
    with at_work(tmp_path / "cora") as s:
        s.pull(copy)
        assert hits(analyse(s, 3)) == hits(analyse(s, 4)) == [True] * 5


def test_a_pull_goes_to_the_disk_of_the_store_wherever_its_database_is(two, tmp_path, monkeypatch):
    ada, _, copy = two
    analyse_and_push(ada, copy)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as another_disk:
        monkeypatch.setenv("XDG_CACHE_HOME", another_disk)
        raw(tmp_path / "where?")  # DuckDB opens no file there.
        with at_work(tmp_path / "where?") as s:
            assert "5 tasks" in str(s.pull(copy))
            assert hits(analyse(s)) == [True] * 5
        assert list(Path(another_disk).rglob("databases"))


def test_a_journal_that_grows_is_taken_up_where_it_was(two):
    ada, ben, copy = two
    with at_work(ada) as s:
        os.chdir(ben)
        with rms.open(ben / "work.rms") as t:
            for factor in range(3):
                os.chdir(ada)
                analyse(s, factor)
                s.push(copy)
                os.chdir(ben)
                t.pull(copy)
                assert all(hits(analyse(t, factor)))
                t.sql("SELECT count(*) FROM tasks")
    with at_work(ada) as s:
        s.push(copy)
    with at_work(ben) as t:
        t.pull(copy)
        assert all(all(hits(analyse(t, factor))) for factor in range(3))
        assert not t.problems
        assert t.sql("SELECT count(*), count(DISTINCT key) FROM tasks").fetchall() == [(9, 9)]


def test_a_project_copied_while_it_was_used_takes_the_rest_in(two):
    ada, ben, copy = two
    shutil.rmtree(ben)
    with at_work(ada) as s:
        analyse(s, 1)
        shutil.copytree(ada, ben)
        with at_work(ben) as t:
            os.chdir(ben)
            assert all(hits(analyse(t, 1)))
        os.chdir(ada)
        analyse(s, 2)
        s.push(copy)
    with at_work(ben) as t:
        t.pull(copy)
    with at_work(ben) as t:
        assert all(hits(analyse(t, 2)))
        assert t.sql("SELECT count(*), count(DISTINCT key) FROM tasks").fetchall() == [(7, 7)]


def test_status_tells_what_is_ahead_and_behind(two):
    ada, ben, copy = two
    with at_work(ada) as s:
        assert s.ahead_and_behind() is None
        analyse(s)
        s.push(copy)
        analyse(s, 4)
        assert "2 tasks to push" in str(s.ahead_and_behind())
    with at_work(ben) as s:
        s.pull(copy)
    with at_work(ada) as s:
        s.push()
        assert "up to date" in str(s.ahead_and_behind())
    with at_work(ben) as s:
        assert "2 tasks to pull" in str(s.ahead_and_behind())


def test_all_content_can_be_fetched_at_once(two):
    ada, ben, copy = two
    analyse_and_push(ada, copy)
    with at_work(ben) as s:
        s.pull(copy, content=True)
        shutil.rmtree(copy)
        assert (ben / "report.txt").exists()
        assert hits(analyse(s)) == [True] * 5


def test_a_damaged_copy_is_told_and_not_taken_in(two):
    ada, ben, copy = two
    analyse_and_push(ada, copy)
    for path in [path for path in Path(copy).rglob("*") if path.is_file() and path.stat().st_size]:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    with at_work(ben) as s:
        assert "damaged" in str(s.pull(copy))
        assert hits(analyse(s)) == [False] * 5


@pytest.mark.parametrize("stop", range(1, 14))
def test_push_and_pull_stop_anywhere_and_go_on(two, monkeypatch, stop):
    from rms_jupyter.store.copies.place import CopyPlace

    ada, ben, copy = two
    steps = []

    def counted(method):
        def run(self, *args):
            steps.append(method)
            if len(steps) == stop:
                raise KeyboardInterrupt
            return method(self, *args)

        return run

    with monkeypatch.context() as m:
        for name in ("write", "read", "remove", "names"):
            m.setattr(CopyPlace, name, counted(getattr(CopyPlace, name)))
        with at_work(ada) as s, contextlib.suppress(KeyboardInterrupt):
            analyse(s)
            s.push(copy)
        with at_work(ben) as s, contextlib.suppress(KeyboardInterrupt):
            s.pull(copy, content=True)
    with at_work(ada) as s:
        s.push(copy)
    with at_work(ben) as s:
        s.pull(copy)
        assert hits(analyse(s)) == [True] * 5
        assert s.sql("SELECT count(*), count(DISTINCT key) FROM tasks").fetchall() == [(5, 5)]


def test_what_was_pulled_is_as_ones_own(two):
    ada, ben, copy = two
    analyse_and_push(ada, copy)
    with at_work(ben) as s:
        s.pull(copy)
        _, scaled, _, report, _ = analyse(s)
        assert "raw.txt" in str(s.lineage(scaled)) and str(ada) not in str(s.lineage(scaled))
        assert str(ben / "raw.txt") in str(s.lineage("report.txt"))
        assert str(s.why(scaled))
        assert "def scale" in s.export(scaled, "script")
        assert np.array_equal(s.rerun(scaled).content, [3, 6, 9, 12])


def test_a_backup_comes_back_as_it_was(two, tmp_path):
    ada, _, copy = two
    with at_work(ada) as s:
        analyse(s)
        s.register_file("raw.txt")
        assert "all sound" in str(s.backup(copy, verify=True))
        assert "nothing new" in str(s.backup(copy))
        before, results = figures(s), s.sql("SELECT id, digest FROM resources ORDER BY id").fetchall()
    place = tmp_path / "anders wo, ünlich"
    place.mkdir()
    assert "5 tasks" in str(rms.restore(copy, place / "work.rms"))
    shutil.rmtree(copy)
    assert sorted(path.name for path in place.iterdir()) == ["raw.txt", "report.txt", "work.rms"]
    with at_work(place) as s:
        assert figures(s) == before
        assert s.sql("SELECT id, digest FROM resources ORDER BY id").fetchall() == results
        assert hits(analyse(s)) == [True] * 5
        assert not list(s.check())


def test_restore_never_writes_over_anything(two, tmp_path):
    ada, ben, copy = two
    with at_work(ada) as s:
        analyse(s)
        s.backup(copy)
    with pytest.raises(rms.StoreError, match="is there already"):
        rms.restore(copy, ada / "work.rms")
    (ben / "raw.txt").write_text("mine")
    told = str(rms.restore(copy, ben / "work.rms"))
    assert "raw.txt is there already with other content" in told
    assert (ben / "raw.txt").read_text() == "mine"
    assert (ben / "report.txt").exists()
    os.chdir(ada)
    rms.restore(copy)  # Beside it.
    rms.restore(copy, "restored twice.rms")
    with pytest.raises(rms.StoreError, match="no copy of a store"):
        rms.restore(tmp_path / "nothing here", tmp_path / "x.rms")


@pytest.mark.parametrize(
    "trouble", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "stopped"]
)
def test_a_restore_that_did_not_end_is_done_again(two, monkeypatch, trouble):
    ada, ben, copy = two
    with at_work(ada) as s:
        analyse(s)
        s.backup(copy)
    (ben / "raw.txt").unlink()
    with monkeypatch.context() as failing:

        def fail(*args, **kwargs):
            raise trouble

        failing.setattr("fsspec.implementations.local.LocalFileSystem.get_file", fail)
        with pytest.raises((rms.StoreError, KeyboardInterrupt)):
            rms.restore(copy, ben / "work.rms")
    rms.restore(copy, ben / "work.rms")
    with at_work(ben) as s:
        assert all(hits(analyse(s))) and s.check(full=True).is_sound


def test_raw_and_key_results_alone(two, tmp_path):
    ada, _, copy = two
    with at_work(ada) as s:
        values, scaled, *_ = analyse(s)
        doubled = s.register_pipe(scale)(scaled, np.full(4, 2))
        report = s.backup(copy, "key")
        s.backup(copy + " record", "record")
    assert not any(Path(copy + " record", "objects").rglob("*.*"))
    rms.restore(copy, tmp_path / "key" / "work.rms")
    rms.restore(copy + " record", tmp_path / "record" / "work.rms")
    assert (tmp_path / "key" / "raw.txt").exists() and (tmp_path / "key" / "report.txt").exists()
    assert not (tmp_path / "record" / "raw.txt").exists()
    with at_work(tmp_path / "key") as s:
        assert np.array_equal(
            s.register_pipe(scale)(s.register_pipe(scale)(s.register_pipe(load)("raw.txt"), 3), np.full(4, 2)).content,
            doubled.content,
        )
    assert all(row["left out"] for row in report)


def hostile(kind):
    def make(copy, folder):
        path = folder / f"{kind}.tar"
        with tarfile.open(path, "w") as archive:
            archive.add(copy, ".")
            member = tarfile.TarInfo({"dots": "../out.txt", "absolute": str(folder / "out.txt")}.get(kind, "link"))
            if kind == "symlink":
                member.type, member.linkname = tarfile.SYMTYPE, str(folder)
            archive.addfile(member)
        return path

    return make


def dots_in_a_record(copy, folder):
    """A file on record whose place leads out of the project."""
    import zstandard

    from rms_jupyter.store.copies.send import compressed
    from rms_jupyter.store.copies.texts import described, text_named
    from rms_jupyter.store.lines import line_of, lines_of

    [name] = os.listdir(Path(copy, "journal"))
    text = zstandard.ZstdDecompressor().decompress(Path(copy, "journal", name).read_bytes())
    lines = [line_of(json.replace(b'"report.txt"', b'"../out.txt"')) for _, _, json in lines_of(text)]
    text = b"".join(lines)
    os.unlink(Path(copy, "journal", name))
    said = described(text_named(name).number, text, True)
    Path(copy, "journal", said.name).write_bytes(compressed(text))
    return copy


@pytest.mark.parametrize("make", [hostile("dots"), hostile("absolute"), hostile("symlink"), dots_in_a_record])
def test_a_hostile_backup_writes_nothing_outside(two, tmp_path, make):
    ada, _, copy = two
    with at_work(ada) as s:
        analyse(s)
        s.backup(copy)
    bad = make(copy, tmp_path)
    with pytest.raises(rms.StoreError):
        rms.restore(bad, tmp_path / "in" / "work.rms")
    assert not (tmp_path / "out.txt").exists()


def test_a_link_in_the_place_of_a_folder_is_not_followed(two, tmp_path):
    ada, ben, copy = two
    with at_work(ada) as s:
        (ada / "made").mkdir()
        s.register_pipe(report, outputs=["out"])([1.0], "made/report.txt")
        s.backup(copy)
    (tmp_path / "outside").mkdir()
    (ben / "made").symlink_to(tmp_path / "outside")
    with pytest.raises(rms.StoreError, match="outside"):
        rms.restore(copy, ben / "work.rms")
    assert not any((tmp_path / "outside").iterdir())


def test_an_archive_comes_back_too(two, tmp_path):
    ada, _, copy = two
    with at_work(ada) as s:
        analyse(s)
        s.backup(copy)
    with tarfile.open(tmp_path / "copy.tar.gz", "w:gz") as archive:
        archive.add(copy, ".")
    rms.restore(tmp_path / "copy.tar.gz", tmp_path / "in" / "work.rms")
    with at_work(tmp_path / "in") as s:
        assert hits(analyse(s)) == [True] * 5


@pytest.mark.parametrize("address", ["nothing://there", "s3://", "ssh://nobody@127.0.0.1:1/tmp/x"])
def test_an_address_that_makes_no_sense_is_told(two, address):
    with at_work(two[0]) as s, pytest.raises(rms.StoreError) as told:
        s.push(address)
    assert told.value.hint


def test_a_place_where_nobody_has_pushed_is_told(two):
    with at_work(two[0]) as s:
        assert "nobody has pushed there yet" in str(s.pull(two[2]))
        analyse(s)
        s.push(two[2])
        assert "nobody has pushed" not in str(s.pull(two[2]))


def test_without_an_address_the_last_one_is_used(two):
    with at_work(two[0]) as s:
        with pytest.raises(rms.RmsError, match="no address"):
            s.push()
        s.push(two[2])
        assert two[2] in str(s.push())


def test_workers_use_what_was_pulled(two):
    ada, ben, copy = two
    analyse_and_push(ada, copy)
    with at_work(ben) as s:
        s.pull(copy)
        scaled = analyse(s)[2]
        scale_ = s.register_pipe(scale)
        with s.plan() as plan:
            twice, thrice = scale_(scaled, 2), scale_(scaled, 4)
        assert plan.run(n_jobs=2).counts == {"done": 2}
        assert np.array_equal(twice.content, 6 * np.arange(50_000))
        assert np.array_equal(thrice.content, 12 * np.arange(50_000))


def test_two_journals_of_one_number_are_told(two):
    ada, ben, copy = two
    analyse_and_push(ada, copy)
    with at_work(ben) as s:
        analyse(s, 4)
    [journal] = (ben / "work.rms" / "journal").glob("*.zst")
    [name] = os.listdir(Path(copy, "journal"))
    journal.rename(journal.with_name(f"{name.partition('.')[0]}.jsonl.zst"))
    for name in ("index", "index.json"):
        (ben / "work.rms" / name).unlink()
    shutil.rmtree(ben / "work.rms" / "journal" / "numbers", ignore_errors=True)
    (ben / "work.rms" / "journal" / "numbers").unlink(missing_ok=True)
    with at_work(ben) as s:
        for use in (s.push, s.pull):
            with pytest.raises(rms.StoreError, match="two different journals"):
                use(copy)


STEPS = """
import sys
from pathlib import Path
import rms_jupyter as rms
verb, store, copy = sys.argv[1:]
print("begin", flush=True)
if verb == "restore":
    rms.restore(copy, store)
else:
    s = rms.open(store)
    s.push(copy) if verb == "push" else s.pull(copy, content=True)
"""


def is_restored(store):
    """Whether a store does not say that it is not whole."""
    with rms.open(store) as s:
        return not any("is not whole" in problem for problem in s.problems)


@pytest.mark.parametrize("verb", ["push", "pull", "restore"])
def test_killed_anywhere_and_done_again(two, tmp_path, verb):
    ada, ben, copy = two
    with at_work(ada) as s:
        for factor in range(4):
            analyse(s, factor)
        if verb != "push":
            s.backup(copy)
    chance, cut = random.Random(verb), 0
    for number in range(60 if os.environ.get("RMS_SOAK") else 6):
        goal = {"push": ada, "pull": ben, "restore": ben}[verb] / "work.rms"
        into = {"push": copy if number % 2 else f"{copy} {number}", "pull": copy, "restore": copy}[verb]
        words = [sys.executable, "-c", STEPS, verb, goal, into]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(chance.uniform(0, 0.4))
            was_cut = process.poll() is None
            process.kill()
        cut += was_cut
        is_whole = verb == "restore" and goal.exists() and is_restored(goal)
        if is_whole or (verb == "pull" and number % 2):
            shutil.rmtree(goal, ignore_errors=True)  # Or it would hold everything after a few.
    assert cut > 2
    if verb == "restore":
        was_begun = goal.exists()
        told = str(rms.restore(copy, goal))
        assert was_begun is ("was taken over" in told) and is_restored(goal)
    with at_work(ada) as s:
        s.push(copy)
    with at_work(ben) as s:
        s.pull(copy)
        assert not s.problems
        assert all(all(hits(analyse(s, factor))) for factor in range(4))
        assert s.sql("SELECT count(*), count(DISTINCT key) FROM tasks").fetchall() == [(11, 11)]


def test_what_cannot_be_fetched_is_computed_again(two):
    ada, ben, copy = two
    analyse_and_push(ada, copy)
    with at_work(ben) as s:
        s.pull(copy)
        shutil.rmtree(copy)
        Path(copy).write_text("a file in its place")
        with pytest.warns(rms.RmsWarning, match="content is not fetched"):
            again = analyse(s)
        assert np.array_equal(again[2].content, 3 * np.arange(50_000))
        assert (ben / "report.txt").exists()


class Opened:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return touched, (self.path,)


def touched(path):
    path.touch()
    return Opened(path)


def test_what_others_have_pushed_runs_nothing_until_it_is_trusted(two, tmp_path, monkeypatch):
    ada, ben, copy = two
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "ada's data"))
    make = {"opened": lambda path: Opened(path)}["opened"]
    with at_work(ada) as s:
        s.register_pipe(make, name="make")(tmp_path / "opened")
        arrays = analyse(s)
        s.push(copy)
    (tmp_path / "opened").unlink(missing_ok=True)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "ben's data"))
    with at_work(ben) as s:
        assert "%rms trust" in str(s.pull(copy))
        with pytest.warns(rms.RmsWarning, match="no pickles"):
            analysed = analyse(s)
        assert analysed[2].task.hit and len(analysed[2].content) == len(arrays[2].content)
        for ident, kind in s.sql("SELECT id, format FROM resources").fetchall():
            if kind == "pickle":
                with contextlib.suppress(rms.RmsError):
                    s.home.resource(ident).content
        assert not (tmp_path / "opened").exists()
        s.trust()
    with at_work(ada) as s:
        s.push(copy)
    with at_work(ben) as s:
        assert "%rms trust" not in str(s.pull(copy))
        assert all(hits(analyse(s)))
    rms.restore(copy, tmp_path / "in" / "work.rms")


def test_what_was_deleted_does_not_come_back_from_a_copy(two, tmp_path):
    ada, ben, copy = two
    analyse_and_push(ada, copy)
    with at_work(ben) as s:
        s.pull(copy, content=True)
        big = analyse(s)[2]
        assert contents(s.path)
        s.delete(big)
        s.gc()
        left = contents(s.path)
        s.pull(copy, content=True)
        assert contents(s.path) == left
        s.push(copy)
    rms.restore(copy, tmp_path / "again" / "work.rms")
    assert contents(tmp_path / "again" / "work.rms") == left


def contents(store):
    return sorted(path.name for path in (store / "objects").rglob("*.npy"))


@pytest.mark.parametrize(
    "odd", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)], ids=["pipe", "folder", "device"]
)
def test_what_is_no_file_in_a_copy_is_not_waited_for(two, odd):
    ada, ben, copy = two
    analyse_and_push(ada, copy)
    for path in Path(copy, "objects").rglob("*.*"):
        path.unlink()
        odd(path)
    with at_work(ben) as s:
        s.pull(copy, content=True)
        results = analyse(s)
        assert np.array_equal(results[2].content, np.arange(50_000) * 3) and s.check(full=True).is_sound


@pytest.mark.parametrize("how", ["refused", "listing", "folder"])
def test_all_content_is_fetched_but_for_what_cannot_be_read_which_is_named(two, monkeypatch, how):
    ada, ben, copy = two
    analyse_and_push(ada, copy)
    first, *others = sorted(Path(copy, "objects").rglob("*.*"))
    if how == "folder":
        first.unlink()
        first.mkdir()
    else:
        refuse(monkeypatch, "ls" if how == "listing" else "cat_file", str(first.parent if how == "listing" else first))
    with at_work(ben) as s:
        report = s.pull(copy, content=True)
        assert not report.is_sound
        assert (first.parent.name if how == "listing" else first.name) in str(report)
        there = {path.name for path in (s.path / "objects").rglob("*.*")}
        assert there >= {path.name for path in others if path.parent != first.parent} and first.name not in there


@pytest.mark.parametrize("of", ["objects", "files"])
def test_a_restore_brings_all_that_can_be_read_and_names_the_rest(two, tmp_path, monkeypatch, of):
    ada, _, copy = two
    with at_work(ada) as s:
        analyse(s)
        s.backup(copy)
        before = {path.name for path in (s.path / "objects").rglob("*.*")}
    first = min(path for path in Path(copy, of).rglob("*") if path.is_file())
    with monkeypatch.context() as failing:
        refuse(failing, "cat_file" if of == "objects" else "get_file", str(first))
        place = tmp_path / "anew"
        report = rms.restore(copy, place / "work.rms")
    assert not report.is_sound and "was not read" in str(report)
    there = {path.name for path in (place / "work.rms" / "objects").rglob("*.*")}
    assert there == before - {first.name}
    assert sum((place / name).exists() for name in ("raw.txt", "report.txt")) == 2 - (of == "files")
    if not (place / "raw.txt").exists():
        raw(place)
    with at_work(place) as s:
        analyse(s)
        assert s.check(full=True).is_sound


def test_a_copy_that_cannot_be_reached_any_more_is_not_asked_for_all_its_content(two, monkeypatch):
    ada, ben, copy = two
    analyse_and_push(ada, copy)
    with at_work(ben) as s:
        s.pull(copy)
        asked = refuse(monkeypatch, "cat_file", f"{copy}/objects")
        refuse(monkeypatch, "ls", str(copy), lambda: bool(asked))
        with pytest.raises(rms.StoreError, match="cannot be used: .*gone"):
            s.pull(copy, content=True)
        assert len(asked) == 1


def refuse(monkeypatch, what, beginning, now=lambda: True):
    """Let a disk fail for all paths with this beginning; gives those that were asked for."""
    real, asked = getattr(LocalFileSystem, what), []

    def refusing(self, path, *args, **kwargs):
        if str(path).startswith(beginning) and now():
            asked.append(path)
            raise PermissionError(13, "it is gone", path)
        return real(self, path, *args, **kwargs)

    monkeypatch.setattr(LocalFileSystem, what, refusing)
    return asked


def test_a_store_is_not_taken_for_a_copy(two):
    ada, ben, _ = two
    with at_work(ben) as s:
        analyse(s)
    before = sorted(path.name for path in (ben / "work.rms").rglob("*"))
    with at_work(ada) as s:
        analyse(s)
        for place in (ben / "work.rms", ben / "work.rms" / "within", s.path):
            for use in (s.push, s.pull, s.backup, lambda place: rms.restore(place, ada / "again.rms")):
                with pytest.raises(rms.StoreError, match="is a store or lies in one"):
                    use(str(place))
    assert sorted(path.name for path in (ben / "work.rms").rglob("*")) == before
