"""Nothing changes but the time, for every notebook of the corpus."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.corpus.compare import Comparison, report

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_it_gives_what_it_gives_plainly(notebook):
    found = list(Comparison(notebook).verdicts())
    account = "\n".join(line for verdict in found for line in report(verdict))
    assert all(verdict.is_same for verdict in found), f"\n{account}"
