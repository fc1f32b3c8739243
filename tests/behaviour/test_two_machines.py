"""What was made on one machine is traced, made again and not computed again on another; and a backup comes back."""

import contextlib
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

import rms_jupyter as rms
from rms_jupyter.cli import main
from tests.behaviour.test_copies import Opened
from tests.kernel import Kernel

LOAD = "%load_ext rms_jupyter\n%rms figures on png\nimport matplotlib; matplotlib.use('agg')"
CELLS = (
    "import matplotlib.pyplot as plt\nimport pandas as pd",
    """%%rms
TMAX = 5
def load(path):
    return pd.read_csv(path)
def clean(df):
    return df[df.t < TMAX]
def draw(df, out):
    fig, ax = plt.subplots()
    ax.plot(df.t, df.v)
    fig.savefig(out)
    plt.close(fig)
    return float(df.v.sum())""",
    "total = draw(clean(load('raw/möss 07.csv')), 'fig.png')",
    "%%rms cell twice -i total -o n\nfig, ax = plt.subplots()\nax.plot([total])\nfig.savefig('cell fig.png')\n"
    "plt.close(fig)\nn = 2 * total",
)


@contextlib.contextmanager
def machine(folder, monkeypatch):
    """A kernel of a user who has a key of her own, in a project with raw data."""
    (folder / "raw").mkdir(parents=True)
    (folder / "raw" / "möss 07.csv").write_text("t,v\n1,2\n3,4\n7,9\n")
    monkeypatch.setenv("XDG_DATA_HOME", str(folder.parent / f"data of {folder.name}"))
    with Kernel(folder) as kernel:
        assert kernel.run(LOAD).ok
        yield kernel


def run_all(kernel):
    """Run the notebook; gives what is said under the two cells that call something."""
    ran = [kernel.run(cell) for cell in CELLS]
    assert all(one.ok for one in ran), [one.error for one in ran]
    assert kernel.value("(total, n)") == "(6.0, 12.0)"
    return [one.shown for one in ran[2:]]


def terminal(*words, folder, code=0):
    """Run ``rms`` in a process of its own; gives what it wrote, and in one line what went wrong."""
    command = [sys.executable, "-m", "rms_jupyter", *map(str, words)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr.count("\n") > 1) == (code, False), done.stderr
    return done.stdout + done.stderr


def test_a_figure_that_was_made_and_renamed_elsewhere_is_traced_made_again_and_a_hit(tmp_path, monkeypatch):
    here, there = tmp_path / "anna, projekt ü", tmp_path / "other disk" / "bertils naïve folder"
    copy = tmp_path / "geteilt für alle"
    with machine(here, monkeypatch) as kernel:
        run_all(kernel)
        assert "4 tasks" in kernel.run(f"%rms push '{copy}'").shown
    renamed = {"fig.png": "Fig 3, final.png", "cell fig.png": "für Anna.png", ".rms/figures/draw-1.png": "saved ü.png"}
    with machine(there, monkeypatch) as kernel:
        for name, other in renamed.items():
            shutil.copy(here / name, there / other)
        assert "4 tasks" in kernel.run(f"%rms pull '{copy}'").shown
        for name, other in renamed.items():
            lineage = kernel.run(f"%rms lineage '{other}' --up").shown
            assert str(there / "raw" / "möss 07.csv") in lineage and "TMAX=5" in lineage and str(here) not in lineage
            assert ("twice(" if "cell" in name else "draw(") in lineage
            why = kernel.run(f"%rms why '{other}'").shown
            assert "möss 07.csv" in why and "never_run" in why
            assert "made from" in kernel.run(f"%rms show '{other}'").shown
            assert kernel.run(f"%rms export '{other}' '{other}.py'").ok
        assert not (there / "fig.png").exists(), "nothing of this has written it"
        for name, other in renamed.items():
            done = subprocess.run(
                [sys.executable, f"{other}.py"], cwd=there, capture_output=True, text=True, timeout=120
            )
            assert done.returncode == 0, done.stderr
            if not name.startswith(".rms"):
                assert (there / name).read_bytes() == (here / name).read_bytes()
                (there / name).unlink()
        written = terminal("lineage", "Fig 3, final.png", "--up", folder=there)
        assert written.count("load(") == 1 and "rms trust" in written
        assert kernel.run("%rms trust").ok
        for said in run_all(kernel):
            assert "hit" in said and "ran" not in said
        for name in ("fig.png", "cell fig.png"):
            assert (there / name).read_bytes() == (here / name).read_bytes()


def test_what_a_file_holds_that_is_on_record_elsewhere_is_only_asked_about(kernel, tmp_path):
    kernel.run("%%rms\ndef write(out):\n    open(out, 'w').write('text')\nwrite('a.txt')")
    shutil.copy("a.txt", "copy.txt")
    Path("empty.txt").touch()
    assert "write(" in kernel.run("%rms lineage copy.txt").shown
    assert "not on record" in kernel.run("%rms delete copy.txt --files").shown
    assert "not on record" in kernel.run("%rms lineage empty.txt").shown
    assert Path("a.txt").exists() and "write(" in kernel.run("%rms lineage a.txt").shown


def load(path):
    return [float(line) for line in Path(path).read_text().split()]


def doubled(values):
    return np.repeat(values, 20_000) * 2


def report(values, out):
    Path(out).write_text(f"{values.sum()}\n")
    return len(values)


def analyse(folder):
    """Analyse raw data, in its folder, and print what was a hit; a script, as both machines have it."""
    (folder / "raw ü.txt").write_text("1 2 3")
    code = (
        "import rms_jupyter as rms\nfrom tests.behaviour.test_two_machines import doubled, load, report\n"
        "s = rms.open('.rms')\nvalues = s.register_pipe(load)('raw ü.txt')\ntwice = s.register_pipe(doubled)(values)\n"
        "number = s.register_pipe(report)(twice, 'sum ü.txt')\nprint([r.task.hit for r in (values, twice, number)])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


ALL_HITS, ALL_NEW = "[True, True, True]", "[False, False, False]"


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "mein projekt"
    folder.mkdir()
    assert analyse(folder) == ALL_NEW
    return folder


def record(folder):
    """What is on record: ids, keys and digests."""
    tables = ("SELECT id, key, status FROM tasks ORDER BY id", "SELECT id, digest, kind FROM resources ORDER BY id")
    with rms.open(folder / ".rms", read_only=True) as s:
        return [s.sql(table).fetchall() for table in tables]


def test_a_backup_comes_back_in_a_terminal_and_nothing_is_written_over(project, tmp_path):
    copy, place = tmp_path / "sicherung für alle", tmp_path / "anders wo, ünlich" / "neu"
    place.mkdir(parents=True)
    assert "3 tasks" in terminal("backup", copy, "--verify", folder=project)
    assert "3 tasks" in terminal("restore", copy, folder=place)
    assert record(place) == record(project)
    assert (place / "sum ü.txt").read_text() == "240000.0\n" and (place / "raw ü.txt").read_text() == "1 2 3"
    assert "nothing is written over" in terminal("restore", copy, ".rms", folder=place, code=1)
    assert analyse(place) == ALL_HITS and "no problems" in terminal("check", "--full", folder=place)
    (place / "sum ü.txt").write_text("mine")
    shutil.rmtree(place / ".rms")
    assert "sum ü.txt is there already with other content" in terminal("restore", copy, folder=place)
    assert (place / "sum ü.txt").read_text() == "mine"
    assert "restored.rms" in terminal("restore", copy, folder=place), "it is put beside the one that is there"


def test_what_a_backup_of_raw_and_key_results_leaves_out_is_listed_and_computed_again(project, tmp_path, monkeypatch):
    copy, place = tmp_path / "nur das wichtige", tmp_path / "wieder da"
    place.mkdir()
    listed = terminal("backup", copy, "--only", "key", folder=project)
    assert "doubled(" in listed and "report(" not in listed
    terminal("restore", copy, folder=place)
    assert record(place) == record(project) and (place / "sum ü.txt").exists()
    assert not list((place / ".rms" / "objects").rglob("*.npy"))
    with rms.open(place / ".rms") as s:
        monkeypatch.chdir(place)
        assert s.register_pipe(doubled)(s.register_pipe(load)("raw ü.txt")).content.sum() == 240_000
    assert analyse(place) == ALL_HITS


def with_member(name, **attributes):
    """An archive of a copy with one more member."""

    def make(copy, path):
        with tarfile.open(path, "w") as archive:
            archive.add(copy, ".")
            member = tarfile.TarInfo(name)
            for attribute, value in attributes.items():
                setattr(member, attribute, value)
            archive.addfile(member)

    return make


HOSTILE = {
    "dots": with_member("journal/../../out.txt"),
    "absolute": with_member("/tmp/rms-out.txt"),
    "link": with_member("journal/link", type=tarfile.SYMTYPE, linkname="../../out.txt"),
    "hard link": with_member("journal/hard", type=tarfile.LNKTYPE, linkname="/etc/passwd"),
    "device": with_member("journal/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
    "block device": with_member("journal/disk", type=tarfile.BLKTYPE, devmajor=8),
    "pipe": with_member("journal/pipe", type=tarfile.FIFOTYPE),
    "no archive": lambda copy, path: path.write_bytes(b"\x1f\x8b" + os.urandom(100)),
    "cut off": lambda copy, path: (with_member("x")(copy, path), os.truncate(path, path.stat().st_size // 3)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_refused_in_one_line(project, tmp_path, kind, capsys):
    copy, archive, place = tmp_path / "copy", tmp_path / "bad.tar", tmp_path / "in"
    terminal("backup", copy, folder=project)
    HOSTILE[kind](copy, archive)
    before = sorted(tmp_path.rglob("*"))
    assert main(["restore", str(archive), str(place / ".rms")]) == 1
    written = capsys.readouterr()
    assert written.err.count("\n") == 1 and "bad.tar" in written.err, written.err
    assert sorted(tmp_path.rglob("*")) == before and not Path("/tmp/rms-out.txt").exists()


def test_a_pickle_of_a_backup_that_others_made_is_not_read(tmp_path, monkeypatch, kernel, project):
    bad, mine = tmp_path / "opened", tmp_path / "ben"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data of another"))
    with rms.open(tmp_path / "evil" / ".rms") as s:
        s.register_pipe(lambda path: Opened(Path(path)), name="make")(str(bad))
        s.backup(tmp_path / "copy")
    bad.unlink(missing_ok=True)
    monkeypatch.undo()
    os.chdir(tmp_path)
    assert kernel.run(f"%rms restore '{tmp_path / 'copy'}' '{mine / '.rms'}'").ok
    opened = kernel.run(f"%rms open '{mine / '.rms'}'")
    assert "made elsewhere" in opened.shown and "%rms trust" in opened.shown
    for verb in ("show", "lineage", "why", "logs", "rerun", "export"):
        kernel.run(f"%rms {verb} make")
    kernel.run(
        "import rms_jupyter as rms\ns = rms.current()\n[r.content for r in s.lineage(s.tasks('make')[0], up=False)]"
    )
    for words in (["show", "make"], ["lineage", "make"], ["check"]):
        assert main([*words, "--store", str(mine)]) == 0
    assert not bad.exists()
