"""Each `%%rms` cell shows at its prompt how it stands, by colour and shape, in words, and with a way to stop it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

LOADED = "%load_ext rms_jupyter\n%rms open demo.rms"
DEFINED = "%%rms\ndef late(delay, cutoff=None):\n    return delay > (cutoff or CUTOFF)"
CALLED = "%%rms\nfound = late(35)"
PLAIN = "CUTOFF = 30"


@pytest.fixture
def notebook(lab):
    lab.open(LOADED, PLAIN, DEFINED, CALLED, "%%rms sql\nSELECT 1", "%%rms\nlate('<img src=x onerror=alert(1)>')")
    return lab


def mark(lab, index):
    """The mark of a cell."""
    return lab.cell(index).locator(".rms-cell-mark [role=img]")


def wait_for(lab, index, state, words=""):
    """Wait until a cell stands so."""
    marked = lab.cell(index).locator(f'.rms-cell-mark [data-status="{state}"]')
    marked.wait_for()
    expect(marked).to_have_attribute("aria-label", re.compile(".*" + re.escape(words)))


def edit(lab, index, source):
    """Put other text into a cell, as an editor does."""
    lab.page.evaluate(
        "([index, source]) => window.jupyterapp.shell.currentWidget.content.widgets[index].model.sharedModel.setSource(source)",
        [index, source],
    )


def test_states_come_and_go_as_cells_are_run_and_edited(notebook):
    lab = notebook
    wait_for(lab, 2, "unknown", "rms_jupyter is not loaded in this kernel")
    lab.run(0)
    wait_for(lab, 2, "never_run")
    wait_for(lab, 3, "never_run", "rms: never run")
    lab.run(1, 2, 3)
    wait_for(lab, 2, "defines", "rms: defines late; used by [4]")
    wait_for(lab, 3, "current", "ran as [4]")
    assert mark(lab, 0).count() == mark(lab, 1).count() == mark(lab, 4).count() == 0
    edit(lab, 2, DEFINED.replace(">", ">="))
    wait_for(lab, 2, "stale", "changed since it ran: late edited")
    wait_for(lab, 3, "current")
    lab.run(2)
    wait_for(lab, 2, "defines")
    wait_for(lab, 3, "stale", "changed since it ran: late: code_changed late")
    edit(lab, 2, DEFINED + "  # those that are late")
    edit(lab, 1, "CUTOFF = 40")
    lab.run(2, 1)
    wait_for(lab, 3, "stale", "late: input_changed CUTOFF 30 → 40")
    edit(lab, 3, "found = late(35)")
    mark(lab, 3).wait_for(state="detached")
    edit(lab, 3, CALLED)
    wait_for(lab, 3, "stale")


def test_a_failure_is_told_in_words_that_cannot_run(notebook):
    lab = notebook
    lab.run(0, 1, 2, 5)
    wait_for(lab, 5, "failed", "failed: TypeError")
    edit(lab, 5, "%%rms\nraise ValueError('<img src=x onerror=\"window.hurt = 1\"><b>bold</b>')")
    lab.run(5)
    wait_for(lab, 5, "failed", "<b>bold</b>")
    mark(lab, 5).hover()
    tip = lab.page.get_by_role("tooltip")
    expect(tip).to_contain_text("<b>bold</b>")
    assert tip.locator("b, img").count() == 0
    assert lab.page.evaluate("window.hurt") is None
    lab.page.mouse.move(900, 700)
    tip.wait_for(state="hidden")


def test_states_come_back_when_the_page_is_reloaded_and_when_the_kernel_is_restarted(notebook):
    lab = notebook
    lab.run(0, 1, 2, 3)
    edit(lab, 2, DEFINED.replace(">", ">="))
    wait_for(lab, 2, "stale")
    wait_for(lab, 3, "current")
    lab.save()
    lab.open()
    wait_for(lab, 2, "stale", "late edited")
    wait_for(lab, 3, "current", "ran as [4]")
    restart(lab)
    wait_for(lab, 3, "unknown", "not loaded")
    lab.run(0, wait=False)
    wait_for(lab, 3, "current", "ran as [4]")
    wait_for(lab, 2, "never_run")
    lab.run(1, 2, wait=False)
    wait_for(lab, 3, "stale", "code_changed late")


def restart(lab):
    """Restart the kernel; JupyterLab's debugger may complain that it was about to ask it something."""
    lab.page.evaluate(
        "async () => { await window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart() }"
    )
    lab.errors[:] = [error for error in lab.errors if "restore the debugger state" not in error]


RUN = """%%rms run -j {}
import pathlib, time
def nap(i):
    pathlib.Path("begun").touch()
    time.sleep(60)
rs = [nap(i) for i in range(4)]
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_is_stopped_at_its_cell_while_the_kernel_is_busy(lab, jobs):
    lab.open(LOADED, RUN.format(jobs), "%%rms\nlate = 1", "after = 1")
    lab.run(0)
    lab.run(1, 2, wait=False)
    wait_for(lab, 1, "running")
    wait_for(lab, 2, "waiting")
    assert lab.cell(2).get_by_role("button", name="Stop the run").count() == 0
    stop = lab.cell(1).get_by_role("button", name="Stop the run of this cell")
    lab.until((lab.folder / "begun").exists, "a task runs")
    stop.focus()
    lab.picture(f"cells-stop-{jobs}")
    lab.page.keyboard.press("Enter")
    wait_for(lab, 1, "cancelled", "4 cancelled")
    lab.output(1).get_by_text("PlanStopped").wait_for()
    expect(stop).to_be_hidden()
    lab.ended(1)  # What is asked of the kernel before that, it answers with the failure.
    lab.run(3)
    wait_for(lab, 2, "never_run")


def test_a_run_in_the_background_is_stopped_at_its_cell(lab):
    lab.open(LOADED, RUN.format("2 --background"), "1 + 1")
    lab.run(0, 1, 2)
    wait_for(lab, 1, "running")
    lab.cell(1).get_by_role("button", name="Stop the run of this cell").click()
    wait_for(lab, 1, "cancelled", "stopped by you; what has finished is kept")


def test_an_interrupted_cell_is_cancelled(lab):
    lab.open(LOADED, "%%rms\nimport pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(60)")
    lab.run(0)
    lab.run(1, wait=False)
    wait_for(lab, 1, "running")
    lab.until((lab.folder / "begun").exists, "the cell runs")
    lab.command("notebook:interrupt-kernel")
    wait_for(lab, 1, "cancelled", "KeyboardInterrupt")


def test_marks_in_both_themes_are_told_apart_and_accessible(notebook):
    lab = notebook
    for count, source in enumerate(("%%rms\nraise KeyboardInterrupt", RUN.format(2)), start=7):
        lab.command("notebook:insert-cell-below", 5)
        lab.until(lambda: lab.cell(count - 1).count(), "there is another cell")  # noqa: B023
        edit(lab, 6, source)
    lab.run(0, 1, 2, 3, 5, 7)
    edit(lab, 2, DEFINED.replace(">", ">="))
    lab.run(6, 4, wait=False)
    lab.command("notebook:run-cell", 3)
    wait_for(lab, 2, "stale")
    wait_for(lab, 3, "waiting")
    wait_for(lab, 7, "cancelled")
    for theme in ("light", "dark"):
        lab.theme(theme)
        lab.page.mouse.move(700, 60)
        wait_for(lab, 2, "stale")
        mark(lab, 2).hover()
        lab.page.get_by_role("tooltip").wait_for()
        lab.picture(f"cells-{theme}")
        for index in (2, 3, 5, 6, 7):
            assert not lab.faults(lab.cell(index).locator(".rms-cell-mark"))
    lab.cell(6).get_by_role("button", name="Stop the run of this cell").click()
    wait_for(lab, 6, "cancelled")


def test_the_active_cells_mark_is_reached_with_the_keyboard_and_explains_itself(notebook):
    lab = notebook
    lab.run(0, 1, 2)
    wait_for(lab, 2, "defines")
    lab.command("notebook:move-cursor-down", 1)
    lab.command("notebook:enter-command-mode", 2)
    lab.cell(2).focus()
    for _ in range(30):
        lab.page.keyboard.press("Tab")
        if lab.page.evaluate("document.activeElement.closest('.rms-cell-mark') !== null"):
            break
    assert lab.page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("rms: defines late")
    tip = lab.page.get_by_role("tooltip")
    expect(tip).to_contain_text("ran as [3]")
    lab.page.keyboard.press("Escape")
    tip.wait_for(state="hidden")
    assert mark(lab, 3).get_attribute("tabindex") == "-1"


def test_a_notebook_without_a_kernel_has_marks_that_say_so(lab):
    lab.write(DEFINED)
    lab.open(kernel=False)
    lab.page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown() }")
    wait_for(lab, 0, "unknown")


@pytest.mark.parametrize("mode", ["full", "contentVisibility", "defer", "none"])
def test_marks_are_there_in_every_windowing_mode(lab, mode):
    lab.open(LOADED, *[f"%%rms\nx{i} = {i}" for i in range(60)])
    lab.page.evaluate(
        "mode => { const { content } = window.jupyterapp.shell.currentWidget;"
        " content.notebookConfig = { ...content.notebookConfig, windowingMode: mode } }",
        mode,
    )
    lab.run(0, 1, 59)
    for index, state in ((1, "current"), (59, "current"), (30, "never_run")):
        lab.page.evaluate("index => window.jupyterapp.shell.currentWidget.content.scrollToItem(index, 'center')", index)
        found = lab.page.locator(f".jp-Cell[data-windowed-list-index='{index}'] .rms-cell-mark [data-status='{state}']")
        prompt = found.locator("xpath=ancestor::*[contains(@class,'jp-Cell')]").locator(".jp-InputPrompt")
        assert lab.place(found)["x"] < lab.place(prompt)["x"] + 20
