"""Digest of an 80 MB array beside joblib.hash."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import joblib
import numpy as np

from rms_jupyter.fingerprint.values import digest
from tests.bench.report import report


def seconds(function: Callable[[Any], Any], value: Any, times: int = 5) -> float:
    """Median time of a call."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        function(value)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main() -> None:
    """Measure."""
    array = np.random.default_rng(0).random(10_000_000)
    digest(array[:10])
    ours, theirs = seconds(digest, array), seconds(joblib.hash, array)
    beside = f"joblib.hash {theirs * 1e3:.0f} ms: {theirs / ours:.0f} × ours"
    report([{"what": "digest of an 80 MB array", "here": f"{ours * 1e3:.1f} ms", "beside": beside, "bound": "≥ 10 ×"}])


if __name__ == "__main__":
    main()
