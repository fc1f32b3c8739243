"""Copies on servers: what holds for a folder holds over ssh and in S3."""

import signal
import subprocess
import sys
import time

import psutil
import pytest

import rms_jupyter as rms
from rms_jupyter.store.copies import place
from rms_jupyter.store.copies.place import CopyPlace
from tests.behaviour.test_copies import analyse, at_work, hits, raw
from tests.servers import s3_server, ssh_server


@pytest.fixture(scope="module")
def ssh(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ssh")
    with ssh_server(folder) as address:
        yield address, folder


@pytest.fixture(scope="module")
def s3():
    with s3_server() as url:
        yield url


@pytest.fixture
def copy_over_ssh(ssh, monkeypatch, tmp_path):
    """The address of a place on a host where nothing is."""
    address, folder = ssh
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text(f"Host cluster\n{address}\n    IdentityFile {folder / 'user'}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    return f"ssh://cluster{tmp_path}/a copy"


@pytest.fixture(params=["ssh", "s3"])
def copy(request, monkeypatch, tmp_path):
    """The address of a place on a server where nothing is."""
    if request.param == "ssh":
        return request.getfixturevalue("copy_over_ssh")
    url = request.getfixturevalue("s3")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    return f"s3://bucket/{tmp_path.name}/a copy"


def test_push_and_pull_both_ways(copy, tmp_path):
    for person in ("ada", "ben", "ada", "ben"):
        raw(tmp_path / person)
        with at_work(tmp_path / person) as s:
            s.pull(copy)
            results = analyse(s, 3) + analyse(s, 4 if person == "ada" else 5)
            s.push(copy)
            assert "up to date" in str(s.ahead_and_behind())
            assert "nothing new" in str(s.pull(copy))
    assert all(hits(results))
    raw(tmp_path / "cora")
    with at_work(tmp_path / "cora") as s:
        s.pull(copy)
        assert all(hits([*analyse(s, 3), *analyse(s, 4), *analyse(s, 5)]))
        assert len(results[2].content) == 50_000
        assert (tmp_path / "cora" / "report.txt").exists()


def test_a_backup_is_verified_and_comes_back(copy, tmp_path):
    raw(tmp_path / "ada")
    with at_work(tmp_path / "ada") as s:
        analyse(s)
        assert "all sound" in str(s.backup(copy, verify=True))
    rms.restore(copy, tmp_path / "in" / "work.rms")
    with at_work(tmp_path / "in") as s:
        assert all(hits(analyse(s)))


PUSHES = """
import sys
import rms_jupyter as rms
s = rms.open(sys.argv[1])
print("pushing", flush=True)
s.push(sys.argv[2])
"""


@pytest.mark.parametrize("after", [0.0, 0.05, 0.15, 0.4])
def test_a_push_that_is_killed_goes_on(copy, tmp_path, after):
    raw(tmp_path / "ada")
    with at_work(tmp_path / "ada") as s:
        for factor in range(3):
            analyse(s, factor)
    words = [sys.executable, "-c", PUSHES, tmp_path / "ada" / "work.rms", copy]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as pushing:
        pushing.stdout.readline()
        time.sleep(after)
        pushing.kill()
    raw(tmp_path / "ben")
    with at_work(tmp_path / "ben") as s:
        s.pull(copy)
    with at_work(tmp_path / "ada") as s:
        s.push(copy)
    with at_work(tmp_path / "ben") as s:
        s.pull(copy)
        assert all(all(hits(analyse(s, factor))) for factor in range(3))


def connections():
    """The processes of our sshd that serve one connection each."""
    ours = [child for child in psutil.Process().children(recursive=True) if child.name().startswith("sshd")]
    return [child for child in ours if child.parent() in ours]


@pytest.mark.parametrize(
    ("how", "told"), [(signal.SIGSTOP, "there was no answer for 1 s"), (signal.SIGKILL, "cannot be used: ")]
)
@pytest.mark.parametrize("verb", ["push", "pull"])
def test_a_host_that_is_gone_in_the_middle_is_told_and_the_rest_goes_there_later(
    copy_over_ssh, tmp_path, monkeypatch, how, told, verb
):
    raw(tmp_path / "ada")
    with at_work(tmp_path / "ada") as s:
        analyse(s)
        if verb == "pull":
            s.push(copy_over_ssh)
    (tmp_path / "ben").mkdir()
    step = {"push": "write", "pull": "read"}[verb]
    method = getattr(CopyPlace, step)

    def gone(*args):
        for process in connections():
            process.send_signal(how)
        return method(*args)

    with monkeypatch.context() as m, at_work(tmp_path / {"push": "ada", "pull": "ben"}[verb]) as s:
        m.setattr(place, "PATIENCE", 1.0)
        m.setattr(CopyPlace, step, gone)
        with pytest.raises(rms.StoreError, match=told):
            getattr(s, verb)(copy_over_ssh)
        for process in connections():
            process.kill()
        m.setattr(CopyPlace, step, method)
        getattr(s, verb)(copy_over_ssh)
    raw(tmp_path / "ben")
    with at_work(tmp_path / "ben") as s:
        s.pull(copy_over_ssh)
        assert all(hits(analyse(s)))
