"""A tab that is closed in a run and opened again shows how the run stands, and what has become of it."""

from __future__ import annotations

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser.test_watcher import ended

SETUP = """%load_ext rms_jupyter
%rms open demo.rms
def tell(ran):
    with open("ended", "a") as file: file.write(".")
get_ipython().events.register("post_run_cell", tell)
"""
PIPES = """%%rms
import time
def qc(bam):
    time.sleep(0.02)
    if bam == 7:
        raise ValueError("no reads")
    return bam
"""
TASKS = 900
RUN = f"%%rms run -j 2\nrs = [qc(i) for i in range({TASKS})]"
LONG_RUN = "%%rms run -j 2\nrs = [qc(i) for i in range(10, 9010)]"
BACKGROUND = "%%rms run -j 2 --background --name night\nnight = [qc(i) for i in range(10, 1510)]"
ENDED = f"failed · {TASKS} of {TASKS} · 1 failed"
CLOSE = """async () => {
    const panel = window.jupyterapp.shell.currentWidget;
    await panel.context.save();
    panel.close();
}"""


def the_browsers(lab):
    lab.save()
    lab.close_tab()


def the_notebooks(lab):
    lab.page.evaluate(CLOSE)
    lab.stay()


def cells_have_ended(lab):
    """Whether the kernel has ended all three cells, though no page hears of it."""
    return (lab.folder / "ended").read_text() == "..."


@pytest.fixture(params=[the_browsers, the_notebooks])
def close(request):
    return request.param


def begin(lab, run):
    lab.open(SETUP, PIPES, run)
    lab.run(0, 1)
    lab.run(2, wait=False)
    lab.output(2).locator(".rms-run").wait_for()


def saved(lab):
    """What stands under the run in the saved notebook, as text."""
    lab.save()
    outputs = nbformat.read(lab.folder / "work.ipynb", 4).cells[2].outputs
    return "\n".join(output["data"]["text/plain"] for output in outputs if "data" in output)


def test_opened_in_the_run_it_moves_while_the_cell_keeps_the_kernel_busy(lab, close):
    begin(lab, RUN)
    close(lab)
    lab.open(kernel=False)
    view = lab.output(2).locator(".rms-run")
    before = ended(view)
    lab.until(lambda: ended(view) > before, "it moves")
    assert not cells_have_ended(lab)
    view.get_by_text(ENDED).wait_for()
    expect(view).to_contain_text("no reads")
    lab.until(lambda: f"{TASKS} of {TASKS}: {TASKS - 1} done, 1 failed" in saved(lab), "the end is saved")


def test_opened_in_the_run_it_is_stopped_by_an_interrupt(lab):
    begin(lab, LONG_RUN)
    lab.save()
    lab.close_tab()
    lab.open(kernel=False)
    view = lab.output(2).locator(".rms-run")
    view.get_by_role("button", name="Stop").click()
    view.get_by_role("button", name="Interrupt the kernel").click()
    view.get_by_text("stopped · ").wait_for()
    lab.until(lambda: "cancelled" in saved(lab), "the end is saved")


def test_opened_after_the_run_it_shows_what_has_become_of_it(lab, close):
    begin(lab, RUN)
    close(lab)
    lab.until(lambda: cells_have_ended(lab), "the run ends")
    lab.open()
    view = lab.output(2).locator(".rms-run")
    view.get_by_text(ENDED).wait_for()
    view.get_by_role("button", name="log").first.click()
    view.get_by_text("ValueError: no reads").last.wait_for()
    lab.until(lambda: "first failure" in saved(lab), "the end is saved")


def test_of_a_kernel_that_is_gone_a_calm_line_is_left(lab):
    begin(lab, RUN)
    lab.save()
    lab.page.evaluate("async () => await window.jupyterapp.serviceManager.sessions.shutdownAll()")
    lab.close_tab()
    lab.open()
    lab.output(2).get_by_text("how it ended: %rms runs").wait_for()
    expect(lab.output(2).locator(".rms-run")).to_have_count(0)


def test_a_run_in_the_background_is_live_again_where_it_was(lab, close):
    begin(lab, BACKGROUND)
    close(lab)
    lab.open()
    view = lab.output(2).locator(".rms-run")
    view.get_by_role("button", name="Stop").wait_for()
    before = ended(view)
    lab.until(lambda: ended(view) > before, "it moves")
    view.get_by_role("button", name="Stop").click()
    view.get_by_text("stopped · ").wait_for()
    lab.until(lambda: "cancelled" in saved(lab), "the end is saved")
