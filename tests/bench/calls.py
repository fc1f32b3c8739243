"""10,000 tiny calls, cold and warm, beside joblib.Memory; in turns, so that both see the same machine."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

import joblib

import rms_jupyter as rms
from tests.bench.report import report

CALLS, ROUNDS = 10_000, 10


def add(i, j=2):
    """The tiny function."""
    return i + j


def main() -> None:
    """Measure."""
    folder = Path(os.environ["BENCH"])
    session = rms.open(folder / "calls.rms")
    ours = session.register_pipe(add)
    theirs = joblib.Memory(folder / "joblib", verbose=0).cache(add)
    ours(-1), theirs(-1)
    cold, warm = {"ours": [], "theirs": []}, {"ours": [], "theirs": []}
    size = CALLS // ROUNDS
    for into in (cold, warm):
        for block in range(ROUNDS):
            for name, function in (("ours", ours), ("theirs", theirs)):
                began = time.perf_counter()
                for i in range(block * size, (block + 1) * size):
                    function(i, 7)
                into[name].append((time.perf_counter() - began) / size * 1e6)
    session.close()
    files = [path for path in session.path.rglob("*") if path.is_file()]
    disk = sum(path.stat().st_size for path in files)
    rows = []
    for label, times in (("a cold call, recorded", cold), ("a warm hit", warm)):
        ratio = statistics.median(b / a for a, b in zip(times["ours"], times["theirs"], strict=True))
        mine, other = statistics.median(times["ours"]), statistics.median(times["theirs"])
        rows.append(
            {
                "what": label,
                "here": f"{mine:.1f} µs",
                "beside": f"joblib.Memory {other:.0f} µs: {ratio:.1f} × ours",
                "bound": "≥ 15 ×",
            }
        )
    rows.append({"what": "bytes on disk a tiny task, all files", "here": f"{disk / CALLS:.0f}", "bound": "< 300"})
    objects = sum(path.is_relative_to(session.path / "objects") for path in files)
    rows.append({"what": "files a tiny task", "here": f"{objects / CALLS:.0f} ({len(files)} in all)", "bound": "0"})
    report(rows)


if __name__ == "__main__":
    main()
