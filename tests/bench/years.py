"""Five years of work in one store: 5,000,000 tasks and the files of a quarter of them; and 5,000 results on disk.

How long it takes to open it, to be answered, to ask, to make the database again, and to clear it out while another
kernel works. It takes minutes, and is run when it is asked for: ``python -m tests.bench years``.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

import rms_jupyter as rms
from tests.bench.million import double, fill, median
from tests.bench.report import report

CHAINS = int(os.environ.get("BENCH_CHAINS", "1_250_000"))
RESULTS = 5_000
HITS = 2_000


def ramp(n):
    """A result of 16 kB."""
    return np.arange(2000, dtype="f8") + n


def child(what: str, path: Path) -> list[float]:
    """Measure in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.years", what, str(path)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [float(word) for word in ran.stdout.split()]


def opened(path: str) -> None:
    """Open the store and answer calls; prints seconds until the first answer, and for each of many."""
    began = time.perf_counter()
    session = rms.open(path)
    pipe = session.register_pipe(double)
    assert pipe(21).task.hit
    first = time.perf_counter() - began
    began = time.perf_counter()
    for _ in range(HITS):
        pipe(21)
    print(first, (time.perf_counter() - began) / HITS)
    os._exit(0)


def rebuilt(path: str) -> None:
    """Make the database again; prints the seconds and the GB of memory that took."""
    for file in Path(path).glob("provenance.duckdb*"):
        file.unlink()
    began = time.perf_counter()
    with rms.open(path) as session:
        session.sql("SELECT count(*) FROM runs").fetchall()
        seconds = time.perf_counter() - began
    # Not of `resource`: that counts what the process was forked from, too.
    [peak] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(seconds, int(peak) / 1e6)


def cleared(path: Path) -> dict[str, Any]:
    """Keep results, then evict half of them while another session of this process is answered; gives seconds."""
    with rms.open(path) as session, rms.Session(path) as other:
        pipe = session.register_pipe(ramp)
        for n in range(RESULTS):
            pipe(n)
        asked, is_over = other.register_pipe(double), threading.Event()
        waited: list[float] = []

        def ask() -> None:
            while not is_over.wait(0.01):
                began = time.perf_counter()
                asked(21)
                waited.append(time.perf_counter() - began)

        thread = threading.Thread(target=ask)
        thread.start()
        began = time.perf_counter()
        plan = session.gc(items=RESULTS // 2, dry_run=True)
        looked = time.perf_counter() - began
        began = time.perf_counter()
        session.gc(items=RESULTS // 2)
        gone = time.perf_counter() - began
        began = time.perf_counter()
        session.gc(compact=True)
        compacted = time.perf_counter() - began
        is_over.set()
        thread.join()
        assert sum(row["results"] for row in plan) == RESULTS // 2
    return {"looked": looked, "gone": gone, "compacted": compacted, "waited": max(waited)}


def main() -> None:
    """Measure."""
    if len(sys.argv) > 1:
        {"open": opened, "rebuild": rebuilt}[sys.argv[1]](sys.argv[2])
        return
    path = Path(os.environ["BENCH"]) / "years.rms"
    began = time.perf_counter()
    ident = fill(path, CHAINS)
    made = time.perf_counter() - began
    with rms.open(path) as session:
        session.register_pipe(double)(21)
        [(count,)] = session.sql("SELECT count(*) FROM tasks").fetchall()
        ancestors = median(lambda: session.sql("SELECT * FROM ancestors(?)", [ident]).fetchall(), 3)
        lineage = median(lambda: session.lineage(ident).nodes, 3)
        words = median(lambda: session.tasks("peaks_77777", limit=100), 3)
    first, hit = (statistics.median(column) for column in zip(*(child("open", path) for _ in range(3)), strict=True))
    seconds, memory = child("rebuild", path)
    clear = cleared(path)
    report(
        [
            {"what": f"a store of {count:,} tasks: made", "here": f"{made:.0f} s"},
            {"what": "... open to first hit, in a new process", "here": f"{first * 1e3:.0f} ms", "bound": "≤ 1 s"},
            {"what": "... a hit", "here": f"{hit * 1e6:.0f} µs", "bound": "≤ 100 µs"},
            {"what": "... `s.lineage` of one result", "here": f"{lineage * 1e3:.0f} ms", "bound": "≤ 100 ms"},
            {"what": "... `ancestors()` of one result", "here": f"{ancestors * 1e3:.0f} ms", "bound": "≤ 500 ms"},
            {"what": "... words", "here": f"{words:.2f} s", "bound": "≤ 1 s"},
            {"what": "... the database made again", "here": f"{seconds:.0f} s, {memory:.2f} GB", "bound": "≤ 120 s, 1 GB"},
            {"what": f"... what would go of {RESULTS:,} results, and half of them evicted",
             "here": f"{clear['looked']:.1f} s, {clear['gone']:.1f} s"},
            {"what": "... the database made again beside it", "here": f"{clear['compacted']:.0f} s"},
            {"what": "... the longest that another was not answered meanwhile", "here": f"{clear['waited'] * 1e3:.0f} ms"},
        ]
    )  # fmt: skip


if __name__ == "__main__":
    main()
