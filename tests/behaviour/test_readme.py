"""The README's blocks run as they stand, one after the other, in one notebook."""

import re

from tests.readme import README

BLOCK = re.compile(r"(?:<!-- raises (\w+) -->\n)?```python\n(.*?)```", re.S)


def test_every_block_runs(kernel):
    blocks = BLOCK.findall(README.read_text())
    assert len(blocks) >= 15
    shown = []
    for error, code in blocks:
        ran = kernel.run(code)
        assert ran.ok != bool(error) and error in ran.error, f"{code}\n{ran.error}"
        shown.append(ran.shown)
    text = "\n".join(shown)
    assert "late ran" in text and "CUTOFF 30 → 40" in text and "27" in text
    assert kernel.value("len(rms.done(means)), table.task.hit") == "(27, False)"
