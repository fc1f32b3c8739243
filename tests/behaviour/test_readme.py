"""The blocks of the README, and of each page of the documentation, run as they stand, one after the other, in one notebook."""

import re

import pytest

from tests.readme import README

BLOCK = re.compile(r"(?:<!-- raises (\w+) -->\n)?```python\n(.*?)```", re.S)
DOCS = README.parent / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if BLOCK.search(path.read_text()))


def run_blocks(kernel, text):
    shown = []
    for error, code in BLOCK.findall(text):
        ran = kernel.run(code)
        assert ran.ok != bool(error) and error in ran.error, f"{code}\n{ran.error}"
        shown.append(ran.shown)
    return "\n".join(shown)


def test_every_block_runs(kernel):
    assert len(BLOCK.findall(README.read_text())) >= 15
    text = run_blocks(kernel, README.read_text())
    assert "late ran" in text and "CUTOFF 30 → 40" in text and "27" in text
    assert kernel.value("len(rms.done(means)), table.task.hit") == "(27, False)"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_a_page_runs(kernel, page):
    kernel.run("import pathlib; pathlib.Path('raw').mkdir()")
    for first, path in enumerate(("flights.csv", "raw/01.csv", "raw/02.csv", "raw/03.csv")):
        rows = "".join(f"{carrier},{delay}\\n" for carrier in ("UA", "AA") for delay in range(first, 80, 7))
        kernel.run(f"pathlib.Path('{path}').write_text('carrier,arr_delay\\n{rows}')")
    text = run_blocks(kernel, page.read_text())
    expected = {"answers": "least 0 → 5, given to clean (3 calls)", "keeping": "brought back 1 task"}
    assert expected.get(page.stem, "") in text
