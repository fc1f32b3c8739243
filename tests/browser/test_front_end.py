"""The extension is there, and the kernel answers it, also while a cell runs."""

LOADED = "%load_ext rms_jupyter\n%rms open demo.rms"
BUSY = """
import time, pathlib
pathlib.Path("busy").touch()
until = time.monotonic() + 60
while not pathlib.Path("enough").exists() and time.monotonic() < until: pass
"""
PANEL = """
from rms_jupyter.panel.panel import Panel
Panel()
"""


def test_the_extension_is_loaded(lab):
    lab.open("1 + 1")
    assert lab.page.evaluate("window.jupyterapp.hasPlugin('rms-jupyter:kernels')")
    lab.run(0)
    assert lab.output(0).inner_text().strip().endswith("2")


def test_a_widget_is_answered_while_a_cell_runs(lab):
    calls = "%%rms\ndef double(x):\n    return 2 * x\n\ndouble(1)\n" + BUSY
    lab.open(LOADED, PANEL, calls)
    lab.run(0, 1)
    line = lab.output(1).get_by_role("status")
    line.get_by_text("0 tasks, 0 failed").wait_for()
    lab.run(2, wait=False)
    lab.until((lab.folder / "busy").exists, "the cell runs")
    lab.output(1).get_by_role("button", name="Refresh").click()
    line.get_by_text("1 tasks, 0 failed").wait_for()
    assert not (lab.folder / "enough").exists()
    assert lab.page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets[2].model.executionCount") is None
    (lab.folder / "enough").touch()


def test_a_widget_whose_store_is_closed_says_what_to_do(lab):
    lab.open(LOADED, PANEL, "import rms_jupyter; rms_jupyter.current().close()")
    lab.run(0, 1, 2)
    lab.output(1).get_by_role("button", name="Refresh").click()
    lab.output(1).get_by_text("the store is not open in this kernel: %rms open").wait_for()
