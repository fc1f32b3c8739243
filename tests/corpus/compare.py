"""Does a notebook give with rms what it gives without?

``python -m tests.corpus.compare notebook.ipynb ... [--data FILE] [--way "%%rms"]``: each notebook is run plainly, with ``%%rms`` on
the cells that define functions, and with ``%%rms cell`` on all; each twice, the second time in a fresh kernel on the same
store; and compared cell by cell. No file beside the notebook is touched.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.corpus.differences import Difference, Rerun, changed_hits, differences, reruns
from tests.corpus.ways import WAYS, Bench

OTHER_WAYS = tuple(way for way in WAYS if way != "plain")
NEVER_SEEDED = ("variable (random)", "variable (numpy.random)")


@dataclass
class Verdict:
    """What a notebook gives in one way that it does not give plainly, and what ran again."""

    way: str
    differences: list[Difference]
    reruns: list[Rerun]

    @property
    def needless(self) -> list[Rerun]:
        """What ran again with no word of why it had to."""
        return [rerun for rerun in self.reruns if not rerun.is_said]

    @property
    def is_same(self) -> bool:
        """Whether nothing changed but the time."""
        return not self.differences and not self.needless


class Comparison:
    """A notebook and its plain runs; those that show what differs by itself are made only when something does.

    Parameters
    ----------
    notebook : Path
    data : sequence of Path
        Files and folders that it expects beside it.
    """

    def __init__(self, notebook: Path, data: Sequence[Path] = ()) -> None:
        self._bench = Bench(notebook, list(data))
        self._first, self._again = self._bench.run_twice("plain")
        self._twin_of_first, self._twin_of_again = self._again, self._first
        found = differences(self._bench.cells, self._again, self._first, self._first)
        if any(difference.where not in NEVER_SEEDED for difference in found):
            self._twin_of_first, self._twin_of_again = self._bench.run_twice("plain")

    def unsteady(self) -> list[Difference]:
        """Find what differs between plain runs."""
        found = differences(self._bench.cells, self._twin_of_first, self._first, self._first)
        return [difference for difference in found if difference.where not in NEVER_SEEDED]

    def verdicts(self, ways: Sequence[str] = OTHER_WAYS) -> Iterator[Verdict]:
        """Run the notebook in other ways, each twice, and compare with the plain runs."""
        cells = self._bench.cells
        for way in ways:
            first, again = self._bench.run_twice(way)
            yield Verdict(way, differences(cells, first, self._first, self._twin_of_first), [])
            found = differences(cells, again, self._again, self._twin_of_again)
            if way == "%%rms cell":
                found += changed_hits(cells, again, first)
            yield Verdict(f"{way}, again", found, reruns(cells, again))


def report(verdict: Verdict) -> Iterator[str]:
    """Word a verdict."""
    count = len(verdict.differences) + len(verdict.needless)
    yield f"  {verdict.way}: {'the same' if verdict.is_same else f'{count} differ'}"
    yield from (f"    {line}" for found in verdict.differences for line in str(found).splitlines())
    yield from (f"    {rerun}" for rerun in verdict.reruns)


def main() -> int:
    """Compare notebooks; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus.compare", description=__doc__.partition("\n")[0])
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--data", action="append", default=[], type=Path, help="lies beside the notebooks; repeatable")
    parser.add_argument("--way", action="append", choices=OTHER_WAYS, help="all by default; repeatable")
    parser.add_argument("--plain", action="store_true", help="only say what differs between plain runs")
    options = parser.parse_args()
    all_same = True
    for notebook in options.notebooks:
        print(notebook.name, flush=True)
        began = time.monotonic()
        comparison = Comparison(notebook, options.data)
        if unsteady := [found.where for found in comparison.unsteady()]:
            print(f"  plain runs differ in {', '.join(unsteady)}", flush=True)
        for verdict in () if options.plain else comparison.verdicts(options.way or OTHER_WAYS):
            print(*report(verdict), sep="\n", flush=True)
            all_same &= verdict.is_same
        print(f"  in {time.monotonic() - began:.0f} s", flush=True)
    return 0 if all_same else 1


if __name__ == "__main__":
    sys.exit(main())
