"""The extension is there, and the kernel answers widgets, also while a cell runs."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

LOADED = "%load_ext rms_jupyter\n%rms open demo.rms"
BUSY = """
import time, pathlib
pathlib.Path("busy").touch()
until = time.monotonic() + 60
while not pathlib.Path("enough").exists() and time.monotonic() < until: pass
"""
CALLS = "%%rms\ndef double(x):\n    return 2 * x\n\ndouble(1)\n" + BUSY


@pytest.mark.smoke
def test_the_extension_is_loaded(lab):
    lab.open("1 + 1")
    assert lab.page.evaluate("window.jupyterapp.hasPlugin('rms-jupyter:kernels')")
    lab.run(0)
    expect(lab.output(0)).to_have_text(re.compile(r"2\s*$"))


def test_a_widget_is_answered_while_a_cell_runs_and_shows_lineages(lab):
    lab.open(LOADED, "%rms panel", CALLS)
    lab.run(0, 1)
    panel = lab.output(1)
    panel.get_by_text("none yet").first.wait_for()
    lab.run(2, wait=False)
    lab.until((lab.folder / "busy").exists, "the cell runs")
    panel.get_by_text("double").first.click()
    panel.get_by_role("button", name="lineage").first.click()
    box = panel.get_by_role("button", name=re.compile("^task double"))
    expect(box).to_have_attribute("aria-pressed", "true")
    expect(panel.get_by_role("region", name="Details")).to_contain_text("def double(x)")
    panel.get_by_role("button", name=re.compile("^value 2")).focus()
    lab.page.keyboard.press("f")
    expect(panel.get_by_role("group", name=re.compile("^Lineage of 2"))).to_be_visible()
    panel.locator(".rms-lineage").get_by_role("button", name="Back").click()
    expect(panel.get_by_role("group", name=re.compile("^Lineage of double"))).to_be_visible()
    assert not (lab.folder / "enough").exists()
    (lab.folder / "enough").touch()


def test_a_widget_whose_store_is_closed_says_what_to_do(lab):
    lab.open(LOADED, "%rms panel", "import rms_jupyter; rms_jupyter.current().close()")
    lab.run(0, 1, 2)
    lab.output(1).get_by_text("the store is not open in this kernel: %rms open").first.wait_for()
