"""A check of 1,000 unchanged files of 1 MB, beside 1,000 plain stats of them; in turns, so that both see the same machine."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import rms_jupyter as rms
from tests.bench.report import report

FILES, ROUNDS = 1000, 15


def timed(work: Callable[[], object]) -> float:
    """Milliseconds that something takes."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3


def main() -> None:
    """Measure."""
    folder = Path(os.environ["BENCH"])
    paths = [str(folder / f"{number:04d}.bin") for number in range(FILES)]
    for path in paths:
        Path(path).write_bytes(os.urandom(1_000_000))
    time.sleep(0.1)
    with rms.open(folder / "check.rms") as session:
        for path in paths:
            session.register_file(path)
        stats, checks = [], []
        for _ in range(ROUNDS):
            stats.append(timed(lambda: [os.stat(path) for path in paths]))
            checks.append(timed(session.check))
        assert session.check().headline == f"{FILES:,} files, no problems"
    with rms.open(folder / "check.rms") as later:
        first = timed(later.check)
    ratio = statistics.median(check / stat for check, stat in zip(checks, stats, strict=True))
    here, beside = statistics.median(checks), statistics.median(stats)
    report(
        [
            {
                "what": f"a check of {FILES:,} unchanged files of 1 MB",
                "here": f"{here:.1f} ms",
                "beside": f"{FILES:,} × os.stat {beside:.1f} ms: {ratio:.1f} × that",
                "bound": "≤ 3 ×",
            },
            {"what": "the same, the first in a kernel", "here": f"{first:.1f} ms"},
        ]
    )


if __name__ == "__main__":
    main()
