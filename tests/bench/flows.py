"""A flow of 100,000 tasks in three segments: built, run on two workers, answered by a new process, and one changed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import rms_jupyter as rms
from rms_jupyter.flows.flow_run import FlowRun
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
    """Run a flow; prints the seconds that it took to build its tasks, and in all, and how many ran."""
    session = rms.open(Path(os.environ["BENCH"]) / "flows.rms")
    spent = _timed(FlowRun)
    flow = session.flow("start -> middle -> end", segments={"middle": globals()[which]}).push(start=range(FIRST))
    began = time.perf_counter()
    counts = flow.run(n_jobs=2).counts
    seconds = time.perf_counter() - began
    assert sum(counts.values()) == TASKS and len(flow["end"]) == FIRST and flow["end"][-1] == 2 * FIRST - 1
    session.close()
    print(sum(spent), seconds, counts.get("done", 0))


def _timed(cls: type[FlowRun]) -> list[float]:
    """Note how long each step takes by which a flow grows."""
    spent: list[float] = []
    grow = cls._on_done

    def timed(self: FlowRun, place: int) -> None:
        began = time.perf_counter()
        grow(self, place)
        spent.append(time.perf_counter() - began)

    cls._on_done = timed  # type: ignore[method-assign]
    return spent


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
            {"what": "a flow of 100,000 tasks on two workers", "here": f"{cold:.1f} s", "beside": f"of that {built:.1f} s to build them", "bound": "built ≤ 5 s"},
            {"what": "... answered from the store by a new process", "here": f"{warm:.1f} s", "bound": "≤ 5 s"},
            {"what": "... with the middle segment changed", "here": f"{changed:.1f} s", "beside": f"{done:,} ran"},
        ]
    )  # fmt: skip


if __name__ == "__main__":
    main()
