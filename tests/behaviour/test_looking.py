"""A store is looked at without the notebook's kernel."""

from __future__ import annotations

LOOK = "%load_ext rms_jupyter\nfrom rms_jupyter.panel.looking import look\nlook()"
OLDER = "import os, pathlib\nfor path in pathlib.Path('one.rms').rglob('*'):\n    os.utime(path, (1, 1))"


def test_of_the_stores_beside_the_notebook_the_last_one_is_looked_at(kernel):
    assert "no store beside the notebook" in kernel.run(LOOK).error
    assert kernel.run("import rms_jupyter as rms\n%rms open two.rms").ok
    assert kernel.run("%%rms\ndef double(n):\n    return 2 * n\ntwice = double(21)").ok
    assert kernel.run("%rms open one.rms\nrms.current().close(); rms.current().close()\n" + OLDER).ok
    kernel.run("os.utime('one.rms', (1, 1))")
    assert kernel.run(LOOK).ok
    assert "two.rms (read-only)" in kernel.run("print(rms.current())").text
    assert "double" in kernel.run("%rms tasks").shown
