"""Arguments and globals that are secret count, and are neither written nor shown."""

import pytest
import zstandard

import rms_jupyter as rms

TOKEN = "swordfish-global"


def login(user, password):
    return len(user) + len(password) + len(TOKEN)


def fails(password):
    raise ValueError("no")


def changes(password):
    password.append("swordfish-added")
    return 1


def written_in(path):
    """Everything that a store holds on disk, but for the code of pipes."""
    for file in path.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            yield zstandard.ZstdDecompressor().stream_reader(data).read() if file.suffix == ".zst" else data


def test_a_secret_counts_and_is_not_shown(s):
    pipe = s.register_pipe(login, secret=("password", "TOKEN"))
    first, other = pipe("ada", "swordfish-1"), pipe("ada", "swordfish-22")
    assert first.content + 1 == other.content and pipe("ada", "swordfish-1").task.hit
    with s.plan() as plan:
        planned = pipe("bob", "swordfish-1")
    label = repr(planned)
    explained = plan.explain().to_string()
    plan.run(n_jobs=2)
    shown = [
        first,
        first.task,
        s.why(other),
        s.diff(first, other),
        s.lineage(first),
        s.show(first),
        s.tasks(),
        rms.table(),
    ]
    texts = [label, explained, *map(repr, shown), str(s.sql("FROM tasks").fetchall())]
    assert all("swordfish" not in text for text in texts) and 'password="***"' in label


def test_a_secret_is_not_written(s):
    pipe = s.register_pipe(login, secret=("password", "TOKEN"))
    pipe("ada", "swordfish-1")
    failing = s.pipe(fails, secret="password")
    for _ in range(2):
        with pytest.raises(ValueError):
            failing(["swordfish-2"] * 300)
    s.sql("FROM tasks").fetchall()
    s.close()
    assert all(b"swordfish" not in data for data in written_in(s.path))


def test_the_key_of_a_secret_is_of_no_use_to_others(s, reopen, monkeypatch, tmp_path):
    pipe = s.register_pipe(login, secret=("password", "TOKEN"))
    mine, own = pipe("ada", "swordfish-1").task, s.sql("SELECT key FROM raw.tasks").fetchall()
    later = reopen(s)
    assert later.register_pipe(login, secret=("password", "TOKEN"))("ada", "swordfish-1").task.hit
    later.close()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "of another user"))
    with rms.open(tmp_path / "other.rms") as other:
        theirs = other.register_pipe(login, secret=("password", "TOKEN"))("ada", "swordfish-1").task
        keys = other.sql("SELECT key FROM raw.tasks").fetchall()
    assert theirs.call == mine.call and keys[0] not in own


def test_a_secret_that_a_call_changes_is_not_kept(s, reopen):
    pipe = s.pipe(changes, secret="password")
    for _ in range(2):
        held = ["swordfish"]
        with pytest.warns(rms.RmsWarning, match="it changes password, which is secret"):
            assert pipe(held) == 1 and held == ["swordfish", "swordfish-added"]
        s = reopen(s)
        pipe = s.pipe(changes, secret="password")


def test_a_secret_that_there_is_not_is_refused(s):
    with pytest.raises(
        rms.RegistrationError, match=r"nothing called 'pasword' to keep secret\n→ did you mean password"
    ):
        s.pipe(fails, secret="pasword")


def test_what_is_to_be_ignored_must_be_there_also_where_the_code_uses_builtins(s):
    with pytest.raises(rms.RegistrationError, match="login has nothing called 'user_' to ignore"):
        s.pipe(login, ignore="user_")
