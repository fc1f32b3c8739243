"""A tab that is closed in a run and opened again shows how the run stands, and what has become of it."""

from __future__ import annotations

import re

import pytest

SETUP = "%load_ext rms_jupyter\n%rms open demo.rms"
PIPES = """%%rms
import time
def qc(bam):
    time.sleep(0.02)
    if bam == 7:
        raise ValueError("no reads")
    return bam
"""
TASKS = 500
RUN = f"%%rms run -j 2\nrs = [qc(i) for i in range({TASKS})]"
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


@pytest.fixture(params=[the_browsers, the_notebooks])
def close(request):
    return request.param


def begin(lab, run):
    lab.open(SETUP, PIPES, run)
    lab.run(0, 1)
    lab.run(2, wait=False)
    lab.output(2).locator(".rms-run").wait_for()


def test_opened_in_the_run_it_shows_what_has_become_of_it_once_the_cell_has_ended(lab):
    """JupyterLab hears nothing of a kernel that was busy when it connected until its cell has ended."""
    begin(lab, RUN)
    the_browsers(lab)
    lab.open(kernel=False)
    lab.output(2).locator(".rms-run").get_by_text(ENDED).wait_for()
    assert "no reads" in lab.output(2).inner_text()


def test_opened_after_the_run_it_shows_what_has_become_of_it(lab, close):
    begin(lab, RUN)
    close(lab)
    lab.page.wait_for_timeout(TASKS * 20 / 2 + 5000)
    lab.open()
    view = lab.output(2).locator(".rms-run")
    view.get_by_text(ENDED).wait_for()
    view.get_by_role("button", name="log").first.click()
    view.get_by_text("ValueError: no reads").last.wait_for()


def test_a_run_in_the_background_is_live_again_where_it_was(lab, close):
    def ended():
        return int(re.search(r"([\d,]+) of", view.locator(".rms-title").inner_text())[1].replace(",", ""))

    begin(lab, BACKGROUND)
    close(lab)
    lab.open()
    view = lab.output(2).locator(".rms-run")
    view.get_by_role("button", name="Stop").wait_for()
    before = ended()
    lab.until(lambda: ended() > before, "it moves")
    view.get_by_role("button", name="Stop").click()
    view.get_by_text("stopped · ").wait_for()
