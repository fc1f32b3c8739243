"""A plan of 100,000 tiny tasks: run on two workers, and answered by a new process."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import rms_jupyter as rms
from tests.bench.report import report

TASKS = 100_000


def add(i, j=2):
    """The tiny function."""
    return i + j


def plan_and_run() -> tuple[float, float]:
    """Plan and run; gives seconds, and the largest size of this process in MB."""
    began = time.perf_counter()
    session = rms.open(Path(os.environ["BENCH"]) / "plans.rms")
    pipe = session.register_pipe(add)
    with session.plan() as plan:
        results = [pipe(i, 7) for i in range(TASKS)]
    plan.run(n_jobs=2)
    assert results[-1].content == TASKS + 6
    seconds = time.perf_counter() - began
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    session.close()
    return seconds, size


def main() -> None:
    """Measure."""
    if sys.argv[1:] == ["again"]:
        print(plan_and_run()[0])
        return
    began = time.perf_counter()
    for i in range(TASKS):
        add(i, 7)
    plain = time.perf_counter() - began
    seconds, size = plan_and_run()
    command = [sys.executable, "-m", "tests.bench.plans", "again"]
    began = time.perf_counter()
    inside = float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    whole = time.perf_counter() - began
    report(
        [
            {"what": "100,000 tiny tasks on two workers", "here": f"{seconds:.1f} s", "beside": f"the functions alone {plain:.2f} s", "bound": "≤ 10 s more"},
            {"what": "... answered from the store by a new process", "here": f"{inside:.1f} s", "beside": f"start and end included {whole:.1f} s", "bound": "≤ 3 s"},
            {"what": "... memory of the planning process", "here": f"{size:.0f} MB", "bound": "< 300 MB"},
        ]
    )  # fmt: skip


if __name__ == "__main__":
    main()
