"""A flow of 100,000 tasks in three segments: built, run on two workers, answered by a new process, and one changed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import rms_jupyter as rms
from tests.bench.report import report

FIRST, TASKS = 33_333, 99_999


def start(pushed):
    """Give one number."""
    return pushed


def middle(start):
    """Work on it."""
    return start * 2


def changed_middle(start):
    """Work on it in another way."""
    return start * 3 - start


def end(middle):
    """Work on that."""
    return middle + 1


def build_and_run(which: str) -> None:
    """Build a flow and run it; prints the seconds of both, and the counts."""
    session = rms.open(Path(os.environ["BENCH"]) / "flows.rms")
    began = time.perf_counter()
    flow = session.flow("start -> middle -> end", segments={"middle": globals()[which]}).push(start=range(FIRST))
    built = time.perf_counter() - began
    counts = flow.run(n_jobs=2).counts
    seconds = time.perf_counter() - began
    assert sum(counts.values()) == TASKS and len(flow["end"]) == FIRST and flow["end"][-1] == 2 * FIRST - 1
    session.close()
    print(built, seconds, counts.get("done", 0))


def apart(which: str) -> tuple[float, float, int]:
    """Do it in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.flows", which]
    out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    built, seconds, done = out.splitlines()[-1].split()
    return float(built), float(seconds), int(done)


def main() -> None:
    """Measure."""
    if sys.argv[1:]:
        build_and_run(sys.argv[1])
        return
    built, cold, done = apart("middle")
    assert done == TASKS
    _, warm, done = apart("middle")
    assert done == 0
    _, changed, done = apart("changed_middle")
    assert done == FIRST  # Its results are the same, so nothing follows.
    report(
        [
            {"what": "a flow of 100,000 tasks on two workers", "here": f"{cold:.1f} s", "beside": f"built {built * 1e3:.0f} ms", "bound": "built ≤ 5 s"},
            {"what": "... answered from the store by a new process", "here": f"{warm:.1f} s", "bound": "≤ 5 s"},
            {"what": "... with the middle segment changed", "here": f"{changed:.1f} s", "beside": f"{done:,} ran"},
        ]
    )  # fmt: skip


if __name__ == "__main__":
    main()
