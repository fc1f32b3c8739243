"""A disk that is full, or not writable: what was computed is returned, and with room again all goes on."""

import contextlib
import errno
import os
import random
import stat
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest

import rms_jupyter as rms
from tests.conftest import soak
from tests.disks import disk, full, remount, without_inodes

KINDS = ["tmpfs", "ext4"]
POINTS = 50 if soak() else 3


def small(n):
    return n * 2


def array(n):
    return np.arange(n) * 1.0


def text(n):
    return "ab" * n


def numbers(n):
    return list(range(n))


def prints(n):
    print("x" * n)
    return n


def fills(n, given):
    given.append(n)
    return len(given)


FUNCTIONS = [small, array, text, numbers, prints]


@contextlib.contextmanager
def told():
    """Hear what is told, and let nothing that is told stop the test."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        yield heard


def said(heard):
    return "\n".join(str(warning.message) for warning in heard)


def check_calls(s, sizes):
    """Make calls of all kinds; each must give its value."""
    for n in sizes:
        for function in FUNCTIONS:
            as_handle, as_value = s.register_pipe(function), s.pipe(function)
            assert np.array_equal(as_handle(n).content, function(n))
            assert np.array_equal(as_value(n + 1), function(n + 1))
        given = [1, 2]
        assert s.pipe(fills)(n, given) == 3 and given == [1, 2, n]


def check_after(path, sizes):
    """With room again, calls are recorded, and nothing is taken for damaged."""
    with rms.Session(path) as s:
        check_calls(s, sizes)
        assert not [problem for problem in s.problems if "damage" in problem or "missing" in problem], s.problems
        assert s.sql("SELECT count(*) = count(DISTINCT id) FROM tasks").fetchall() == [(True,)]
    with rms.Session(path) as s:
        for n in sizes:
            assert all(s.register_pipe(function)(n).task.hit for function in FUNCTIONS)
        assert s.problems == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk(tmp_path, kind):
    with disk(tmp_path, kind, "6m") as place:
        s = rms.Session(place / "x.rms")
        check_calls(s, [10])
        s.sql("SELECT 1")
        with full(place), told() as heard:
            check_calls(s, [11, 5000, 60_000])
            try:
                assert s.sql("SELECT count(*) > 10 FROM tasks").fetchall() == [(True,)]
            except rms.StoreError as error:
                assert "the disk is full" in str(error)
            s.tidy()
        assert "the disk is full" in said(heard) and "None" not in said(heard)
        with told() as heard:
            check_calls(s, [12, 5000])
        assert "is written down now" in said(heard)
        assert not any("damage" in problem for problem in s.problems)
        s.sql("SELECT 1")
        s.close()
        check_after(place / "x.rms", [11, 12, 5000])


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_that_ends_on_a_full_disk(tmp_path, kind):
    with disk(tmp_path, kind, "6m") as place:
        with told(), rms.Session(place / "x.rms") as s:
            check_calls(s, [10])
            with full(place):
                check_calls(s, [11, 9000])
                s.close()
        check_after(place / "x.rms", [10, 11])


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_that_begins_on_a_full_disk(tmp_path, kind):
    with disk(tmp_path, kind, "6m") as place:
        with rms.Session(place / "x.rms") as s:
            check_calls(s, [10])
        (place / "x.rms" / "provenance.duckdb").unlink(missing_ok=True)
        with full(place, 20_000), told() as heard, rms.Session(place / "x.rms") as s:
            assert s.register_pipe(small)(10).task.hit
            with contextlib.suppress(rms.StoreError):
                s.sql("SELECT 1")
            check_calls(s, [11, 9000])
        assert "the disk is full" in said(heard)
        check_after(place / "x.rms", [10, 11])


def test_no_inodes(tmp_path):
    with disk(tmp_path, "tmpfs", "8m", ",nr_inodes=120") as place:
        with rms.Session(place / "x.rms") as s:
            check_calls(s, [10])
        with without_inodes(place), told() as heard, rms.Session(place / "x.rms") as s:
            check_calls(s, [11, 9000])
        assert "small runs, and nothing is recorded" in said(heard)
        with rms.Session(place / "x.rms") as s:
            s.register_pipe(small)(77)
            with without_inodes(place), told() as heard:
                check_calls(s, [12, 7000])
            check_calls(s, [12, 7000])
        check_after(place / "x.rms", [10, 11, 12])


@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_becomes_read_only(tmp_path, kind):
    with disk(tmp_path, kind, "6m") as place:
        with rms.Session(place / "x.rms") as s:
            check_calls(s, [10])
        remount(place, "ro")
        with pytest.raises(rms.StoreError, match="look only: .*--read-only"):
            rms.Session(place / "x.rms")
        with rms.Session(place / "x.rms", read_only=True) as s:
            assert s.register_pipe(small)(10).task.hit and len(s.tasks("small")) == 2
        remount(place, "rw")
        check_after(place / "x.rms", [10, 11])


def failing(monkeypatch, number, names=("write", "pwrite", "fsync", "fdatasync", "replace", "rename", "link", "open")):
    """Let the system's calls that write fail, as they do on a disk that is broken or went read-only."""
    real = {name: getattr(os, name) for name in names}

    def failing_one(name):
        def fail(*args, **kwargs):
            reads = name == "open" and not args[1] & (os.O_WRONLY | os.O_RDWR)
            if reads or (name in ("write", "pwrite") and args[0] <= 2):
                return real[name](*args, **kwargs)
            raise OSError(number, os.strerror(number))

        return fail

    for name in names:
        monkeypatch.setattr(os, name, failing_one(name))


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS, errno.EDQUOT, errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("begun", [True, False])
def test_whatever_fails_in_writing(s, monkeypatch, number, begun):
    if begun:
        check_calls(s, [10])
    with monkeypatch.context() as patch, told() as heard:
        failing(patch, number)
        check_calls(s, [11, 3000])
    why = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the quota is used up"}.get(number, os.strerror(number))
    assert why in said(heard)
    with told():
        check_calls(s, [11, 12, 3000])
    s.close()
    check_after(s.path, [11, 12])


PLAN = """
import sys, warnings
from pathlib import Path
import numpy as np
import rms_jupyter as rms
warnings.simplefilter("default")
def array(n):
    return np.arange(n) * 1.0
def total(a):
    return float(a.sum())
if __name__ == "__main__":
    s = rms.Session(Path(sys.argv[1]))
    array_, total_ = s.register_pipe(array), s.register_pipe(total)
    sizes = [int(sys.argv[2]) * k for k in range(1, 9)]
    with s.plan() as plan:
        arrays = [array_(n) for n in sizes]
        totals = [total_(a) for a in arrays]
    plan.run(n_jobs=2)
    print([r.content for r in totals] == [n * (n - 1) / 2 for n in sizes])
    print(all(np.array_equal(a.content, np.arange(n)) for a, n in zip(arrays, sizes)))
    s.close()
"""


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_full_at_any_point(tmp_path, kind):
    chance = random.Random(5)
    with disk(tmp_path, kind, "6m") as place:
        with rms.Session(place / "x.rms") as s:
            check_calls(s, [10])
        for point in range(POINTS):
            n = 1000 * (point + 1)
            with (
                told(),
                full(place, chance.choice([0, 4096, 20_000, 100_000, 300_000])),
                rms.Session(place / "x.rms") as s,
            ):
                check_calls(s, [n, n + 10])
                assert not any("damage" in problem for problem in s.problems), s.problems
            for path in (place / "x.rms").glob("objects/*/*"):
                path.unlink()  # There must be room for the next.
        with told(), rms.Session(place / "x.rms") as s:
            check_calls(s, [17])
            assert not any("damage" in problem for problem in s.problems), s.problems


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_workers_on_a_disk_that_is_full_at_any_point(tmp_path, kind):
    Path("plan.py").write_text(PLAN)
    chance = random.Random(6)
    with disk(tmp_path, kind, "6m") as place:
        with rms.Session(place / "x.rms") as s:
            check_calls(s, [10])
        for point in range(max(2, POINTS // 2) if soak() else 1):
            left = chance.choice([8192, 50_000, 200_000, 400_000])
            with full(place, left):
                done = subprocess.run(
                    [sys.executable, "plan.py", str(place / "x.rms"), str(2000 + point)],
                    capture_output=True,
                    text=True,
                    check=False,
                )
            assert done.returncode == 0, done.stderr
            assert done.stdout.split() == ["True", "True"], done.stdout + done.stderr
            assert "damage" not in done.stderr
            for path in (place / "x.rms").glob("objects/*/*"):
                path.unlink()


@contextlib.contextmanager
def nothing_can_be_made_in(folder):
    """Let nobody write to the folders below one for the time of a block, nor root."""
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    above = [path for path in folder.parents if path != Path("/") and path.stat().st_uid == os.getuid()]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (*folder.rglob("*"), *folders, *above)}
    user = os.geteuid()
    try:
        for path, mode in modes.items():
            path.chmod(0o555 if path in folders else mode | (0o011 if path.is_dir() else 0o666))
        os.seteuid(user or 65534)
        yield
    finally:
        os.seteuid(user)
        for path, mode in modes.items():
            path.chmod(mode)


def test_what_cannot_be_written_is_told_and_nothing_is_half_done(s, tmp_path):
    copy = tmp_path.with_name(f"{tmp_path.name} copy")
    copy.mkdir(0o777)
    copy.chmod(0o777)
    value = s.register_pipe(text)(9000)
    s.sql("SELECT 1")
    s.push(copy / "earlier")
    with nothing_can_be_made_in(s.path):
        assert "the address is not remembered: Permission denied" in str(s.push(copy / "later"))
        for verb in (lambda: s.gc(budget=0), lambda: s.pull(copy / "earlier")):
            with pytest.raises(rms.StoreError, match=f"the store {s.path} cannot be written: Permission denied"):
                verb()
        with told() as heard:
            assert s.pipe(text)(9001) == "ab" * 9001
        assert "the result is not kept" in said(heard)
    assert f"pushed to {copy}/earlier: 1 task" in str(s.push())
    assert s.register_pipe(text)(9000).task.hit and value.content == "ab" * 9000
    assert "no problems" in s.check(full=True).headline
    assert "evicted 1 result" in s.gc(budget=0).headline


@pytest.fixture
def another_disk(monkeypatch):
    """Where databases are that cannot be in their stores."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        monkeypatch.setenv("XDG_CACHE_HOME", folder)
        yield Path(folder)


def test_questions_are_answered_from_another_disk_where_the_store_has_no_room_for_the_database(s, another_disk):
    s.register_pipe(text)(9000)
    assert s.sql("SELECT pipe FROM tasks").fetchall() == [("text",)]
    s.register_pipe(text)(9001)
    (s.path / "staging").rmdir()
    (s.path / "staging").write_text("in the way")
    with told() as heard:
        assert s.sql("SELECT pipe FROM tasks").fetchall() == [("text",), ("text",)]
        s.register_pipe(text)(9002)
        assert len(s.tasks("text")) == 3
    assert said(heard).count("answered from a database elsewhere until this session ends") == 1
    s.close()
    (s.path / "staging").unlink()
    with rms.Session(s.path) as again:
        assert len(again.tasks("text")) == 3 and again.problems == []


def test_a_store_on_a_full_disk_is_cleared_out(tmp_path, another_disk):
    with disk(tmp_path, "ext4", "6m") as place, told(), rms.Session(place / "x.rms") as s:
        check_calls(s, [10, 90_000])
        s.sql("SELECT 1")
        s.register_pipe(small)(77)
        with full(place):
            s.register_pipe(small)(78)
            assert s.gc(budget=0).headline.startswith("evicted 6 results")
            check_calls(s, [90_000])
        assert s.register_pipe(small)(78).task.hit
        assert "no problems" in s.check(full=True).headline


def test_what_cannot_go_to_the_trash_is_not_deleted(s):
    s.register_pipe(text)(9000)
    (s.path / "trash").write_text("in the way")
    with pytest.raises(rms.StoreError, match=f"the store {s.path} cannot be written: "):
        s.delete("text", dependants=True)
    assert s.register_pipe(text)(9000).task.hit
    (s.path / "trash").unlink()
    s.delete("text", dependants=True)
    assert not s.register_pipe(text)(9000).task.hit


@pytest.mark.parametrize("left", [0, 100_000])
def test_a_database_is_not_made_again_on_a_full_disk_and_stays_as_it_was(tmp_path, left):
    with disk(tmp_path, "tmpfs", "24m") as place, told(), rms.Session(place / "x.rms") as s:
        check_calls(s, [90_000])
        before = s.sql("FROM tasks").fetchall()
        with full(place, left):
            with contextlib.suppress(rms.StoreError):
                s.gc(compact=True)
            check_calls(s, [90_000])
        s.gc(compact=True)
        assert s.sql("FROM tasks").fetchall() == before
