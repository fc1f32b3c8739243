"""What is kept is checked, made again, verified and deleted: C10, C12, C13, R4, R6, R7 of the scenarios."""

import os
import random
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rms_jupyter as rms
from rms_jupyter.session import Session

FACTOR = 3
RUNS = []


def write(path, n):
    RUNS.append(path)
    with open(path, "w") as file:
        file.write("x" * n)


def size(path):
    RUNS.append("size")
    return len(Path(path).read_text())


def ratio(path, n):
    return len(Path(path).read_text()) / n


def copy(source, path):
    RUNS.append(path)
    Path(path).write_bytes(Path(source).read_bytes())


@pytest.fixture(autouse=True)
def no_runs():
    RUNS.clear()


@pytest.fixture
def write_(s):
    return pipe_of(s, write, outputs=["path"])


@pytest.fixture
def size_(s):
    return pipe_of(s, size)


@pytest.fixture
def copy_(s):
    return pipe_of(s, copy, outputs=["path"])


def pipe_of(session, function, **options):
    """Make a pipe of a function that counts its runs."""
    return session.register_pipe(function, ignore=("RUNS", "DRAWS"), **options)


def problems(report):
    return {os.path.basename(row["what"]): row["problem"] for row in report}


def count_tasks(session):
    return session.sql("SELECT count(*) FROM tasks").fetchall()[0][0]


def change_unseen(path, content):
    """Change a file so that size, time and inode stay."""
    before = os.stat(path)
    with open(path, "r+") as file:
        file.write(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def age(path):
    """Let a file look as if it had been written long ago, so that its stat can be trusted."""
    os.utime(path, (1e9, 1e9))


def old_file(name, text):
    Path(name).write_text(text)
    age(name)
    return name


# Checking: files --------------------------------------------------------------------------------------------------


def test_missing_and_altered_files_are_named_with_what_to_do(s, write_, size_):
    write_("kept.txt", 1), write_("gone.txt", 2), write_("other.txt", 3)
    for name in ("in.txt", "lost.txt", "edited.txt"):
        s.register_file(old_file(name, name))
    assert s.check().headline == "6 files, no problems" and list(s.check()) == []
    os.unlink("gone.txt"), os.unlink("lost.txt")
    Path("other.txt").write_text("edited"), Path("edited.txt").write_text("by hand")
    report = s.check()
    assert report.headline == "6 files, 4 problems"
    assert problems(report) == {
        "gone.txt": "missing",
        "lost.txt": "missing",
        "other.txt": "altered",
        "edited.txt": "altered",
    }
    todo = {os.path.basename(row["what"]): row["what to do"] for row in report}
    assert "--repair" in todo["gone.txt"] and 'write("gone.txt", n=2)' in todo["gone.txt"]
    assert todo["lost.txt"] == "bring it back"
    size_("read.txt" if Path("read.txt").write_text("abc") else "")
    Path("read.txt").write_text("edited")
    assert "calls that read it run again" in s.check()[-1]["what to do"]
    assert "call write" in todo["other.txt"] and "force=True" in todo["edited.txt"]
    assert all(s.file_from_path(row["what"]).id == row["id"] for row in report)
    assert repr(report).startswith("6 files, 4 problems\nwhat") and "<table>" in report._repr_html_()


def test_what_a_check_found_is_seen_until_it_is_right_again(s, write_, reopen):
    file, other = write_("a.txt", 1), write_("b.txt", 1)
    os.rename("a.txt", "aside"), Path("b.txt").write_text("edited")
    s.check()
    records = s.sql("SELECT count(*) FROM marks").fetchall()
    assert problems(s.check()) == {"a.txt": "missing", "b.txt": "altered"}
    assert s.sql("SELECT count(*) FROM marks").fetchall() == records
    assert (file.status, other.status) == ("missing", "altered")
    assert [f.path for f in s.files(status="missing")] == [file.path]
    later = reopen(s)
    assert later.sql("SELECT path FROM files WHERE status = 'missing'").fetchall() == [(file.path,)]
    os.rename("aside", "a.txt")
    assert problems(later.check()) == {"b.txt": "altered"}
    assert later.sql("SELECT status FROM files WHERE path = ?", [file.path]).fetchall() == [("current",)]


def test_a_missing_mark_stands_in_nobodys_way(s, write_, size_):
    write_("a.txt", 4)
    os.rename("a.txt", "aside")
    s.check()
    os.rename("aside", "a.txt")
    assert write_("a.txt", 4).task.hit and size_(write_("a.txt", 4)).content == 4
    with pytest.raises(rms.OverwriteError):
        write_("a.txt", 5)
    s.register_file("a.txt")
    assert count_tasks(s) == 2


def test_touching_is_no_change_and_what_size_and_time_hide_is_found(s, write_):
    s.register_file(old_file("a.txt", "abc"))
    os.utime("a.txt")
    assert s.check().headline == "1 file, no problems"
    s.register_file(old_file("b.txt", "abc"))
    change_unseen("b.txt", "xyz")
    assert problems(s.check()) == {"b.txt": "altered"}
    assert problems(s.check(full=True)) == {"b.txt": "altered"}


def test_a_check_in_a_new_kernel_knows_all_files(s, write_, reopen):
    for number in range(30):
        write_(f"{number}.txt", number + 1)
    s.register_file(old_file("in.txt", "x"))
    later = reopen(s)
    pipe_of(later, write, outputs=["path"])("new.txt", 5)
    os.unlink("3.txt"), os.unlink("new.txt")
    report = later.check()
    assert report.headline == "32 files, 2 problems" and set(problems(report)) == {"3.txt", "new.txt"}


def test_another_kernels_files_are_checked_too(s, write_):
    s.check()
    with Session(s.path) as other:
        other.register_file(old_file("b.txt", "b"))
    os.unlink("b.txt")
    assert problems(s.check()) == {"b.txt": "missing"}


def test_only_the_latest_record_of_a_path_counts(s):
    s.register_file(old_file("a.txt", "old"))
    old_file("a.txt", "newer")
    s.register_file("a.txt", force=True)
    assert s.check().headline == "1 file, no problems"


def test_a_folder_in_place_of_a_file_is_no_file(s, write_):
    write_("a<b>.txt", 1)
    os.unlink("a<b>.txt"), os.mkdir("a<b>.txt")
    report = s.check()
    assert problems(report) == {"a<b>.txt": "missing"} and "a&lt;b&gt;.txt" in report._repr_html_()


def test_a_check_writes_to_no_file_and_looking_only_records_nothing(s, write_):
    write_("a.txt", 1), write_("b.txt", 1)
    before = os.stat("a.txt")
    os.unlink("b.txt")
    s.close()
    store = {p: (p.stat().st_size, p.stat().st_mtime_ns) for p in s.path.rglob("*")}
    with rms.open(s.path, read_only=True) as looking:
        assert problems(looking.check(full=True)) == {"b.txt": "missing"}
        with pytest.raises(rms.RmsError, match="read-only"):
            looking.check(repair=True)
        with pytest.raises(rms.RmsError, match="read-only"):
            looking.delete("write", dependants=True)
    assert {p: (p.stat().st_size, p.stat().st_mtime_ns) for p in s.path.rglob("*")} == store
    assert os.stat("a.txt") == before and not os.path.exists("b.txt")


# Checking: results ------------------------------------------------------------------------------------------------


def array(n):
    return np.arange(n)


def items(n):
    return [str(i) for i in range(n)]


def flip(path, place=-1):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("function, damage", [(array, flip), (items, lambda path: os.truncate(path, 5000))])
@pytest.mark.parametrize("anew", [False, True])
def test_kept_results_that_are_missing_or_corrupt(s, reopen, function, damage, anew):
    pipe = pipe_of(s, function)
    pipe(5000), pipe(6000), pipe(3)
    [lost] = (s.path / "objects").rglob(f"{pipe(5000).digest}*")
    [damaged] = (s.path / "objects").rglob(f"{pipe(6000).digest}*")
    lost.unlink(), damage(damaged)
    session = reopen(s) if anew else s
    report = session.check()
    assert report.headline == "0 files, 2 kept results, 1 problem"
    assert problems(report) == {f"{function.__name__}(5000)": "missing"}
    report = session.check(full=True)
    assert problems(report) == {f"{function.__name__}(5000)": "missing", f"{function.__name__}(6000)": "corrupt"}
    assert str(damaged) in report[1]["what to do"]


class Sample:
    def __init__(self, name):
        self.name = name


def test_objects_frames_and_generators_are_not_called_corrupt(s, reopen):
    def frame(n):
        return pd.DataFrame({"x": np.arange(n), "name": ["a"] * n})

    def samples(n):
        return [Sample(str(i)) for i in range(n)]

    def numbers(n):
        yield from range(n)

    pipe_of(s, frame)(5000), pipe_of(s, samples)(2000), pipe_of(s, numbers)(5)
    assert s.check(full=True).headline == "0 files, 2 kept results, no problems"
    assert reopen(s).check(full=True).headline == "0 files, 2 kept results, no problems"


# Making again: as an input ----------------------------------------------------------------------------------------


def test_a_missing_input_is_made_again_by_its_own_call(s, write_, size_, copy_):
    copied = copy_(write_("a.txt", 4), "b.txt")
    os.unlink("a.txt"), os.unlink("b.txt")
    RUNS.clear()
    assert size_(copied).content == 4 and RUNS == ["a.txt", "b.txt", "size"]
    assert Path("a.txt").read_text() == Path("b.txt").read_text() == "xxxx"
    assert s.sql("SELECT pipe FROM tasks ORDER BY k").fetchall() == [("write",), ("copy",), ("size",)]
    assert "write(" in str(s.lineage(size_(copied)))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_missing_input_is_made_again_in_a_plan(s, write_, size_, n_jobs):
    file = write_("a.txt", 4)
    os.unlink("a.txt")
    with s.plan() as plan:
        sizes = [size_(file), size_(write_("b.txt", 5))]
    plan.run(n_jobs=n_jobs)
    assert [r.content for r in sizes] == [4, 5] and Path("a.txt").exists()


def test_what_is_stored_needs_no_input_file(s, write_, size_):
    file = write_("a.txt", 4)
    size_(file)
    os.unlink("a.txt")
    assert size_(file).task.hit and not os.path.exists("a.txt")


def chance(path):
    Path(path).write_text(os.urandom(8).hex())


def moody(path):
    if os.path.exists("bad mood"):
        raise ValueError("not today")
    Path(path).write_text("fine")


def test_an_input_that_cannot_be_made_again_is_refused_by_name(s, size_, copy_, tmp_path, monkeypatch):
    registered = s.register_file(old_file("in.txt", "x"))
    random = pipe_of(s, chance, outputs=["path"], deterministic=False)("chance.txt")
    copied = copy_(registered, "copy.txt")
    fine = pipe_of(s, moody, outputs=["path"])("fine.txt")
    unseen = pipe_of(s, write, name="unseen", outputs=["path"])("unseen.txt", 1)
    pipe_of(s, size, name="unseen")
    for name in ("in.txt", "chance.txt", "copy.txt", "fine.txt", "unseen.txt"):
        os.unlink(name)
    Path("bad mood").touch()
    for file, why, hint in [
        (registered, "in.txt is gone, and cannot be made again: no call has made it", "bring it back"),
        (random, "chance.txt is gone, and cannot be made again: chance is not deterministic", "call it again"),
        (copied, "copy.txt is gone, and making it again failed: StaleInputError: .*in.txt is gone", "call its pipe"),
        (fine, "fine.txt is gone, and making it again failed: ValueError: not today", "call its pipe again"),
        (unseen, "unseen.txt is gone, and .*: no pipe unseen with the same code", "run the cell"),
    ]:
        with pytest.raises(rms.StaleInputError, match=why) as error:
            size_(file)
        assert hint in error.value.hint, file
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    os.unlink(tmp_path / "bad mood")
    with pytest.raises(rms.StaleInputError, match="called from here it would write elsewhere than .*fine.txt"):
        size_(fine)
    assert not list(elsewhere.iterdir())


def test_an_altered_input_is_refused_and_left_alone(s, write_, size_):
    file = write_("a.txt", 4)
    Path("a.txt").write_text("by hand")
    with pytest.raises(
        rms.StaleInputError, match=r"a.txt has changed since it was recorded\n→ .*force=True.*call the pipe"
    ):
        size_(file)
    assert Path("a.txt").read_text() == "by hand"


# Making again: repair ---------------------------------------------------------------------------------------------


def test_repair_makes_missing_files_again(s, write_, copy_, reopen):
    first = write_("a.txt", 4)
    copy_(first, "b.txt"), write_("c.txt", 2)
    os.unlink("a.txt"), os.unlink("b.txt")
    later = reopen(s)
    for function in (write, copy):
        pipe_of(later, function, outputs=["path"])
    RUNS.clear()
    report = later.check(repair=True)
    assert report.headline == "3 files, no problems" and report.notes == ["made again: 2 files"]
    assert sorted(RUNS) == ["a.txt", "b.txt"]
    assert len(later.tasks()) == 3, "C13: nothing new is recorded"
    assert later.file_from_path("a.txt").digest == first.digest and later.file_from_path("a.txt").status == "current"
    RUNS.clear()
    assert later.check(repair=True).notes == [] and RUNS == []


def test_repair_says_what_it_cannot_make(s, write_):
    write_("a.txt", 1)
    pipe_of(s, chance, outputs=["path"], deterministic=False)("chance.txt")
    pipe_of(s, moody, outputs=["path"])("fine.txt")
    s.register_file(old_file("in.txt", "x"))
    for name in ("a.txt", "chance.txt", "fine.txt", "in.txt"):
        os.unlink(name)
    Path("bad mood").touch()
    report = s.check(repair=True)
    assert report.headline == "4 files, 3 problems" and report.notes == ["made again: 1 file"]
    todo = {os.path.basename(row["what"]): row["what to do"] for row in report}
    assert "chance is not deterministic" in todo["chance.txt"] and "ValueError: not today" in todo["fine.txt"]
    assert todo["in.txt"] == "bring it back" and not os.path.exists("chance.txt")


def test_other_content_than_before_is_a_warning(s):
    pipe_of(s, chance, outputs=["path"])("chance.txt")
    os.unlink("chance.txt")
    with pytest.warns(rms.RmsWarning, match=r"chance.txt was made again with other content.*deterministic=False"):
        s.check(repair=True)
    assert problems(s.check()) == {"chance.txt": "altered"} and len(s.tasks()) == 1


def test_repair_leaves_altered_files_alone(s, write_):
    write_("a.txt", 4)
    Path("a.txt").write_text("by hand")
    assert problems(s.check(repair=True)) == {"a.txt": "altered"} and Path("a.txt").read_text() == "by hand"


def test_a_value_is_not_made_again_with_another_global(s, reopen, monkeypatch):
    def numbers(n):
        yield from range(n * FACTOR)

    first = pipe_of(s, numbers)(2)
    assert len(list(first.content)) == 6
    later = reopen(s)
    pipe_of(later, numbers)
    monkeypatch.setitem(globals(), "FACTOR", 5)
    again = later.home.resource(first.id)
    with pytest.raises(rms.NotRecomputable, match=r"numbers\(2\) is not kept, and a global"):
        list(again.content)
    monkeypatch.setitem(globals(), "FACTOR", 3)
    assert len(list(later.home.resource(first.id).content)) == 6


def test_what_is_not_deterministic_is_never_made_again_silently(s, reopen):
    def draw(n):
        RUNS.append(n)
        return np.random.default_rng().random(n)

    first = pipe_of(s, draw, volatile=True, deterministic=False)(3)
    later = reopen(s)
    pipe_of(later, draw, volatile=True, deterministic=False)
    with pytest.raises(rms.NotRecomputable, match="draw is not deterministic"):
        later.home.resource(first.id).content
    later.check(repair=True, verify=1)
    assert RUNS == [3]


# Early cut-off ----------------------------------------------------------------------------------------------------


def test_a_removed_output_made_again_alike_makes_nothing_downstream_run(s, write_, size_):
    size_(write_("b.txt", 4))
    os.unlink("b.txt")
    RUNS.clear()
    again = size_(write_("b.txt", 4))
    assert again.task.hit and RUNS == ["b.txt"]
    os.unlink("b.txt")
    with s.plan() as plan:
        last = size_(write_("b.txt", 4))
    assert plan.run().counts == {"done": 1, "hit": 1} and last.content == 4


@pytest.mark.parametrize("by", ["result", "path"])
def test_only_what_uses_the_changed_one_of_two_files_runs(s, by):
    def two(n):
        Path("a1.txt").write_text("one" * n)
        Path("a2.txt").write_text("two")

    def use(path):
        RUNS.append(os.path.basename(path))
        return len(Path(path).read_text())

    def both(n):
        files = pipe(n)
        return [use_(file if by == "result" else os.path.basename(file)) for file in files]

    pipe = pipe_of(s, two, outputs=["a1.txt", "a2.txt"], overwrite=True)
    use_ = pipe_of(s, use)
    both(1)
    RUNS.clear()
    assert [r.task.hit for r in both(2)] == [False, True] and RUNS == ["a1.txt"]

    def two(n):
        Path("a1.txt").write_text("eins" * n)
        Path("a2.txt").write_text("t" + "wo")

    pipe = pipe_of(s, two, outputs=["a1.txt", "a2.txt"], overwrite=True)
    RUNS.clear()
    assert [r.task.hit for r in both(2)] == [False, True] and RUNS == ["a1.txt"]


# Verifying --------------------------------------------------------------------------------------------------------


def steady(n):
    RUNS.append(n)
    return n * FACTOR


DRAWS = []


def draw(kind):
    DRAWS.append(kind)
    n = len(DRAWS)
    table = pd.DataFrame({"same": [1.0, 2.0, 3.0], "drawn": [0.0, 0.0, float(n)]})
    values = {
        "number": n,
        "text": f"result {n}",
        "array": np.array([[0.0, 0.0], [1.0, n / 2]]),
        "shape": np.zeros(n),
        "frame": table,
        "columns": table.rename(columns={"drawn": f"drawn{n}"}),
        "dict": {"a": [1, 2, {"n": n}]},
        "list": list(range(n)),
        "type": n if n % 2 else str(n),
        "bytes": b"abc%d" % n,
        "nan": np.array([np.nan, n]),
    }
    return values[kind]


def test_a_sample_comes_out_the_same(s):
    pipe = pipe_of(s, steady)
    for n in range(40):
        pipe(n)
    RUNS.clear()
    tasks = count_tasks(s)
    stream = random.getstate()
    report = s.check(verify=0.1)
    assert random.getstate() == stream
    assert report.headline == "0 files, no problems" and len(RUNS) == 4
    seed = int(re.fullmatch(r"ran 4 of 40 stored results again \(seed (\d+)\)", report.notes[0])[1])
    sample = list(RUNS)
    RUNS.clear()
    s.check(verify=0.1, seed=seed)
    assert sample == RUNS and count_tasks(s) == tasks


def test_running_results_again_leaves_the_random_numbers_of_the_notebook(s):
    def simulate(n):
        return n + random.random() + np.random.standard_normal()

    pipe_of(s, simulate)(1)
    before = random.getstate(), np.random.get_state(legacy=False)
    s.check(verify=1)
    assert random.getstate() == before[0]
    np.testing.assert_equal(np.random.get_state(legacy=False), before[1])


@pytest.mark.parametrize(
    "kind, how",
    [
        ("number", "1 → 2"),
        ("text", "text differs from character 8 on: '1' → '2'"),
        ("array", "1 of 4 elements differ, by at most 0.5"),
        ("shape", r"float64 \(1,\) → float64 \(2,\)"),
        ("frame", "column drawn: 1 of 3 elements differ, by at most 1"),
        ("columns", "columns: -drawn1, .drawn2"),
        ("dict", r"\['a'\]\[2\]\['n'\]: 1 → 2"),
        ("list", "1 items → 2 items"),
        ("type", "int → str"),
        ("bytes", "content differs from byte 4 on: b'1' → b'2'"),
        ("nan", "1 of 2 elements differ, by at most 1"),
    ],
)
def test_a_result_that_differs_is_reported_with_the_difference(s, kind, how):
    DRAWS.clear()
    first = pipe_of(s, draw)(kind)
    report = s.check(verify=1)
    assert report.headline == "0 files, 1 problem"
    [row] = report
    assert re.search(f"^not deterministic: {how}$", row["problem"]), row["problem"]
    assert row["id"] == first.task.id and "deterministic=False" in row["what to do"] and "draw" in row["what"]


def test_one_row_a_pipe_that_differs(s):
    DRAWS.clear()
    pipe = pipe_of(s, draw)
    pipe("number"), pipe("text")
    [row] = s.check(verify=1)
    assert "(2 such results)" in row["problem"]


def test_output_files_are_made_aside_where_the_arguments_say_where(s, write_):
    write_("a.txt", 3)
    pipe_of(s, chance, outputs=["path"])("chance.txt")
    before = Path("chance.txt").read_text(), os.stat("a.txt"), sorted(os.listdir("."))
    [row] = s.check(verify=1)
    assert row["problem"] == "not deterministic: chance.txt: other content"
    assert (Path("chance.txt").read_text(), os.stat("a.txt"), sorted(os.listdir("."))) == before
    assert RUNS[0] == "a.txt" and RUNS[1].endswith("a.txt") and RUNS[1] != os.path.abspath("a.txt")


def test_what_cannot_be_run_without_harm_is_left_out_and_counted(s, write_):
    def fixed():
        RUNS.append("fixed")
        Path("fixed.txt").write_text("x")

    def append(path):
        RUNS.append("append")
        with open(path, "a") as file:
            file.write("x")

    def log(n):
        RUNS.append("log")
        with open("log.txt", "a") as file:
            file.write("x")
        return n

    def stream(n):
        yield from range(n)

    Path("log.txt").touch()
    pipe_of(s, fixed, outputs=["fixed.txt"])()
    with pytest.warns(rms.RmsWarning, match="it adds to"):
        pipe_of(s, append)("appended.txt"), pipe_of(s, log)(1)
    pipe_of(s, draw, deterministic=False)("text"), pipe_of(s, stream)(3), pipe_of(s, steady)(1)
    RUNS.clear()
    report = s.check(verify=1)
    assert RUNS == [1] and list(report) == []
    assert report.notes[0].startswith("ran 1 of 6 stored results")
    assert "left out 3: write files at fixed paths" in report.notes
    assert any("left out 1: cannot be run here: draw is not deterministic" in note for note in report.notes)
    assert any("left out 1: give what has no digest" in note for note in report.notes)
    assert Path("appended.txt").read_text() == Path("log.txt").read_text() == "x"


def mood(n):
    return int(os.path.exists("bad mood") and n / 0)


def test_a_task_that_fails_now_is_reported(s):
    pipe_of(s, mood)(1)
    Path("bad mood").touch()
    [row] = s.check(verify=1)
    assert row["problem"] == "not deterministic: it fails now: ZeroDivisionError: division by zero"


def test_a_function_that_changes_its_input_comes_out_the_same(s):
    def grow(xs):
        xs.append(1)
        return len(xs)

    pipe_of(s, grow)(pipe_of(s, items)(3)), pipe_of(s, grow)([1, 2])
    assert list(s.check(verify=1)) == list(s.check(verify=1)) == []


@pytest.mark.parametrize("fraction", [-0.1, 1.5])
def test_a_fraction_that_is_none_is_refused(s, fraction):
    with pytest.raises(rms.RmsError, match="is no fraction"):
        s.check(verify=fraction)


# Deleting ---------------------------------------------------------------------------------------------------------


def test_deleting_a_result_forgets_it(s, reopen):
    pipe = pipe_of(s, array)
    kept, gone = pipe(4000), pipe(5000)
    path = next((s.path / "objects").rglob(f"{gone.digest}*"))
    assert s.delete(gone, dry_run=True).headline == "would delete 1 task, 40 kB to the trash"
    assert path.exists() and pipe(5000).task.hit
    assert s.delete(gone).headline == "deleted 1 task, 40 kB to the trash"
    assert not path.exists() and next((s.path / "objects").rglob(f"{kept.digest}*")).exists()
    assert [task.args["n"] for task in s.tasks()] == [4000] and len(s.find("array")) == 2
    assert [task.args["n"] for task in s.tasks(status="deleted")] == [5000] and len(s.tasks(status="any")) == 2
    assert s.status()["tasks"] == 1 and s.status()["failed"] == 0
    assert "[deleted]" in str(s.lineage(gone.id)) and "array(n=5000)" in str(s.lineage(gone.id))
    with pytest.raises(rms.RmsError, match=r"array\(5000\) is deleted already"):
        s.delete(gone)
    again = pipe_of(reopen(s), array)(5000)
    assert not again.task.hit and again.task.reason == "never_run"


def test_what_was_deleted_comes_back_until_the_trash_is_emptied(s, reopen, write_):
    """Nothing is destroyed by surprise: files stay unless asked for, and what went can be brought back."""
    big, file = pipe_of(s, array)(5000), write_("a.txt", 4)
    report = s.delete(file)
    assert report.headline.endswith("1 file on disk stays") and Path("a.txt").exists()
    assert "--files" in report[1]["on disk"] and "--undo" in report.notes[0]
    assert s.undo_delete().headline == "brought back 1 task and 1 file" and write_("a.txt", 4).task.hit

    assert s.delete(file, files=True, dry_run=True)[1]["on disk"] == "would go to the trash" and Path("a.txt").exists()
    s.delete(file, files=True), s.delete(big)
    assert not Path("a.txt").exists() and len(s.tasks()) == 0
    later = reopen(s)
    assert later.undo_delete().headline == "brought back 1 task"
    again = pipe_of(later, array)(5000)
    assert again.task.hit and again.content.shape == (5000,) and later.status()["tasks"] == 1
    Path("a.txt").write_text("mine")
    report = later.undo_delete()
    assert Path("a.txt").read_text() == "mine" and report[0]["not brought back"] == "something else is there now"
    Path("a.txt").unlink()
    later.undo_delete()
    assert Path("a.txt").read_text() == "xxxx" and pipe_of(later, write)("a.txt", 4).task.hit

    later.delete(again.id)
    assert any("would empty the trash, 40 kB" in note for note in later.gc(dry_run=True).notes)
    assert any("emptied the trash, 40 kB" in note for note in later.gc().notes)
    with pytest.raises(rms.RmsError, match="nothing in the trash"):
        later.undo_delete()
    assert "[deleted]" in str(later.lineage(again.id)) and not pipe_of(later, array)(5000).task.hit


def test_an_overwritten_file_that_is_brought_back_is_still_overwritten(s, reopen):
    def write(path, n):
        Path(path).write_text("x" * n)

    pipe = pipe_of(s, write, outputs=["path"])
    old = pipe("a.txt", 1)
    s.delete(old)
    s.undo_delete()
    assert s.home.status(old.id) == "" and pipe("a.txt", 1).task.hit
    new = s.register_file(old_file("a.txt", "by hand"), force=True)
    before = s.home.status(old.id)
    s.delete(old.task.id)
    s.undo_delete()
    assert s.home.status(old.id) == before and s.sql("SELECT status FROM files WHERE id = ?", [old.id]).fetchall() == [
        (before or "current",)
    ]
    assert new.status == "current"


def test_deleting_is_seen_at_once_in_this_and_in_other_kernels(s):
    with Session(s.path) as other:
        mine, theirs = pipe_of(s, steady), pipe_of(other, steady)
        first = mine(1)
        assert theirs(1).task.hit and mine(1).task.hit
        other.delete(first.id)
        s.refresh()
        assert not mine(1).task.hit and theirs(1).task.hit


def test_what_something_was_made_from_is_not_deleted(s, write_, size_, copy_):
    file = write_("a.txt", 4)
    ratio_ = pipe_of(s, ratio)
    ratios = [ratio_(file, i) for i in range(1, 5)]
    copied = copy_(file, "b.txt")
    last = size_(copied)
    with pytest.raises(
        rms.RmsError, match=r"a.txt is used by 6 tasks: ratio\(.*1\), ratio\(.*2\), ratio\(.*3\), …"
    ) as error:
        s.delete(file)
    assert "dependants=True" in error.value.hint and "--with-dependants" in error.value.hint
    assert Path("a.txt").exists() and ratios[0].task.status == "done"
    report = s.delete(copied, dependants=True, files=True)
    assert report.headline.startswith("deleted 2 tasks and 1 file") and not Path("b.txt").exists()
    assert ratio_(file, 1).task.hit
    s.delete(file, dependants=True, files=True)
    assert count_live(s) == 0 and not Path("a.txt").exists()
    with pytest.raises(rms.StaleInputError, match="was deleted\n→ make it again"):
        pipe_of(s, lambda n: -n, name="minus")(last)
    assert not write_("a.txt", 4).task.hit and Path("a.txt").exists()


def count_live(session):
    return session.sql("SELECT count(*) FROM tasks WHERE status <> 'deleted'").fetchall()[0][0]


def test_deleting_a_file_that_was_made_again_minds_what_was_made_from_it_before(s, write_, size_):
    file = write_("a.txt", 4)
    size_(file)
    os.unlink("a.txt")
    s.check(repair=True)
    for which in (file, s.file_from_path("a.txt")):
        with pytest.raises(rms.RmsError, match=r"is used by 1 task: size\("):
            s.delete(which)
    s.delete(file, dependants=True, files=True)
    assert not Path("a.txt").exists() and not write_("a.txt", 4).task.hit


def test_failed_and_deleted_tasks_stand_in_no_ones_way(s, write_):
    def fail(path):
        raise ValueError

    file = write_("a.txt", 1)
    with pytest.raises(ValueError):
        pipe_of(s, fail)(file)
    s.delete(file, files=True)
    assert not Path("a.txt").exists()


def test_a_pipe_goes_with_all_that_depends_on_it(s, write_, size_):
    other = pipe_of(s, steady)
    size_(write_("a.txt", 1)), write_("b.txt", 2), other(1)
    for pipe in (write_, "write"):
        with pytest.raises(rms.RmsError, match=r"write is used by 2 tasks: write\(\"a.txt\", n=1\), write"):
            s.delete(pipe)
    s.delete(write_, dependants=True)
    assert [task.pipe.name for task in s.tasks()] == ["steady"]
    assert [row["pipe"] for row in s.pipe_versions()] == ["steady"]
    with pytest.raises(rms.RmsError, match="write has no tasks on record"):
        s.delete(write_)


def test_inputs_and_files_that_were_changed_stay_on_disk(s, write_, copy_, size_):
    registered = s.register_file(old_file("in.txt", "x"))
    size_("plain.txt" if Path("plain.txt").write_text("abc") else "")
    edited = write_("edited.txt", 3)
    Path("edited.txt").write_text("by hand")
    s.delete(registered, files=True), s.delete(edited, files=True), s.delete("size", dependants=True, files=True)
    assert Path("in.txt").exists() and Path("plain.txt").exists() and Path("edited.txt").read_text() == "by hand"
    with pytest.raises(rms.RmsError, match="no file on record at in.txt"):
        s.file_from_path("in.txt")
    assert s.register_file("in.txt").id != registered.id


def test_an_input_that_a_call_changed_in_place_stays_on_disk(s):
    def append(path):
        with open(path, "a") as file:
            file.write("more")

    s.register_file(old_file("mine.csv", "data"))
    with pytest.warns(rms.RmsWarning, match="append runs each time.*it adds to mine.csv"):
        changed = pipe_of(s, append)("mine.csv")
    report = s.delete(changed.task.id, dependants=True, files=True)
    assert Path("mine.csv").read_text() == "datamore" and "kept: it is an input" in repr(report)


def test_content_that_others_need_stays(s):
    def same(n):
        return np.arange(0, n)

    first, second = pipe_of(s, array)(5000), pipe_of(s, same)(5000)
    s.delete(first)
    assert s.home.resource(second.id).content.shape == (5000,) and list(s.check()) == []
    s.delete(second)
    assert not list((s.path / "objects").rglob("*.npy"))


def test_given_values_go_with_the_last_task_that_used_them(s):
    total, most = pipe_of(s, lambda xs: xs.sum(), name="total"), pipe_of(s, lambda xs: xs.max(), name="most")
    given = np.arange(5000)
    first, second = total(given), most(given)
    s.delete(first)
    assert list((s.path / "objects").rglob("*.npy"))
    s.delete(second)
    assert not list((s.path / "objects").rglob("*.npy"))
    third = total(given)
    assert not third.task.hit and list(s.check()) == [] and list((s.path / "objects").rglob("*.npy"))


def test_one_of_two_files_can_be_deleted(s):
    def two(n):
        Path("a1.txt").write_text("one" * n), Path("a2.txt").write_text("two")

    pipe = pipe_of(s, two, outputs=["a1.txt", "a2.txt"])
    first, second = pipe(1)
    s.delete(first, files=True)
    assert not Path("a1.txt").exists() and Path("a2.txt").exists() and second.status == "current"
    assert [task.status for task in s.tasks()] == ["done"]
    s.delete(second, files=True)
    assert list(s.tasks()) == [] and not Path("a2.txt").exists()
    assert not pipe(1)[0].task.hit and Path("a1.txt").exists()


def test_a_deleted_store_rebuilt_is_still_deleted(s, reopen):
    gone = pipe_of(s, steady)(1)
    pipe_of(s, steady)(2)
    s.delete(gone)
    s.close()
    for name in ("provenance.duckdb", "index", "index.json"):
        (s.path / name).unlink()
    with rms.open(s.path) as later:
        assert len(later.tasks()) == 1 and not pipe_of(later, steady)(1).task.hit


@pytest.mark.parametrize(
    "what, message", [(12 << 40, "nothing on record has the id"), ("nothing", "no file on record")]
)
def test_deleting_what_is_not_there(s, what, message):
    with pytest.raises(rms.RmsError, match=message):
        s.delete(what)


# Magics -----------------------------------------------------------------------------------------------------------


def test_check_on_a_kernel(kernel):
    assert kernel.run("%rms check").result == "0 files, no problems"
    kernel.run(
        "%%rms\ndef write(path, n):\n    open(path, 'w').write('x' * n)\ndef OUTPUT_write(path, n):\n    return [path]"
    )
    kernel.run("a = write('a.txt', 3)\nimport os; os.unlink('a.txt')")
    ran = kernel.run("%rms check --full")
    assert "1 file, 1 problem" in ran.result and "missing" in ran.result and "text/html" in ran.displays[-1]
    assert kernel.value("a.status") == "'missing'"
    ran = kernel.run("%rms check --repair")
    assert (
        "made again: 1 file" in ran.result
        and "output_missing" not in ran.shown
        and kernel.value("os.path.exists('a.txt')") == "True"
    )
    ran = kernel.run("%%rms\nimport random\ndef draw(n):\n    return random.random()\nr = draw(1)")
    ran = kernel.run("%rms check --verify 100% --seed 5")
    assert "(seed 5)" in ran.result and "draw(1)" in ran.result and "not deterministic: 0." in ran.result
    ran = kernel.run("report = %rms check --verify 0.5")
    assert kernel.value("report.notes[0][:5]") == "'ran 1'"
    for line, message in [
        ("--verify 5x%", "no part of the stored results"),
        ("--verify 0", "no part"),
        ("--ful", "usage"),
    ]:
        ran = kernel.run(f"%rms check {line}")
        assert not ran.ok and message in ran.error


def test_verifying_shows_nothing_of_what_runs(kernel):
    kernel.run(
        "%%rms\nimport matplotlib.pyplot as plt\ndef show(n):\n    print('said')\n    plt.plot([n]); plt.show()\n    plt.plot([2]);\n    return n"
    )
    assert "image/png" in str(kernel.run("r = show(1)").displays)
    ran = kernel.run("%rms check --verify 100%")
    assert "ran 1 of 1" in ran.result and "said" not in ran.shown and "image/png" not in str(ran.displays)


def test_delete_on_a_kernel(kernel):
    kernel.run("%%rms\ndef f(i):\n    return i\ndef g(i):\n    return -i")
    kernel.run("a = f(1); b = g(a)")
    ran = kernel.run("%rms delete a")
    assert not ran.ok and "f(1) is used by 1 task: g(f(1))" in ran.error and "--with-dependants" in ran.error
    assert "would delete 2 tasks" in kernel.run("%rms delete a --with-dependants -n").result
    assert "g(" in kernel.run("%rms tasks").result
    digest = kernel.value("__import__('rms_jupyter').info(b).digest").strip("'")
    assert "deleted 1 task" in kernel.run(f"%rms delete {digest}").result
    assert "f is used by 1 task" in kernel.run("%rms delete f").error
    assert "deleted 1 task" in kernel.run("%rms delete f --with-dependants").result
    assert kernel.run("%rms tasks").result == "(none)"
    assert "[deleted]" in kernel.run("%rms lineage a").result
    assert "f ran" in kernel.run("f(1)").shown
    assert "WHAT is missing" in kernel.run("%rms delete").error
    assert "nothing is called 'nope'" in kernel.run("%rms delete nope").error


def test_completion_of_check_and_delete(kernel):
    kernel.run("%%rms\ndef align(i):\n    return i\naligned = align(1)")
    assert set(kernel.complete("%rms check --")) == {"--full", "--repair", "--verify", "--seed"}
    assert {"align", "aligned"} <= set(kernel.complete("%rms delete al"))
    assert "--with-dependants" in kernel.complete("%rms delete a --")
    assert "check" in kernel.complete("%rms ch") and "delete" in kernel.complete("%rms de")
