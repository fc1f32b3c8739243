"""A project that is moved, copied or cloned: every call is a hit where it is now, and nothing wrong is said of it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rms_jupyter as rms

LAB = """
import os
from pathlib import Path
from typing import Annotated

from rms_jupyter import In, Out

HERE = Path(__file__).parent
TABLE = str(HERE / "raw" / "a.csv")


def count(path):
    return len(Path(path).read_text().split())


def total(paths):
    return sum(len(Path(path).read_text()) for path in paths)


def of_dict(paths):
    return {name: Path(path).stat().st_size for name, path in paths.items()}


def in_folder(folder):
    return sorted(os.listdir(folder))


def table():
    return len(Path(TABLE).read_text())


def literal():
    return open("raw/a.csv").read()


def absolute():
    return len(open(os.path.abspath("raw/b.csv")).read())


def copy(source, target):
    Path(target).write_text(Path(source).read_text().upper())


def annotated(source: In, target: Out):
    Path(target).write_text(Path(source).read_text() * 2)


def declared(source, out):
    Path(out).write_text(Path(source).read_text())


def size(file):
    return os.path.getsize(file)


def where(path):
    return os.path.abspath(path)


def told(path):
    print("reading", Path(path).resolve())
    return 1
"""
RUN = """
import json, sys
from pathlib import Path
import rms_jupyter as rms
import lab

s = rms.open("analysis.rms")
here, answers = Path.cwd(), {}

def ask(name, function, *args, **options):
    pipe = s.register_pipe(function, **options)
    answer = pipe(*args)
    several = answer if isinstance(answer, tuple) else (answer,)
    answers[name] = [several[0].task.hit, [str(one.content) for one in several], str(several[0].task.reason)]
    return several[0]

ask("relative", lab.count, "raw/a.csv")
ask("dotted", lab.count, "./raw/../raw/a.csv")
ask("absolute", lab.count, str(here / "raw" / "b.csv"))
ask("path", lab.count, Path("raw/a.csv"))
ask("absolute path", lab.count, here / "raw" / "a.csv")
ask("list", lab.total, ["raw/a.csv", str(here / "raw" / "b.csv")])
ask("tuple of paths", lab.total, (here / "raw/a.csv", Path("raw/b.csv")))
ask("dict", lab.of_dict, {"a": str(here / "raw" / "a.csv")})
ask("folder", lab.in_folder, "raw")
ask("absolute folder", lab.in_folder, str(here / "raw"))
ask("the project", lab.in_folder, str(here / "raw") + "/../raw")
ask("global", lab.table)
ask("literal", lab.literal)
ask("absolute in code", lab.absolute)
ask("written", lab.copy, "raw/a.csv", "made.txt")
ask("written absolutely", lab.copy, "raw/a.csv", str(here / "made too.txt"))
ask("annotated", lab.annotated, "raw/b.csv", str(here / "twice.txt"))
out = ask("declared", lab.declared, "raw/a.csv", "declared.txt", outputs=["out"])
ask("a file that a call made", lab.size, out)
ask("a registered file", lab.size, s.register_file("raw/a.csv"))
ask("tells where", lab.where, "raw/a.csv")
ask("prints where", lab.told, "raw/a.csv")
problems = [str(row) for row in s.check()]
files = [path for (path,) in s.sql("SELECT DISTINCT path FROM files").fetchall()]
lineage = str(s.lineage("made.txt"))
print(json.dumps([answers, problems, files, lineage]))
"""
TELLS_THE_PLACE = {"tells where", "prints where"}


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "here" / "flights"
    (folder / "raw").mkdir(parents=True)
    (folder / "raw" / "a.csv").write_text("a b c\n")
    (folder / "raw" / "b.csv").write_text("d e f g\n")
    (folder / "lab.py").write_text(LAB)
    (folder / "run.py").write_text(RUN)
    return folder


def run(folder, script="run.py"):
    done = subprocess.run([sys.executable, script], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def move(project, target):
    project.rename(target)


def copy(project, target):
    shutil.copytree(project, target)


def copy_without_times(project, target):
    """As git does: with new times and inodes."""
    for folder, _, names in os.walk(project):
        (target / os.path.relpath(folder, project)).mkdir(parents=True, exist_ok=True)
        for name in names:
            data = Path(folder, name).read_bytes()
            (target / os.path.relpath(os.path.join(folder, name), project)).write_bytes(data)


@pytest.mark.parametrize("bring", [move, copy, copy_without_times])
def test_every_call_is_a_hit_where_the_project_is_now(project, tmp_path, bring):
    before, _, _, _ = run(project)
    assert not any(hit for hit, _, _ in before.values())
    target = tmp_path / "anders wo, ünlich" / "moved"
    target.parent.mkdir()
    bring(project, target)
    after, problems, files, lineage = run(target)
    assert {name: why for name, (hit, _, why) in after.items() if not hit}.keys() == TELLS_THE_PLACE
    assert all(str(project) not in text for _, contents, _ in after.values() for text in contents)
    assert after["tells where"][1] == [str(target / "raw" / "a.csv")]
    assert not problems
    assert all(path.startswith(str(target)) for path in files)
    assert str(project) not in lineage


def test_what_tells_the_place_is_a_hit_there_still(project):
    first, second = run(project)[0], run(project)[0]
    assert all(hit for hit, _, _ in second.values())
    assert {name: found[1] for name, found in first.items()} == {name: found[1] for name, found in second.items()}


def test_a_file_edited_after_the_move_is_noticed(project, tmp_path):
    run(project)
    project.rename(tmp_path / "moved")
    (tmp_path / "moved" / "raw" / "a.csv").write_text("a b c d e\n")
    after = run(tmp_path / "moved")[0]
    assert not after["relative"][0]
    assert after["relative"][1] == ["5"]
    assert after["absolute"][0]


def test_a_result_can_be_made_again_after_the_move(project, tmp_path):
    (project / "again.py").write_text(
        "import json, sys, rms_jupyter as rms, lab\n"
        "s = rms.open('analysis.rms')\n"
        "pipe = s.register_pipe(lab.count)\n"
        "from pathlib import Path\n"
        "r = pipe(str(Path.cwd() / 'raw' / 'a.csv'))\n"
        "print(json.dumps([r.task.hit, s.rerun(r).content, str(s.why(r))]))\n"
    )
    run(project, "again.py")
    project.rename(tmp_path / "moved")
    hit, again, why = run(tmp_path / "moved", "again.py")
    assert hit and again == 3
    assert str(project) not in why


def test_a_store_opened_by_a_link_has_the_same_files(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "a.txt").write_text("a b")
    for folder in ("link", "real", "link"):
        os.chdir(tmp_path / folder)
        with rms.open(tmp_path / folder / "test.rms") as s:
            count_ = s.register_pipe(lambda path: len(Path(path).read_text()), name="count")
            answer = count_("a.txt")
            assert answer.content == 3
            found = s.file_from_path("a.txt")
            assert os.path.samefile(found.path, "a.txt")
    assert answer.task.hit


def moved(s, target):
    s.path.rename(target)


def removed(s, target):
    shutil.rmtree(s.path)


@pytest.mark.parametrize("what", [moved, removed])
@pytest.mark.parametrize(
    "use",
    [
        lambda s, add_: add_(3, 4),
        lambda s, add_: s.sql("SELECT * FROM tasks"),
        lambda s, add_: s.check(),
        lambda s, add_: s.find("add"),
        lambda s, add_: s.lineage(add_(1, 2)),
    ],
)
def test_a_store_that_is_moved_while_it_is_open_is_told(s, tmp_path, what, use):
    add_ = s.register_pipe(lambda i, j=2: [i, j], name="add")
    add_(1, 2)
    what(s, tmp_path / "elsewhere.rms")
    with pytest.raises(rms.StoreError, match="was moved, renamed or removed while it was open") as told:
        use(s, add_)
    assert "open it where it is now" in told.value.hint
    assert not (s.path / "provenance.duckdb").exists()
    s.close()
    if what is moved:
        with rms.open(tmp_path / "elsewhere.rms") as again:
            assert again.register_pipe(lambda i, j=2: [i, j], name="add")(1, 2).task.hit


def add(i, j=2):
    return [i, j]


def test_where_a_store_was_another_can_be_opened_and_the_first_has_left_nothing_in_it(tmp_path):
    with rms.open(tmp_path / "other.rms") as other:
        other.register_pipe(add)(7)
    first = rms.open(tmp_path / "a.rms")
    first.register_pipe(add)(1)
    moved(first, tmp_path / "elsewhere.rms")
    (tmp_path / "other.rms").rename(first.path)
    second = rms.open(first.path)
    assert second is not first and first.closed and second.register_pipe(add)(7).task.hit
    removed(second, None)
    third = rms.open(second.path)
    assert third is not second and not third.register_pipe(add)(7).task.hit
    assert not first.problems and not second.problems and not third.problems


def test_what_is_only_for_the_time_of_a_session_may_be_removed_while_it_is_open(s):
    s.register_pipe(add)(1)
    for name in ("staging", "running"):
        shutil.rmtree(s.path / name)
    assert s.register_pipe(add)(2).content == [2, 2]
    assert s.sql("SELECT count(*) FROM tasks").fetchall() == [(2,)]
    assert not s.problems
