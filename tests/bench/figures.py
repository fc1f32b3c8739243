"""Figures that calls make, saved by themselves, beside the same figures saved by hand: processor time, alternating."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import rms_jupyter as rms
from tests.bench.report import report

FIGURES, ROUNDS = 200, 5


def draw(n):
    """Draw one, as many do."""
    from matplotlib import pyplot

    pyplot.figure(figsize=(4, 3))
    pyplot.plot(range(n, n + 100))
    pyplot.title(f"number {n}")
    pyplot.xlabel("x")
    if BY_HAND:
        pyplot.savefig(FOLDER / f"draw-{n}.png", bbox_inches="tight")
    pyplot.close()
    return n


def seconds(by_hand: bool) -> float:
    """Make so many in a process of its own; gives its processor time."""
    command = [sys.executable, "-m", "tests.bench.figures", "by hand" if by_hand else "by itself"]
    out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return float(out.splitlines()[-1])


def main() -> None:
    """Measure."""
    pairs = [(seconds(True), seconds(False)) for _ in range(ROUNDS)]
    by_hand, by_itself = (statistics.median(side) for side in zip(*pairs, strict=True))
    more = statistics.median(own / hand for hand, own in pairs) - 1
    report(
        [
            {
                "what": f"{FIGURES} calls that make a figure each, saved as PNG by itself",
                "here": f"{by_itself / FIGURES * 1e3:.1f} ms a call",
                "beside": f"savefig in the function, no rms_jupyter: {by_hand / FIGURES * 1e3:.1f} ms; {more:+.0%}",
                "bound": "≤ 10 % more",
            }
        ]
    )


if __name__ == "__main__":
    if not sys.argv[1:]:
        main()
    else:
        import matplotlib

        matplotlib.use("agg")
        FOLDER = Path(os.environ["BENCH"])
        BY_HAND = sys.argv[1] == "by hand"
        if BY_HAND:
            began = time.process_time()
            for number in range(FIGURES):
                draw(number)
        else:
            session = rms.open(FOLDER / f"{time.time_ns()}.rms")
            session.save_figures(["png"])
            pipe = session.pipe(draw)
            began = time.process_time()
            for number in range(FIGURES):
                pipe(number)
            session.close()
            saved = len(list((session.path / "figures").glob("*.png")))
            assert saved == FIGURES, saved
        print(time.process_time() - began)
