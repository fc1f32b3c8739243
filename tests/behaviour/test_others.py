"""Other users, other threads, other processes, and odd things in the place of files."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import pytest

import rms_jupyter as rms
from rms_jupyter.store.claims import Claims
from rms_jupyter.store.upkeep.recover import at_work

ROOT = Path(__file__).parents[2]


# Threads --------------------------------------------------------------------------------------------------------------


def test_threads_that_make_the_first_claims_at_once_leak_none(tmp_path):
    for attempt in range(40):
        claims, start = Claims(tmp_path / f"claims{attempt}"), threading.Barrier(16)

        def claim(key, claims=claims, start=start):
            start.wait()
            with claims.held(key):
                pass

        threads = [threading.Thread(target=claim, args=(key,)) for key in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        others = Claims(tmp_path / f"claims{attempt}")
        assert all(others.take(key, wait=False) for key in range(16))
        others.close()
        claims.close()


# Who is waited for -----------------------------------------------------------------------------------------------------

HOLDER = """
import sys, rms_jupyter as rms
s = rms.open(sys.argv[1])
import tests.behaviour.test_others as here
s.register_pipe(here.slow)(6)
"""


def slow(n):
    time.sleep(n)
    return n


@pytest.mark.parametrize("planned", [False, True])
def test_a_stopped_holder_is_named_after_five_seconds(s, planned):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, s.path], cwd=ROOT)
    try:
        while not any(at_work(s.store.layout).values()):
            time.sleep(0.05)
        os.kill(holder.pid, signal.SIGSTOP)
        said = []
        s.place.announce = lambda message: (said.append((time.monotonic(), message)), holder.kill())
        began = time.monotonic()
        slow_ = s.register_pipe(slow)
        if planned:
            with s.plan() as plan:
                slow_(6)
            plan.run(n_jobs=1)
        else:
            slow_(6)
    finally:
        holder.kill()
        holder.wait()
    [(when, message)] = said
    assert 5 <= when - began < 7
    assert f"waiting for slow(6) in kernel {holder.pid} on {os.uname().nodename}" in message


# Two users of a group --------------------------------------------------------------------------------------------------

GROUP, USERS = "rms-lab", ("rms-anna", "rms-bert")

CALL = """
import os, sys
sys.path.insert(0, sys.argv[3])
os.umask(0o022)
import rms_jupyter as rms
def items(n):
    return [str(i) for i in range(n)]
def array(n):
    import numpy
    return numpy.arange(n)
with rms.open(sys.argv[1]) as s:
    hits = []
    for n in map(int, sys.argv[2].split(",")):
        hits.append(s.register_pipe(array)(n).task.hit)
    assert s.sql("SELECT count(*) FROM tasks").fetchall()[0][0] >= len(hits)
    assert "no problems" in s.check(full=True).headline
    s.tidy()
    print(hits)
"""


@pytest.fixture
def lab():
    """A folder that two users share as members of a group; none of them remains."""
    if os.geteuid() != 0:
        pytest.skip("making users takes root")
    subprocess.run(["groupadd", GROUP], check=True)
    folder = Path(tempfile.mkdtemp(prefix="rms-lab-", dir="/tmp"))
    try:
        for user in USERS:
            subprocess.run(["useradd", "-m", "-G", GROUP, user], check=True)
        os.chown(folder, 0, grp.getgrnam(GROUP).gr_gid)
        folder.chmod(0o2770)
        yield folder
    finally:
        for user in USERS:
            subprocess.run(["userdel", "-r", user], stderr=subprocess.DEVNULL)
        subprocess.run(["groupdel", GROUP])
        shutil.rmtree(folder)


def as_user(user, code, *args):
    found = pwd.getpwnam(user)
    done = run_as(found.pw_uid, found.pw_gid, found.pw_dir, code, *args, groups=grp.getgrnam(GROUP).gr_gid)
    assert not done.returncode, done.stderr
    return done.stdout.splitlines()[-1]


def run_as(uid, gid, home, code, *args, groups=None):
    """Run Python code as another user, which takes root, or as oneself."""
    may_import = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]  # Python may be root's alone.
    of = ["--clear-groups"] if groups is None else ["--groups", str(groups)]
    switch = ["setpriv", "--reuid", str(uid), "--regid", str(gid), *of, *may_import] if uid != os.geteuid() else []
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    command = [*switch, sys.executable, "-c", code, *map(str, args)]
    return subprocess.run(command, cwd=home, env=environment, text=True, capture_output=True)


COPIES = """
import os, sys
sys.path.insert(0, sys.argv[3])
os.umask(0o077)
import rms_jupyter as rms
def array(n):
    import numpy
    return numpy.arange(n)
with rms.open(sys.argv[1]) as s:
    s.pull(sys.argv[2])
    s.register_pipe(array)(int(sys.argv[4]))
    s.push(sys.argv[2])
with rms.open(sys.argv[1]) as s:
    s.pull(sys.argv[2], content=True)
    assert "no problems" in s.check(full=True).headline, s.check(full=True)
    s.backup(sys.argv[2] + " kept", verify=True)
    print([s.register_pipe(array)(n).task.hit for n in map(int, sys.argv[5:])])
"""


def test_two_users_of_a_group_share_a_store_and_a_copy(lab):
    store = lab / "shared.rms"
    assert as_user(USERS[0], CALL, store, "5000,1", ROOT) == "[False, False]"
    assert as_user(USERS[1], CALL, store, "5000,1,6000,2", ROOT) == "[True, True, False, False]"
    assert as_user(USERS[0], CALL, store, "5000,1,6000,2,7000,3", ROOT) == "[True, True, True, True, False, False]"
    group = grp.getgrnam(GROUP).gr_gid
    for path in (store, *store.rglob("*")):
        found = path.stat()
        assert found.st_gid == group, path
        assert stat.S_IMODE(found.st_mode) & 0o7 == 0, f"{path} is for others too"
        assert stat.S_IMODE(found.st_mode) & 0o060 == 0o060, f"{path} is not for the group"
    store, apart, copy = lab / "other.rms", lab / "apart.rms", lab / "copy"
    assert as_user(USERS[0], COPIES, store, copy, ROOT, 5000, 5000) == "[True]"
    assert as_user(USERS[1], COPIES, apart, copy, ROOT, 6000, 5000, 6000) == "[True, True]"
    assert as_user(USERS[0], COPIES, store, copy, ROOT, 7000, 5000, 6000, 7000) == "[True, True, True]"
    assert as_user(USERS[1], COPIES, store, copy, ROOT, 8000, 6000, 7000, 8000) == "[True, True, True]"
    for path in (store, *store.rglob("*"), copy, *copy.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o67 == 0o60, f"{path} is for {mode:o}"


CELLS = """
import os, sys
sys.path.insert(0, sys.argv[2])
os.chdir(sys.argv[1])
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(colors="NoColor")
shell.run_line_magic("load_ext", "rms_jupyter")
def cell(text):
    shell.run_cell(text).raise_error()
cell("%%rms\\ndef double(n): return 2 * n")
cell("print(double(3))")
cell("%%rms run\\nmany = [double(n) for n in range(3, 6)]")
cell("print(many)")
cell("%%rms cell six\\nsix = double(3)\\nprint(six)")
cell("print(double(3), sum(many), six)")
"""


@pytest.mark.parametrize("is_there", [False, True])
def test_calls_run_where_nobody_has_asked_for_a_store_and_none_can_be_written(is_there):
    with tempfile.TemporaryDirectory(prefix="rms-other-", dir="/tmp") as place:
        folder, home = Path(place, "project"), Path(place, "home")
        folder.mkdir()
        home.mkdir()
        if is_there:
            with rms.open(folder / ".rms") as session:
                session.register_pipe(list_of)(3)
        nobody = 65534 if os.geteuid() == 0 else os.getuid()
        for path in (Path(place), *Path(place).rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        os.chown(home, nobody, -1)
        home.chmod(0o700)
        done = run_as(nobody, nobody, home, CELLS, folder, ROOT)
        for path in (Path(place), *Path(place).rglob("*")):
            path.chmod(0o700)
    assert not done.returncode, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line in ("6", "[6, 8, 10]", "6 24 6")] == ["6", "[6, 8, 10]", "6", "6 24 6"]
    assert f"the store {folder}/.rms cannot be written: Permission denied; it is " in done.stdout + done.stderr


@contextlib.contextmanager
def umask(mask):
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_a_copy_is_for_a_group_only_where_the_folder_above_it_is(tmp_path):
    with umask(0o022), rms.open(tmp_path / "own.rms") as session:
        session.register_pipe(list_of)(5000)
        for above, wanted in ((0o755, 0o755), (0o2775, 0o2775), (0o1777, 0o755)):
            folder = tmp_path / f"{above:o}"
            folder.mkdir()
            folder.chmod(above)
            session.push(folder / "a" / "copy")
            assert stat.S_IMODE((folder / "a" / "copy" / "objects").stat().st_mode) == wanted


def test_a_store_of_ones_own_is_for_oneself_and_the_group_to_read(tmp_path):
    tmp_path.chmod(0o755)
    with rms.open(tmp_path / "own.rms") as session:
        session.register_pipe(list_of)(5000)
        session.sql("SELECT 1")
    for path in (session.path, *session.path.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o27 == 0, path


def test_a_store_that_one_may_not_read_is_refused_in_a_sentence_and_not_looked_for(tmp_path, monkeypatch):
    with rms.open(tmp_path / ".rms") as session:
        session.register_pipe(list_of)(3)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    for place in (session.path, tmp_path / "below"):
        place.chmod(0)
    user = os.geteuid()
    os.seteuid(user or 65534)  # Root may do all.
    try:
        with pytest.raises(rms.StoreError, match="cannot be read: Permission denied\n→ ask whom it belongs to"):
            rms.open(session.path)
        with pytest.raises(rms.StoreError, match="cannot be (read|written): Permission denied"):
            rms.open()
    finally:
        os.seteuid(user)
        for place in (session.path, tmp_path / "below"):
            place.chmod(0o700)


def list_of(n):
    return [str(i) for i in range(n)]


# Odd places ------------------------------------------------------------------------------------------------------------


def test_a_session_takes_a_relative_path_as_text(tmp_path, monkeypatch):
    with rms.Session("x.rms") as session:
        assert session.register_pipe(list_of)(2).content == ["0", "1"]
    assert (tmp_path / "x.rms" / "store.json").exists()


ODD = {
    "a fifo": os.mkfifo,
    "a folder": os.mkdir,
    "a dangling link": lambda path: os.symlink("nowhere", path),
    "a link to itself": lambda path: os.symlink(path, path),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", ["claims", "store.json", "index.json", "index.lock", "provenance.duckdb"])
def test_what_is_no_file_in_the_place_of_one_hangs_nothing(tmp_path, odd, name):
    with rms.open(tmp_path / "test.rms") as session:
        session.register_pipe(list_of)(3)
        session.sql("SELECT 1")
    path = session.path / name
    path.unlink(missing_ok=True)
    ODD[odd](path)
    code = (
        "import sys, rms_jupyter as rms; from tests.behaviour.test_others import list_of\n"
        "try:\n"
        "    s = rms.open(sys.argv[1]); print(s.register_pipe(list_of)(3).content); s.close()\n"
        "except rms.RmsError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code, session.path], cwd=ROOT, timeout=60, text=True,
                          capture_output=True)  # fmt: skip
    assert done.returncode == 0 and done.stdout, done.stderr


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_file_as_an_argument_hangs_nothing(tmp_path, odd):
    ODD[odd](tmp_path / "input.txt")
    code = (
        "import sys, os, rms_jupyter as rms\n"
        "def look(path): return os.path.basename(path)\n"
        "s = rms.open(sys.argv[1] + '/test.rms'); print(s.register_pipe(look)(sys.argv[1] + '/input.txt').content)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], timeout=60, text=True, cwd=ROOT,
                          capture_output=True)  # fmt: skip
    assert done.stdout == "input.txt\n", done.stderr


def test_a_working_directory_that_was_deleted_hinders_nothing(tmp_path):
    code = (
        "import os, sys, rms_jupyter as rms\n"
        "os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')\n"
        "def double(x): return 2 * x\n"
        "s = rms.open(sys.argv[1] + '/test.rms'); print(s.register_pipe(double)(3).content)\n"
        "with s.plan() as plan: r = s.register_pipe(double)(4)\n"
        "try: plan.run(n_jobs=2)\n"
        "except rms.RmsError as error: print(error.message)\n"
        "with s.plan() as plan: r = s.register_pipe(double)(4)\n"
        "plan.run(n_jobs=1); print(r.content); s.close()"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], text=True, capture_output=True)  # fmt: skip
    assert done.stdout == "6\nno worker can start: the working directory is gone\n8\n", done.stderr


def double(x):
    return 2 * x


def write(text, out):
    Path(out).write_text(text)


ODD_NAMES = ["what?", "back\\slash", os.fsdecode(b"not \xff utf-8"), "glob*[x]{a,b}", "two\nlines", "a'b\"c", "#%20;"]


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_a_store_may_be_in_a_folder_of_any_name(tmp_path, monkeypatch, name):
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.chdir(folder)
    with rms.open(folder / f"{name}.rms") as s:
        double_ = s.register_pipe(double)
        write_ = s.register_pipe(write, outputs=["out"])
        results = [double_(x) for x in range(3)]
        write_("text", f"{name}.txt")
        with s.plan() as plan:
            double_(7)
        plan.run(n_jobs=2)
        assert s.sql("SELECT count(*) FROM tasks").fetchall() == [(5,)]
        assert s.lineage(results[0]).nodes and s.check(full=True).is_sound
        s.gc(compact=True)
        s.export(results[0], "parquet", folder / "tables")
        s.backup(tmp_path / f"{name} kept", verify=True)
    rms.restore(tmp_path / f"{name} kept", folder / "again" / f"{name}.rms")
    with rms.open(folder / "again" / f"{name}.rms", read_only=True) as s:
        assert s.register_pipe(double)(2).task.hit and len(s.sql("FROM files").fetchall()) == 1


def test_a_forked_child_that_ends_takes_nothing_from_its_parent(tmp_path):
    """In a process of its own, as the child ends as a script does."""
    code = """
        import os, rms_jupyter as rms
        rms.open("a.rms").close()
        s = rms.open("a.rms", read_only=True)
        s.sql("FROM tasks")
        if not os.fork():
            raise SystemExit
        os.wait()
        print(s.sql("FROM tasks").fetchall())
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.stdout == "[]\n", ran.stderr


def test_what_is_shown_fits_a_console_that_is_not_unicode(tmp_path):
    code = """
        import rms_jupyter as rms
        s = rms.open("shown.rms")

        @s.register_pipe
        def two(n):
            return {"µ": n}

        first, second = two(1), two(2)
        with s.plan() as plan:
            two("ä")
        plan.run(n_jobs=1)
        for shown in (first, rms.info(first), first.task, s.why(first), s.diff(first, second), s.lineage(first), s.tasks()):
            print(shown)
        try:
            s.pipe(print, name="→")
        except rms.RmsError as error:
            print(error)
        print("all shown")
    """
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env=env, cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.stdout.endswith("all shown\n"), ran.stderr
    assert "{'u': 1}" in ran.stdout and "-> " in ran.stdout and "\\xe4" in ran.stdout
