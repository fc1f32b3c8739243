"""Several kernels and scripts on one store at once: no error, no record lost or double, a shared call computed once."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import rms_jupyter as rms
from tests.conftest import soak
from tests.kernel import Kernel

CALLS = 10_000 if soak() else 200
KERNELS, SCRIPTS = (4, 2) if soak() else (2, 1)

WORK = """
import os, sys, time
from pathlib import Path
import rms_jupyter as rms

def work(who, i):
    with open(os.environ.get("TRACE", "trace"), "ab", buffering=0) as file:
        file.write(f"{who} {i}\\n".encode())
    return f"{who} {i}"

def all_calls(work, me, calls):
    wrong = 0
    for i in range(calls):
        who = "shared" if i % 2 else me
        wrong += rms.value(work(who, i)) != f"{who} {i}"
    return wrong
"""

SCRIPT = """
from lab import *
if __name__ == "__main__":
    s = rms.open(Path("many.rms"))
    print(all_calls(s.pipe(work), sys.argv[1], int(sys.argv[2])))
    s.close()
    print(s.problems)
"""


@pytest.mark.soak
def test_kernels_and_scripts_on_one_store(tmp_path):
    Path("lab.py").write_text(WORK)
    Path("script.py").write_text(SCRIPT)
    kernels = [Kernel(tmp_path).__enter__() for _ in range(KERNELS)]
    for kernel in kernels:
        assert kernel.run("%load_ext rms_jupyter\nfrom lab import *").ok
        assert kernel.run("s = rms.open('many.rms')\npipe = s.pipe(work)").ok
    began = time.monotonic()
    scripts = [
        subprocess.Popen(
            [sys.executable, "script.py", f"script{n}", str(CALLS)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for n in range(SCRIPTS)
    ]
    asked = [kernel._client.execute(f"all_calls(pipe, 'kernel{n}', {CALLS})") for n, kernel in enumerate(kernels)]
    for script in scripts:
        assert script.communicate()[0].decode().split("\n")[:2] == ["0", "[]"]
    for kernel, message in zip(kernels, asked, strict=True):
        while (reply := kernel._client.get_shell_msg(timeout=3600))["parent_header"].get("msg_id") != message:
            pass
        assert reply["content"]["status"] == "ok", reply["content"]
        assert kernel.value("s.problems") == "[]"
    took = time.monotonic() - began
    for kernel in kernels:
        kernel.__exit__()
    lines = Path("trace").read_text().splitlines()
    expected = {f"shared {i}" for i in range(1, CALLS, 2)}
    names = [f"kernel{n}" for n in range(KERNELS)] + [f"script{n}" for n in range(SCRIPTS)]
    expected |= {f"{name} {i}" for name in names for i in range(0, CALLS, 2)}
    assert len(lines) == len(set(lines)), "computed twice"
    assert set(lines) == expected
    with rms.Session(tmp_path / "many.rms") as s:
        rows = s.sql("SELECT count(*), count(DISTINCT args), count(DISTINCT id) FROM tasks").fetchall()
        assert rows == [(len(expected),) * 3]
        assert s.problems == []
    print(f"{len(expected):,} tasks of {KERNELS + SCRIPTS} processes in {took:.1f} s")


def square(x):
    return x * x


@pytest.mark.parametrize("name", ["one.rms", "link?.rms"])
def test_sessions_of_one_process_on_one_store_take_turns_whatever_they_call_it(tmp_path, name):
    (tmp_path / "link?.rms").symlink_to(tmp_path / "one.rms")
    with rms.Session(tmp_path / "one.rms") as one, rms.Session(tmp_path / name) as other:

        def work(session, start):
            square_ = session.register_pipe(square)
            for x in range(start, start + 30):
                square_(x)
                session.sql("SELECT count(*) FROM tasks").fetchall()

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(work, (one, other, one, other), range(0, 400, 100)))
        assert one.sql("SELECT count(*) FROM tasks").fetchall() == [(120,)]
        assert one.problems == other.problems == []
    assert not list((tmp_path / "one.rms").glob("*damaged*"))
