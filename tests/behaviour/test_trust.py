"""A store that was made elsewhere runs nothing: its pickles stay shut until the user says that it is to be trusted."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

import rms_jupyter as rms
from rms_jupyter import model
from rms_jupyter.panel.questions import answer

pytestmark = [
    pytest.mark.filterwarnings("ignore:.* was made elsewhere:rms_jupyter.errors.RmsWarning"),
    pytest.mark.filterwarnings("ignore:.* is open read-only:rms_jupyter.errors.RmsWarning"),
]


class Evil:
    """Makes a file wherever a pickle is read that another user has written."""

    def __init__(self, pad=0):
        self.pad = "x" * pad

    def __reduce__(self):
        return wake, (len(self.pad), getattr(sys, "ran", ""))

    def __repr__(self):
        return "Evil()"


def wake(n, path):
    if path:
        Path(path).touch()
    return Evil(n)


def give(n):
    return Evil(n)


def give_list(n):
    return [Evil(n), n]


def use(evil):
    return 1


def total(xs, scale=1):
    return float(xs.sum()) * scale


def array(n):
    return np.arange(float(n))


def frame(n):
    return pd.DataFrame({"x": np.arange(n), "name": ["a"] * n})


def words(n):
    return "word " * n


PIPES = [give, give_list, use, total, array, frame, words]


@pytest.fixture
def ran(tmp_path):
    """A file that is there once a pickle of another user was read."""
    return tmp_path / "ran"


@pytest.fixture
def foreign(tmp_path, ran, monkeypatch):
    """A store that another user has made and filled."""
    with monkeypatch.context() as other:
        other.setenv("XDG_DATA_HOME", str(tmp_path / "data of another"))
        other.setattr(sys, "ran", str(ran), raising=False)
        with rms.open(tmp_path / "foreign.rms") as session:
            pipes = {function.__name__: session.register_pipe(function) for function in PIPES}
            for n in (0, 20_000):
                given = pipes["give"](n)
                pipes["give_list"](n), pipes["use"](given), pipes["use"](Evil(n)), pipes["use"]([Evil(n)])
            pipes["total"](np.arange(5000.0)), pipes["array"](5000), pipes["frame"](5000), pipes["words"](5000)
    ran.unlink(missing_ok=True)
    return session.path


def opened(path, read_only=False):
    session = rms.open(path, read_only=read_only)
    return session, {function.__name__: session.register_pipe(function) for function in PIPES}


def everything(session):
    return [session.home.resource(row[0]) for row in session.sql("SELECT id FROM resources").fetchall()]


def tasks(session):
    return [row[0] for row in session.sql("SELECT id FROM tasks").fetchall()]


def each(act):
    """Do something to everything; what is refused is refused with a hint."""

    def way(session, pipes):
        for thing in everything(session):
            try:
                act(session, thing)
            except (rms.RmsError, LookupError) as refusal:
                assert not isinstance(refusal, rms.RmsError) or refusal.hint

    return way


def ask_panel(session, thing):
    for question in ("details", "figure", "lineage", "made_in", "log"):
        answer({"ask": question, "store": str(session.path), "id": thing.id, "what": thing.id, "item": thing.id})


def pass_on(session, pipes):
    for n in (0, 20_000):
        given = pipes["give"](n)
        pipes["use"](given), pipes["use"]([given])


def plan_again(session, pipes):
    if session.read_only:
        return
    with session.plan() as plan:
        [pipes["use"](pipes["give"](n)) for n in (0, 20_000)]
    plan.run(n_jobs=2)


def lose(session, pipes):
    if session.read_only:
        return
    shutil.rmtree(session.path / "objects")
    each(lambda session, thing: thing.content)(session, pipes)


def call_again(session, pipes):
    for name in ("give", "give_list"):
        for n in (0, 20_000):
            session.pipe(pipes[name].func)(n)


WAYS = {
    "display": each(lambda session, thing: thing._repr_mimebundle_()),
    "repr": each(lambda session, thing: repr(thing)),
    "content": each(lambda session, thing: thing.content),
    "info": each(lambda session, thing: rms.info(thing)),
    "show": each(lambda session, thing: repr(session.show(thing))),
    "lineage": each(lambda session, thing: session.lineage(thing)._repr_mimebundle_()),
    "why": each(lambda session, thing: repr(session.why(thing))),
    "diff": each(lambda session, thing: repr(session.diff(thing, everything(session)[0]))),
    "logs": each(lambda session, thing: repr(session.logs(thing))),
    "rerun": each(lambda session, thing: session.rerun(thing)),
    "debug": each(lambda session, thing: session.rerun(thing, debug=True)),
    "script": each(lambda session, thing: session.export(thing, "script", "out.py", overwrite=True)),
    "notebook": each(lambda session, thing: session.export(thing, "notebook", "out.ipynb", overwrite=True)),
    "dot": each(lambda session, thing: session.export(thing, "dot")),
    "panel": each(ask_panel),
    "check": lambda session, pipes: repr(session.check(full=True)),
    "verify": lambda session, pipes: repr(session.check(verify=1.0)),
    "repair": lambda session, pipes: session.read_only or session.check(repair=True),
    "table": lambda session, pipes: repr(rms.table(everything(session))),
    "tasks": lambda session, pipes: repr(session.tasks("give")),
    "find": lambda session, pipes: repr(session.find("evil")),
    "passed on": pass_on,
    "called again": call_again,
    "in workers": plan_again,
    "lost": lose,
}


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_nothing_runs_whatever_is_done_with_a_store_made_elsewhere(foreign, ran, way, read_only):
    session, pipes = opened(foreign, read_only)
    with session:
        WAYS[way](session, pipes)
        assert not ran.exists()


def test_it_is_told_and_said_how_to_trust_it(foreign, ran):
    session, pipes = opened(foreign)
    assert [problem for problem in session.problems if "made elsewhere" in problem and "%rms trust" in problem]
    with pytest.warns(rms.RmsWarning, match=r"foreign.rms was made elsewhere: .*%rms trust"):
        again = pipes["give"](20_000)
    assert not again.task.hit and "%rms trust" in again.task.reason
    gave = (thing for thing in everything(session) if thing.task and thing.task.pipe.name == "give")
    earlier = next(thing for thing in gave if thing.task.id != again.task.id)
    with pytest.raises(rms.UntrustedContent, match=r"could run anything[\s\S]*%rms trust"):
        session.home.resource(earlier.id).content
    assert not ran.exists()
    assert "can run anything" in session.trust()
    session.home.resource(earlier.id).content
    assert ran.exists()
    session.close()
    ran.unlink()
    session, pipes = opened(foreign)
    assert not session.problems and pipes["give"](20_000).task.hit
    session.home.resource(earlier.id).content
    assert ran.exists(), "trusted for good"


@pytest.mark.parametrize("read_only", [False, True])
def test_plain_data_is_read_from_any_store(foreign, read_only):
    session, pipes = opened(foreign, read_only)
    with session:
        for call, expected in (
            (pipes["array"](5000), array(5000)),
            (pipes["frame"](5000), frame(5000)),
            (pipes["words"](5000), words(5000)),
            (pipes["total"](np.arange(5000.0)), total(np.arange(5000.0))),
        ):
            assert call.task.hit and np.all(call.content == expected)


def test_looking_only_trusts_for_the_session(foreign, ran):
    session, pipes = opened(foreign, read_only=True)
    session.trust()
    each(lambda session, thing: thing.content)(session, pipes)
    assert ran.exists()
    session.close()
    ran.unlink()
    session, pipes = opened(foreign, read_only=True)
    each(lambda session, thing: thing.content)(session, pipes)
    assert not ran.exists()


def test_ones_own_stores_are_trusted(s, reopen, tmp_path):
    assert s.register_pipe(give_plain)(3).task.hit is False
    later = reopen(s)
    assert later.register_pipe(give_plain)(3).task.hit and not later.problems
    later.close()
    moved = shutil.copytree(later.path, tmp_path / "a copy.rms")
    with rms.open(moved) as copy:
        assert copy.register_pipe(give_plain)(3).task.hit


def give_plain(n):
    return [{n}] * 5000


def test_the_key_is_the_users_alone(s):
    key = Path(os.environ["XDG_DATA_HOME"], "rms_jupyter", "key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 and len(key.read_bytes()) == 32
    assert key.read_bytes().hex() not in (s.path / "store.json").read_text()


def without_identity(path):
    """Let a store be as older versions made it, when they made it."""
    (path / "store.json").write_text('{"format": 1}\n')


def test_an_older_store_that_was_made_here_is_signed(tmp_path):
    code = (
        "import sys, rms_jupyter as rms; from rms_jupyter.store import layout; from rms_jupyter.store.upkeep import trust\n"
        "trust.trust = lambda layout: None\n"
        "s = rms.open(sys.argv[1]); from tests.behaviour.test_trust import give_plain; s.register_pipe(give_plain)(3)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "old.rms"], check=True, cwd=Path(__file__).parents[2])
    assert json.loads((tmp_path / "old.rms/store.json").read_text())["id"] == ""
    with rms.open(tmp_path / "old.rms") as session:
        assert session.register_pipe(give_plain)(3).task.hit and not session.problems
    assert len(json.loads((tmp_path / "old.rms/store.json").read_text())["id"]) == 32


def test_an_older_store_that_was_copied_here_is_not(foreign, ran):
    without_identity(foreign)
    session, pipes = opened(foreign)
    assert not pipes["give"](20_000).task.hit and not ran.exists()


def test_a_store_without_records_is_not_signed_while_it_has_content(foreign, ran):
    without_identity(foreign)
    for path in (foreign / "journal").iterdir():
        path.unlink()
    session, _ = opened(foreign)
    assert session.problems


@pytest.mark.parametrize("signature", ["", "0" * 64, "ü", 'x" OR 1'])
def test_other_signatures_count_for_nothing(foreign, ran, signature):
    with rms.open(foreign.with_name("own.rms")) as own:
        marker = json.loads((own.path / "store.json").read_text())
    found = json.loads((foreign / "store.json").read_text())
    found["signatures"] = dict.fromkeys(marker["signatures"], signature or marker["signatures"].popitem()[1])
    (foreign / "store.json").write_text(json.dumps(found))
    session, pipes = opened(foreign)
    assert not pipes["give"](20_000).task.hit and not ran.exists()


def test_an_object_that_others_have_put_there_is_not_taken_for_ones_own(foreign, ran, tmp_path):
    with rms.open(tmp_path / "mine.rms") as mine:
        own = mine.register_pipe(give_plain)(3)
        [path] = (mine.path / "objects").rglob("*.pickle")
    evil = b"c" + wake.__module__.encode() + b"\nwake\n(I1\nV" + str(ran).encode() + b"\ntR."
    with rms.open(foreign) as session:
        session.store.objects.put(own.digest, "pickle", lambda place: place.write_bytes(evil))
    session = rms.open(foreign)
    give_ = session.register_pipe(give_plain)
    assert give_(3).content == give_plain(3) and give_(3).task.hit and not ran.exists()
    kept = foreign / "objects" / path.parent.name / path.name
    assert kept.read_bytes() == path.read_bytes()


# Records are data -----------------------------------------------------------------------------------------------------


NAMES = ["/SECRET", "../../..//SECRET", "ab/../..//SECRET", "SECRET\0", "", "..", "x" * 32, "0" * 31, "0" * 3000]
FORMATS = ["txt", "bin", "npy", "json", "pickle", "../txt", "txt\0", "no such"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("format", FORMATS)
def test_what_is_on_record_names_no_other_file(foreign, tmp_path, name, format):
    secret = tmp_path / "secret.txt"
    secret.write_text("my secret")
    name = name.replace("/SECRET", str(tmp_path / "secret"))
    with rms.open(foreign) as session:
        record = session.store.record(session.register_pipe(words)(5000).task.id)[1]
        out = model.ResourceRecord(digest=name, format=format, size=100_000, type="str")
        forged = session.store.append(
            model.TaskRecord(
                key=record.key, pipe=record.pipe, out=(out,), shown=name, k=session.store.next_k(), cached=True
            )
        )
    session, pipes = opened(foreign)
    assert pipes["words"](5000).content == words(5000), "the call runs, or an earlier task answers it"
    seen = []
    for is_trusted in (False, True):
        if is_trusted:
            session.trust()
        for look in (lambda: session.home.resource(forged + 1).content, lambda: session.show(forged)):
            try:
                seen.append(look())
            except (rms.RmsError, LookupError) as refusal:
                seen.append(refusal)
        seen += [session.check(full=True), rms.table(), answer({"ask": "details", "id": forged + 1})]
    assert "my secret" not in "".join(map(repr, seen))


def test_a_file_is_not_shown_for_a_record_that_says_nothing_of_its_state(s, tmp_path):
    secret = tmp_path / "id_rsa"
    secret.write_text("my secret")
    forged = model.ResourceRecord(digest="0" * 64, kind="file", type="file", size=9, path=str(secret))
    ident = s.store.append(forged)
    assert "my secret" not in repr(answer({"ask": "details", "id": ident}))


def test_names_and_text_from_records_give_a_terminal_no_commands(s, tmp_path):
    evil = "\x1b]0;owned\x07\x1b[2J\u202eexe.gpj"

    def echo(text):
        return text

    result = s.register_pipe(echo)(evil)
    named = s.register_pipe(lambda text: text, name="x")(evil)
    (tmp_path / f"a{evil}.txt").write_text("x")
    file = s.register_file(f"a{evil}.txt")
    error = rms.RmsError(f"no {evil}", hint=evil)
    shown = [str(error), str(s.show(result)), str(s.why(result)), str(s.diff(result, named)), str(s.lineage(result))]
    shown += map(repr, (result, result.task, file, named, s.tasks(), s.files(), s.check(full=True)))
    shown.append(file._repr_mimebundle_()[0]["text/plain"])
    for text in shown:
        assert not {"\x1b", "\x07", "\u202e"} & set(text), text


# Copies that others have named ----------------------------------------------------------------------------------------


@pytest.fixture
def trap(foreign, tmp_path, ran):
    """A folder that the maker of a store has named as a copy of it, and that holds its results."""
    trap = tmp_path / "trap"
    shutil.copytree(foreign / "objects", trap / "objects")
    (foreign / "copies.json").write_text(json.dumps({"addresses": [str(trap)], "growing": []}))
    return trap


def test_nothing_is_sent_to_or_fetched_from_a_copy_that_only_others_have_named(foreign, trap, monkeypatch):
    shutil.rmtree(foreign / "objects")
    before = sorted(trap.rglob("*"))
    monkeypatch.setattr("fsspec.core.url_to_fs", lambda *args, **kwargs: pytest.fail("a copy was asked"))
    session, pipes = opened(foreign)
    with session:
        assert session.ahead_and_behind() is None
        assert len(session.pipe(array)(5000)) == 5000
        for use in (session.push, session.pull):
            with pytest.raises(rms.RmsError, match="no address was given"):
                use()
    assert sorted(trap.rglob("*")) == before


def test_a_copy_of_a_store_that_is_trusted_is_used(foreign, trap):
    shutil.rmtree(foreign / "objects")
    session, pipes = opened(foreign)
    with session:
        session.trust()
        assert pipes["array"](5000).task.hit
        session.push()
    assert (trap / "journal").is_dir()


def test_a_copy_that_the_user_has_named_is_used_whatever_comes_from_there(foreign, tmp_path, monkeypatch):
    with monkeypatch.context() as other:
        other.setenv("XDG_DATA_HOME", str(tmp_path / "data of another"))
        with rms.open(foreign) as session:
            session.push(str(tmp_path / "copy"))
    mine = tmp_path / "mine.rms"
    session, pipes = opened(mine)
    with session:
        session.pull(str(tmp_path / "copy"))
    session, pipes = opened(mine)
    with session:
        assert not session.store.is_trusted
        assert pipes["array"](5000).task.hit
        assert str(tmp_path / "copy") in str(session.ahead_and_behind())
        session.push()


def test_what_others_have_written_into_the_database_is_not_believed(foreign, tmp_path, monkeypatch):
    with monkeypatch.context() as other:
        other.setenv("XDG_DATA_HOME", str(tmp_path / "data of another"))
        with rms.open(foreign) as session:
            session.sql("SELECT 1")
    with duckdb.connect(str(foreign / "provenance.duckdb")) as database:
        database.execute("UPDATE raw.pipes SET name = 'forged'")
        database.execute("CREATE OR REPLACE VIEW files AS SELECT 1 AS id, '/etc/passwd' AS path")
    session, _ = opened(foreign)
    with session:
        assert session.sql("SELECT count(*) FROM tasks WHERE pipe = 'forged'").fetchall() == [(0,)]
        assert session.sql("SELECT count(*) FROM tasks WHERE pipe = 'array'").fetchall() == [(1,)]
        assert session.sql("FROM files WHERE path = '/etc/passwd'").fetchall() == []


@pytest.mark.parametrize("read_only", [False, True])
def test_the_database_of_a_store_made_elsewhere_is_made_once_and_for_the_user_alone(
    foreign, read_only, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def asked():
        with rms.open(foreign, read_only=read_only) as session:
            assert not session.store.is_trusted
            return session.store.ingest(), session.sql("SELECT count(*) FROM tasks").fetchall()

    rows, counted = asked()
    assert rows and asked() == (0, counted), "the second session takes in what is new"
    made = [path for path in (tmp_path / "cache").rglob("*") if path.is_dir() and "databases" in str(path)]
    assert len(made) > 1 and {path.stat().st_mode & 0o777 for path in made} == {0o700}
    shutil.rmtree(foreign)
    with rms.open(foreign) as session:
        session.register_pipe(give)(1)
        assert session.sql("SELECT count(*) FROM tasks").fetchall() == [(1,)], "another store has another"
