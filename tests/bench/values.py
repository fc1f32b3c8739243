"""Results of everyday kinds and sizes beside joblib.Memory and diskcache: made, and answered in a new process; in turns."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diskcache
import joblib
import numpy as np
import pandas as pd

import rms_jupyter as rms
from tests.bench.report import report

ROUNDS = 5


def numbers(megabytes: int, seed: int) -> pd.DataFrame:
    """A frame of numbers that do not shrink."""
    return pd.DataFrame(np.random.default_rng(seed).random((megabytes << 14, 8)), columns=list("abcdefgh"))


def names(megabytes: int, seed: int) -> pd.DataFrame:
    """A frame of names and counts."""
    draw, rows = np.random.default_rng(seed), megabytes << 15
    known = np.array([f"sample {i:04d}" for i in range(500)])
    return pd.DataFrame({"name": known[draw.integers(0, 500, rows)], "n": draw.integers(0, 9, rows)})


def array(megabytes: int, seed: int) -> np.ndarray[Any, Any]:
    """An array."""
    return np.random.default_rng(seed).random(megabytes << 17)


def dicts(count: int, seed: int) -> list[dict[str, Any]]:
    """What comes out of a JSON file."""
    return [{"id": i, "name": f"n{seed} {i}", "values": [i, i + 0.5], "on": i % 2 == 0} for i in range(count)]


def paths(count: int, seed: int) -> list[str]:
    """A listing."""
    return [f"raw/run_{seed}_{i // 100:02d}/frame_{i:05d}.tif" for i in range(count)]


CASES: dict[str, tuple[Callable[[int, int], Any], int]] = {
    "a frame of numbers, 1 MB": (numbers, 1),
    "a frame of numbers, 100 MB": (numbers, 100),
    "a frame of names, 1 MB": (names, 1),
    "a frame of names, 25 MB": (names, 25),
    "an array, 80 MB": (array, 80),
    "10,000 dicts": (dicts, 10_000),
    "1,000 paths": (paths, 1000),
}


def measure(folder: Path) -> list[list[list[float]]]:
    """Call each case under each system, in turns; give milliseconds by case, system and round."""
    session = rms.open(folder / "ours.rms")
    memory, cache = joblib.Memory(folder / "joblib", verbose=0), diskcache.Cache(str(folder / "diskcache"))
    functions = {function for function, _ in CASES.values()}
    systems = [
        {function: session.register_pipe(function) for function in functions},
        {function: memory.cache(function) for function in functions},
        {function: cache.memoize()(function) for function in functions},
    ]
    for function in functions:
        for system in systems:
            system[function](1, ROUNDS)
    taken = [[[0.0] * ROUNDS for _ in systems] for _ in CASES]
    for seed in range(ROUNDS):
        for case, (function, size) in enumerate(CASES.values()):
            for number, system in enumerate(systems):
                began = time.perf_counter()
                system[function](size, seed)
                taken[case][number][seed] = (time.perf_counter() - began) * 1e3
    session.close()
    return taken


def main() -> None:
    """Measure."""
    folder = Path(os.environ["BENCH"])
    if sys.argv[1:] == ["again"]:
        print(json.dumps(measure(folder)))
        return
    cold = measure(folder)
    command = [sys.executable, "-m", "tests.bench.values", "again"]
    warm = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    rows = []
    for name, first, again in zip(CASES, cold, warm, strict=True):
        for what, times in ((name, first), (f"... {name}: answered in a new process", again)):
            ours, theirs, others = map(statistics.median, times)
            beside = f"joblib.Memory {theirs:.1f} ms, diskcache {others:.1f} ms"
            ratio = ours / min(theirs, others)
            rows.append(
                {"what": what, "here": f"{ours:.1f} ms: {ratio:.2f} × the faster", "beside": beside, "bound": "≤ 1.2 ×"}
            )
    report(rows)


if __name__ == "__main__":
    main()
