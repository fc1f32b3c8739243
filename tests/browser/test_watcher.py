"""A run is seen while it moves, stopped while the kernel is busy, found again, and stays in the saved notebook."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.lab import Lab

SETUP = "%load_ext rms_jupyter\n%rms open demo.rms"
PIPES = """%%rms
import time
def align(read, ref="lambda.fa"):
    time.sleep(0.02)
    if read in (107, 118, 131):
        print("aligning", read)
        raise ValueError(f"No columns to parse from file s_{read}.bam")
    return read
def qc(bam):
    time.sleep(0.02)
    return bam
def merge(parts):
    return sum(parts)
"""
WARM = "%%rms run -j 2\nwarm = [align(i) for i in range(100)]"
RUN = """%%rms run -j 2
bams = [align(i) for i in range(2500)]
parts = [qc(b) for b in bams]
report = merge(parts[200:300])"""
BACKGROUND = "%%rms run -j 2 --background --name night\nnight = [qc(i) for i in range(4000)]"
COUNT = """node => { window.drawn = [];
  new MutationObserver(() => window.drawn.push(performance.now())).observe(node, {subtree: true, childList: true, characterData: true}) }"""


def ended(view):
    """How many tasks of a run have ended."""
    title = view.locator(".rms-title")
    expect(title).to_contain_text(re.compile(r"[\d,]+ of"))
    return int(re.search(r"([\d,]+) of", title.inner_text())[1].replace(",", ""))


@pytest.fixture
def busy(lab):
    """A run of 5,001 tasks that keeps the kernel busy, and its view."""
    lab.page.set_viewport_size({"width": 1280, "height": 800})
    lab.open(SETUP, PIPES, WARM, RUN)
    lab.run(0, 1, 2)
    lab.run(3, wait=False)
    view = lab.output(3).locator(".rms-run")
    view.locator(".rms-failure").first.wait_for()
    return view


def test_5000_tasks_are_watched_and_stopped_while_the_kernel_is_busy(lab, busy):
    before = ended(busy)
    busy.locator(".rms-title").evaluate(COUNT)
    lab.until(lambda: lab.page.evaluate("window.drawn.length") > 20, "it moves")
    assert ended(busy) > before
    drawn = lab.page.evaluate("window.drawn")
    assert all(later - earlier > 900 for earlier, later in zip(drawn, drawn[11:], strict=False))
    told = r"run 4\s*[\d,]+ of 5,001 · [123] failed · \d+/s · about .* left · 2 of 2 workers"
    expect(busy.locator(".rms-title")).to_have_text(re.compile(told))
    lab.scroll_to(lab.cell(3))
    for theme in ("light", "dark"):
        lab.theme(theme)
        assert lab.faults(busy) == []
        lab.picture("watcher" if theme == "light" else "watcher-dark", of=lab.cell(3))
    busy.get_by_role("button", name="Stop").click()
    lab.output(3).get_by_text("stopped by you").wait_for()
    stopped = lab.output(3).locator(".rms-run")
    assert "stopped · " in stopped.locator(".rms-title").inner_text() and ended(stopped) < 3000
    expect(stopped.get_by_role("button", name="Stop")).to_be_hidden()
    assert lab.faults(stopped) == []
    lab.picture("watcher-stopped", of=lab.cell(3))


def test_failures_are_read_and_their_commands_copied_while_it_runs(lab, busy):
    lab.until(lambda: "3 failed" in busy.locator(".rms-title").inner_text(), "three have failed")
    expect(busy.locator(".rms-failure")).to_have_count(3)
    expect(busy.get_by_role("button", name="All failures")).to_be_hidden()
    failure = busy.locator(".rms-failure").filter(has_text="align(118")
    failure.get_by_role("button", name="log").click()
    log = failure.get_by_label("log").last
    log.get_by_text("aligning 118").wait_for()
    assert "ValueError: No columns to parse from file s_118.bam" in log.inner_text()
    failure.get_by_role("button", name="rerun with debugger").click()
    failure.get_by_text("copied").wait_for()
    lab.copied(r"^%rms rerun t[0-9a-f]{7} --debug$")
    assert lab.faults(busy) == []
    lab.picture("watcher-failures", of=lab.cell(3))
    assert lab.page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets[3].model.executionCount") is None


def test_a_page_that_was_reloaded_during_a_run_shows_what_it_came_to(lab):
    lab.open(SETUP, PIPES, "%%rms run -j 2\nrs = [qc(i) for i in range(600)]")
    lab.run(0, 1)
    lab.run(2, wait=False)
    lab.output(2).locator(".rms-run").wait_for()
    lab.save()
    lab.open(kernel=False)
    lab.output(2).locator(".rms-run").get_by_text("done · 600 of 600").wait_for()
    drawn = lab.place(lab.output(2).locator(".rms-bar > [data-part='done']"))
    assert drawn["width"] > 100 and drawn["height"] == 6, "the bar is full, whatever the panel calls its own"


def test_a_run_in_the_background_is_found_again_after_the_tab_was_closed(lab):
    lab.open(SETUP, PIPES, BACKGROUND, "%rms watch", "%rms watch", "[night[0].content, night[-1].content]")
    lab.run(0, 1, 2)
    lab.output(2).locator(".rms-run").wait_for()
    lab.save()
    lab.close_tab()
    lab.open()
    lab.run(3)
    view = lab.output(3).locator(".rms-run")
    view.get_by_text("night").wait_for()
    before = ended(view)
    lab.until(lambda: ended(view) > before, "it moves")
    view.get_by_role("button", name="Stop").click()
    view.get_by_text("stopped · ").wait_for()
    lab.run(4)
    lab.output(4).get_by_text("nothing runs in this kernel").wait_for()


def test_the_saved_notebook_shows_the_end_without_its_kernel(lab):
    lab.open(SETUP, PIPES, "%%rms run -j 2\nrs = [align(i) for i in range(100, 140)]")
    lab.run(0, 1, 2)
    lab.output(2).get_by_text("failed · 40 of 40 · 3 failed").wait_for()
    lab.save()
    saved = json.loads((lab.folder / "work.ipynb").read_text())
    kept = saved["cells"][2]["outputs"][0]["data"]
    assert set(kept) == {"application/vnd.rms.run.v1+json", "text/html", "text/plain"}
    lab.page.evaluate("async () => await window.jupyterapp.serviceManager.sessions.shutdownAll()")
    lab.open()
    view = lab.output(2).locator(".rms-run")
    view.get_by_text("failed · 40 of 40 · 3 failed").wait_for()
    view.get_by_role("button", name="log").first.click()
    view.get_by_text("rms_jupyter is not loaded in this kernel").wait_for()
    lab.page.evaluate("async () => await window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    view.get_by_role("button", name="log").last.click()
    view.get_by_text("this notebook has no kernel").wait_for()


def test_the_html_that_stays_can_be_read_without_our_extension(lab):
    from nbconvert import HTMLExporter

    lab.open(SETUP, PIPES, WARM, "%%rms run -j 2\nrs = [align(i) for i in range(140)]\nqcs = [qc(b) for b in rs]")
    lab.run(0, 1, 2, 3)
    lab.save()
    exporter = HTMLExporter(require_js_url="", mathjax_url="")
    (lab.folder / "work.html").write_text(exporter.from_filename(str(lab.folder / "work.ipynb"))[0])
    lab.page.goto((lab.folder / "work.html").as_uri())
    shown = lab.page.locator(".jp-OutputArea-output").filter(has_text="run 4")
    text = shown.inner_text()
    assert "137 of 140" not in text and "100 hit · 37 done · 3 failed" in text
    assert re.search(r"%rms rerun t[0-9a-f]{7} --debug", text)
    lab.scroll_to(shown)
    lab.picture("watcher-html")


HOSTILE = """%%rms run -j 2
import rms_jupyter as rms
nasty = "<img src=x onerror='window.hacked=1'><button data-commandlinker-command='x'>\\x1b[31m\\u202egnp.exe" + "x" * 10_000_000
@rms.pipe
def bad(text):
    print(nasty)
    raise ValueError(nasty)
rs = [bad("<script>window.hacked=1</script>" + str(i)) for i in range(2)]
import time
time.sleep(0.5)"""


def test_hostile_text_is_text(lab):
    lab.open(SETUP, HOSTILE)
    lab.run(0, 1)
    view = lab.output(1).locator(".rms-run")
    view.get_by_text("<script>window.hacked=1</script>").first.wait_for()
    view.get_by_role("button", name="log").first.click()
    view.get_by_text("characters are not shown here").wait_for()
    assert "<img src=x" in view.inner_text() and len(view.inner_text()) < 200_000
    assert "\\u202egnp" in view.inner_text() and "\u202e" not in view.inner_text()
    assert view.locator("img, script, [data-commandlinker-command]").count() == 0
    assert lab.page.evaluate("window.hacked") is None
    lab.picture("watcher-hostile", of=lab.cell(1))


def test_in_the_notebook_7(browser, notebook_server):
    folder = notebook_server.root / "watcher"
    folder.mkdir()
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    lab = Lab(notebook_server, page, folder, "notebooks")
    lab.open(SETUP, PIPES, RUN)
    lab.run(0, 1)
    lab.run(2, wait=False)
    view = lab.output(2).locator(".rms-run")
    view.locator(".rms-failure").first.wait_for()
    before = ended(view)
    lab.until(lambda: ended(view) > before, "it moves")
    lab.picture("watcher-notebook-7")
    view.get_by_role("button", name="Stop").click()
    lab.output(2).get_by_text("stopped by you").wait_for()
    lab.output(2).get_by_text("stopped · ").wait_for()
    assert not lab.errors
    page.close()
