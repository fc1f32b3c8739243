"""Each run says where it ran: Python, packages, conda, host, and the git commit of the project."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import rms_jupyter as rms


def double(n):
    return 2 * n


def run_of_its_own(session, n):
    """Call in a run of its own, as the next cell would."""
    pipe = session.register_pipe(double)
    with session.plan() as plan:
        made = pipe(n)
    plan.run(n_jobs=1)
    return made.replacement


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder that packages are installed to."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))

    def install(name, version):
        for old in folder.glob(f"{name}-*.dist-info"):
            for file in old.iterdir():
                file.unlink()
            old.rmdir()
        (folder / f"{name}.py").write_text(f"__version__ = '{version}'\n")
        info = folder / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "RECORD").write_text(f"{name}.py,,\n")
        importlib.invalidate_caches()

    return install


def test_runs_tell_python_packages_and_host(s):
    run_of_its_own(s, 1)
    [(host, python, packages, numpy)] = s.sql(
        "SELECT host, python, packages, packages ->> 'numpy' FROM runs JOIN environments USING (environment)"
    ).fetchall()
    import numpy as np

    assert host == os.uname().nodename and python.endswith(sys.version.split()[0])
    assert numpy == np.__version__ and "typing-extensions" in packages


def test_an_environment_is_on_record_once(s, reopen):
    run_of_its_own(s, 1)
    run_of_its_own(s, 2)
    with reopen(s) as again:
        run_of_its_own(again, 3)
        assert again.sql("SELECT count(*), sum(runs) FROM environments").fetchall() == [(1, 3)]
        assert again.sql("SELECT count(DISTINCT environment) FROM runs").fetchall() == [(1,)]


def test_a_package_installed_meanwhile_makes_another_environment(s, site):
    a = run_of_its_own(s, 1)
    site("Frob_Nicate", "1.0")
    b = run_of_its_own(s, 2)
    site("Frob_Nicate", "1.1+local")
    c = run_of_its_own(s, 3)
    assert "frob-nicate" not in s.show(a).packages
    assert s.show(b).packages["frob-nicate"] == "1.0" and s.show(c).packages["frob-nicate"] == "1.1+local"
    rows = [row for row in s.diff(b, c).rows() if row["kind"] == "environment"]
    assert rows == [{"what": "frob-nicate", "kind": "environment", "before": "1.0", "after": "1.1+local"}]
    assert "frob-nicate" in str(s.diff(a, b)) and "frob-nicate" not in str(s.diff(a, run_of_its_own(s, 1)))


def test_what_was_imported_before_an_upgrade_is_what_runs(s, site, monkeypatch):
    monkeypatch.delitem(sys.modules, "wobble", raising=False)
    site("wobble", "1.0")
    import wobble

    site("wobble", "2.0")
    assert s.show(run_of_its_own(s, 1)).packages["wobble"] == "1.0" == wobble.__version__
    monkeypatch.delitem(sys.modules, "wobble")


def test_conda_is_told_by_its_own_files(s, tmp_path, monkeypatch):
    meta = tmp_path / "miniforge" / "envs" / "genome" / "conda-meta"
    meta.mkdir(parents=True)
    (meta / "history").write_text("")
    (meta / "samtools-1.21-h50ea8bc_0.json").write_text("{}")
    (meta / "font-ttf-dejavu-sans-mono-2.37-hab24e00_0.json").write_text("{}")
    monkeypatch.setattr(sys, "prefix", str(meta.parent))
    shown = s.show(run_of_its_own(s, 1))
    assert shown.facts["conda"] == "genome"
    assert shown.packages["samtools (conda)"] == "1.21 h50ea8bc_0"
    assert "font-ttf-dejavu-sans-mono (conda)" in shown.packages


def test_nothing_of_the_environment_variables_is_on_record(s, monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "s3cr3t-5f1c")
    run_of_its_own(s, 1)
    journals = b"".join(path.read_bytes() for path in (s.path / "journal").iterdir())
    assert b"SOME_TOKEN" not in journals and b"s3cr3t" not in journals


# Git -----------------------------------------------------------------------------------------------------------------


def git(*arguments):
    identity = ["-c", "user.name=A", "-c", "user.email=a@b.org", "-c", "init.defaultBranch=main"]
    ran = subprocess.run(["git", *identity, *arguments], capture_output=True, text=True, check=True)
    return ran.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """A project in a repository of one commit, which the tests work in."""
    Path("helper.py").write_text("X = 1\n")
    git("init", "-q")
    git("add", "helper.py")
    git("commit", "-qm", "begin")
    return tmp_path


def commit_of_the_last_run(session):
    with rms.open(session.path) as again:
        return again.sql('SELECT "commit", dirty FROM runs ORDER BY started_at DESC LIMIT 1').fetchall()[0]


def test_a_run_tells_the_commit_and_whether_it_was_changed(repository, s):
    run_of_its_own(s, 1)
    s.close()
    first = git("rev-parse", "HEAD")
    assert commit_of_the_last_run(s) == (first, False)
    Path("notes.txt").write_text("not tracked")
    Path("helper.py").write_text("X = 2\n")
    with rms.open(s.path) as again:
        b = run_of_its_own(again, 2)
    assert commit_of_the_last_run(s) == (first, True)
    git("commit", "-qam", "more")
    with rms.open(s.path) as again:
        c = run_of_its_own(again, 3)
    assert commit_of_the_last_run(s) == (git("rev-parse", "HEAD"), False)
    with rms.open(s.path) as again:
        assert again.show(b.id).facts["commit"] == f"{first[:12]} and changes since"
        [row] = [row for row in again.diff(b.id, c.id).rows() if row["what"] == "commit"]
        assert row["after"] == git("rev-parse", "HEAD")[:12]


def test_without_a_repository_or_a_commit_there_is_none(s, tmp_path):
    run_of_its_own(s, 1)
    s.close()
    assert commit_of_the_last_run(s) == (None, None)
    git("init", "-q")
    with rms.open(s.path) as again:
        run_of_its_own(again, 2)
    assert commit_of_the_last_run(s) == (None, None)


def test_git_runs_no_program_that_the_project_names(repository, s):
    trap = repository / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {repository}/sprung\ncat\n")
    trap.chmod(0o755)
    git("config", "core.fsmonitor", str(trap))
    git("config", "filter.odd=name.clean", str(trap))
    git("config", "filter.odd=name.required", "true")
    (repository / ".git/more").write_text(f'[filter "included"]\n\tclean = {trap}\n\tprocess = {trap}\n')
    git("config", "include.path", "more")
    Path(".gitattributes").write_text("helper.py filter=odd=name\nother.py filter=included\n")
    os.utime("helper.py", (1, 1))
    run_of_its_own(s, 1)
    s.close()
    assert commit_of_the_last_run(s) == (git("-c", "core.fsmonitor=false", "rev-parse", "HEAD"), False)
    assert not (repository / "sprung").exists()


def test_many_runs_ask_git_together(repository, s):
    for n in range(20):
        run_of_its_own(s, n)
    s.close()
    with rms.open(s.path) as again:
        assert again.sql('SELECT count(*), count("commit") FROM runs').fetchall() == [(20, 20)]
