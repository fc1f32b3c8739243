"""The panel: a store is looked through, by pointer and by keyboard, also while the kernel is busy."""

from __future__ import annotations

import re
import shutil

import pytest
from playwright.sync_api import expect

from tests.bench.million import fill
from tests.kernel import Kernel

SETUP = "%load_ext rms_jupyter\n%rms open demo.rms"
PIPES = """%%rms
import matplotlib.pyplot as plt, time
def sample(name, out):
    with open(out, "w") as file: file.write(name * 1000)
def align(reads, ref, k=15):
    time.sleep(0.001)
    print("aligning", reads)
    if k == 17 and "7" in reads: raise ValueError(f"No columns to parse from file {reads}.bam")
    return len(reads) * k
def plot(n, colour="tab:blue"):
    figure, axes = plt.subplots(figsize=(5, 3))
    axes.plot([i ** n for i in range(20)], color=colour)
    axes.set_title(f"power {n}")
    plt.close(figure)
    return figure
def nap(i):
    time.sleep(0.05)
    return i
"""
WORK = """for i in range(40): sample(f"s_{i}", f"reads_{i}.fq")
for i in range(6): plot(i)
None
"""
PLAN = (
    "%%rms run -j 2\nresults = [align(f'reads_{i % 40}.fq', 'lambda.fa', k) for i in range(40) for k in range(11, 19)]"
)
LONG = "%%rms run -j 2\nnaps = [nap(i) for i in range(2000)]"
TABS = ("Runs", "Lineage", "Tasks", "Files", "Figures", "Failures")


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A folder with a store of 366 tasks, 4 of them failed."""
    folder = tmp_path_factory.mktemp("filled")
    with Kernel(folder) as kernel:
        for cell in (SETUP, PIPES + WORK):
            assert kernel.run(cell).ok
        assert "4 failed" in kernel.run(PLAN).shown
    return folder


@pytest.fixture
def panel(lab, filled):
    """The panel of that store, in a copy."""
    shutil.copytree(filled, lab.folder, dirs_exist_ok=True)
    lab.page.set_viewport_size({"width": 1280, "height": 800})
    lab.open(SETUP, PIPES, "%rms panel", LONG)
    lab.run(0, 1, 2)
    panel = lab.output(2).locator(".rms-panel")
    panel.get_by_text("366 of 366").wait_for()
    lab.scroll_to(panel)
    return panel


def tab(panel, name):
    panel.get_by_role("tab", name=name).click()
    return panel.get_by_role("tabpanel", name=name)


def rows(view):
    return view.locator(".rms-grid-body > .rms-row")


def settled(lab, view):
    """The texts of the rows in view, once all are there."""
    seen = []
    expect(view.locator("[role=grid]:not([aria-busy])")).to_be_visible()

    def there():
        seen[:] = rows(view).all_inner_texts()
        return seen and not any("…" in text for text in seen)

    lab.until(there, "the rows in view are there")
    return [text for text in seen if text]


def test_every_view_can_be_seen_in_both_themes(lab, panel):
    lab.until(lambda: panel.get_by_role("tab", name="Failures").inner_text() == "Failures 4", "failures are counted")
    for theme in ("light", "dark"):
        lab.theme(theme)
        for name in TABS:
            view = tab(panel, name)
            if name in ("Tasks", "Failures"):
                rows(view).nth(2).click()
                view.get_by_role("button", name="Copy %rms show").wait_for()
                own = view.locator(".rms-own").nth(3)  # What tells a call from others is in sight.
                assert lab.place(own)["width"] > 30 and "reads_" in own.inner_text()
            if name == "Figures":
                view.locator("img").nth(3).wait_for()
            assert lab.faults(panel) == [], (theme, name)
            lab.picture(f"panel-{name.lower()}-{theme}", of=panel)
        tab(panel, "Tasks")
    lab.theme("light")
    lab.picture("panel", of=panel)


def test_words_narrow_and_headers_sort(lab, panel):
    view = tab(panel, "Tasks")
    view.get_by_role("searchbox").fill('align k":17 reads_7')
    view.get_by_text("1 of 366").wait_for()
    expect(rows(view).first).to_contain_text("ValueError: No columns to parse")
    view.get_by_role("searchbox").fill("align")
    view.get_by_text("320 of 366").wait_for()
    header = view.get_by_role("columnheader", name="took")
    for way in ("descending", "ascending"):
        header.get_by_role("button").click()
        expect(header).to_have_attribute("aria-sort", way)
    took = [row.split("\n")[-3].split(" ") for row in settled(lab, view)]
    seconds = [float(number) * {"µs": 1e-6, "ms": 1e-3, "s": 1}[unit] for number, unit in took]
    assert len(seconds) > 5 and seconds == sorted(seconds)


def test_a_row_s_details_lead_on(lab, panel):
    view = tab(panel, "Failures")
    rows(view).first.click()
    side = view.get_by_role("complementary", name="details")
    side.get_by_text(re.compile(r"ValueError: No columns to parse from file reads_\d*7.fq.bam")).first.wait_for()
    for command in ("logs", "rerun"):
        side.get_by_role("button", name=f"Copy %rms {command}").click()
        lab.copied(rf"^%rms {command} t[0-9a-f]+( --debug)?$")
    side.get_by_role("button", name="Lineage").click()
    drawn = panel.get_by_role("tabpanel", name="Lineage")
    drawn.get_by_role("button", name=re.compile("^task align")).first.wait_for()
    tab(panel, "Figures").get_by_role("button", name="lineage of plot(5").click()
    drawn.get_by_role("button", name=re.compile("^task plot")).first.wait_for()


def test_figures_are_found_by_sql_put_together_by_a_parameter_and_seen_side_by_side(lab, panel):
    view = tab(panel, "Figures")
    view.locator("img").nth(3).wait_for()
    search = view.get_by_role("searchbox")
    search.fill("WHERE task_id IN (SELECT task_id FROM params WHERE name = 'n' AND number > 3)")
    view.get_by_text("2 of 6").wait_for()
    search.fill("WHERE nonsense = 1")
    expect(view.get_by_role("status").first).to_contain_text("nonsense")
    search.fill("plot")
    view.get_by_text("6 of 6").wait_for()
    view.get_by_label("group figures by a parameter").select_option("n")
    expect(view.get_by_role("heading")).to_have_text([f"n = {n}" for n in range(6)])
    for n in (1, 4):
        view.get_by_role("checkbox", name=f"side by side: plot({n}").check()
        expect(view.get_by_role("checkbox", name=f"side by side: plot({n}")).to_be_focused()
    pair = view.get_by_role("group", name="side by side")
    expect(pair.locator("img")).to_have_count(2)
    expect(pair.locator(".rms-differs")).to_have_text("n14")
    for theme in ("light", "dark"):
        lab.theme(theme)
        assert lab.faults(panel) == [], theme
        lab.picture(f"panel-gallery-{theme}", of=panel)
    lab.theme("light")
    view.get_by_label("which figures").select_option("saved by %rms figures")
    view.get_by_text("none yet").wait_for()
    expect(pair).to_be_hidden()


def test_the_keyboard_alone_reaches_everything(lab, panel):
    keyboard = lab.page.keyboard
    panel.get_by_role("tab", name="Tasks").focus()
    keyboard.press("ArrowRight")
    view = panel.get_by_role("tabpanel", name="Files")
    view.get_by_text("40 of 40").wait_for()
    keyboard.press("Tab")
    keyboard.type("reads_1")
    view.get_by_text("11 of 40").wait_for()
    for column in ("", "file", "made by", "status", "size"):  # The first is the grid itself.
        keyboard.press("Tab")
        focused = lab.page.evaluate("document.activeElement.textContent")
        assert column in focused, focused
    keyboard.press("Enter")
    expect(view.get_by_role("columnheader", name="size")).to_have_attribute("aria-sort", "descending")
    view.get_by_role("grid").focus()
    keyboard.press("End")
    keyboard.press("ArrowUp")
    keyboard.press("Enter")
    view.get_by_role("complementary").get_by_text("made by").wait_for()
    expect(rows(view).nth(9)).to_have_attribute("aria-selected", "true")
    view.get_by_role("button", name="Close details").focus()
    keyboard.press("Escape")
    expect(view.get_by_role("complementary")).to_be_hidden()
    expect(view.get_by_role("grid")).to_be_focused()
    keyboard.press("Enter")
    expect(view.get_by_role("complementary")).to_be_visible()
    keyboard.press("Escape")
    expect(view.get_by_role("complementary")).to_be_hidden()
    assert lab.page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length") == 4


def test_a_row_that_is_chosen_before_it_is_there_opens_once_it_is(lab, panel):
    view = tab(panel, "Files")
    view.get_by_text("40 of 40").wait_for()
    size = view.get_by_role("columnheader", name="size").get_by_role("button")
    size.evaluate(
        """(button, keys) => {
            const grid = button.closest("[role=grid]");
            button.click();
            keys.forEach(key => grid.dispatchEvent(new KeyboardEvent("keydown", { key })));
        }""",
        ["End", "ArrowUp", "Enter"],
    )
    view.get_by_role("complementary").get_by_text("made by").wait_for()
    expect(view.locator("[aria-selected='true']")).to_have_attribute("aria-rowindex", "40")


def test_a_run_is_seen_and_stopped_in_the_panel_while_the_kernel_is_busy(lab, panel):
    lab.run(3, wait=False)
    view = tab(panel, "Runs")
    going = view.locator(".rms-run")
    going.get_by_text("of 2,000").wait_for()
    tab(panel, "Tasks")
    lab.until(lambda: "366 of 366" not in panel.inner_text(), "the table follows")
    tab(panel, "Runs")
    lab.picture("panel-going", of=panel)
    going.get_by_role("button", name="Lineage").click()
    going.get_by_role("button", name=re.compile("^task nap")).first.wait_for()
    going.get_by_role("button", name="Stop").click()
    lab.output(3).get_by_text("PlanStopped").wait_for()
    lab.until(lambda: going.count() == 0, "it is gone from what goes on")
    rows(view).first.get_by_text("work.ipynb [4]").wait_for()


def test_hostile_text_is_text(lab):
    hostile = """%%rms
def bad(text, out):
    with open(out, "w") as file: file.write(text)
def fail(text):
    print(text)
    raise ValueError(text)
nasty = "<img src=x onerror='window.hacked=1'><b data-commandlinker-command='x'>\\x1b[31m\\u202egnp.exe"
bad(nasty, "<img src=x onerror='window.hacked=1'>\\u202egnp.exe")
try: fail(nasty + "x" * 10_000_000)
except ValueError: print("failed")
"""
    lab.open(SETUP, hostile, "%rms panel")
    lab.run(0, 1, 2)
    panel = lab.output(2).locator(".rms-panel")
    for name in ("Tasks", "Files", "Failures"):
        view = tab(panel, name)
        rows(view).first.click()
        expect(view.get_by_role("complementary")).to_contain_text("<img src=x")
        assert panel.locator("img, script, [data-commandlinker-command]").count() == 0
        assert "\\u202egnp.exe" in view.inner_text() and "\u202e" not in view.inner_text()
        assert len(view.inner_text()) < 200_000
        lab.picture(f"panel-hostile-{name.lower()}", of=panel)
    assert lab.page.evaluate("window.hacked") is None


@pytest.fixture(scope="module")
def million(tmp_path_factory):
    """A store of 1,000,000 tasks."""
    path = tmp_path_factory.mktemp("million") / "million.rms"
    fill(path)
    return path


@pytest.fixture
def tasks(lab, million):
    """The view of 1,000,000 tasks."""
    lab.open(f"%load_ext rms_jupyter\n%rms open {million}", "%rms panel")
    lab.run(0, 1)
    panel = lab.output(1).locator(".rms-panel")
    panel.get_by_text("1,000,000 of 1,000,000").wait_for()
    return tab(panel, "Tasks")


def test_a_million_tasks_are_read_at_any_place(lab, tasks):
    view, count = tasks, 1_000_000
    grid = view.get_by_role("grid")
    expect(grid).to_have_attribute("aria-rowcount", str(count + 1))
    first = settled(lab, view)
    assert f"peaks_{count // 4 - 1}.bed" in first[0] and len(first) < 30
    seen = [first[0]]

    def place():
        return int(rows(view).first.get_attribute("aria-rowindex"))

    for part in (0.25, 0.5, 0.75):
        grid.evaluate("(grid, part) => grid.scrollTop = part * grid.scrollHeight", part)
        lab.until(lambda: abs(place() / count - part) < 0.01, "it has scrolled")  # noqa: B023
        texts = settled(lab, view)
        assert texts[0] not in seen and len(texts) < 30
        seen.append(texts[0])
    grid.focus()
    lab.page.keyboard.press("End")
    chosen = view.locator("[aria-selected='true']")
    expect(chosen).to_have_attribute("aria-rowindex", str(count + 1))
    assert "input0.fq" in settled(lab, view)[-1]
    for _ in range(3):
        lab.page.keyboard.press("ArrowUp")
    expect(chosen).to_have_attribute("aria-rowindex", str(count - 2))
    view.get_by_role("columnheader", name="call").get_by_role("button").click()
    lab.until(lambda: settled(lab, view)[0].startswith("load"), "it is sorted by pipe")
    view.get_by_role("searchbox").fill("peaks_1234")
    found = sum(str(n).startswith("1234") for n in range(count // 4))
    view.get_by_text(f"{found:,} of {count:,}").wait_for()


def test_pages_come_fast_while_one_scrolls(lab, tasks):
    """A page of a hundred rows is there a moment after one has scrolled to it; see `tests.bench` for the measure."""
    grid = tasks.get_by_role("grid")
    settled(lab, tasks)
    for step in range(1, 15):
        grid.evaluate("(grid, step) => grid.scrollTop = step / 15 * grid.scrollHeight", step)
        lab.page.wait_for_timeout(30)
    texts = settled(lab, tasks)
    assert all(texts) and len(set(texts)) == len(texts)
    assert lab.faults(tasks) == []


def test_a_panel_of_a_closed_store_says_what_to_do_and_finds_it_again(lab):
    lab.open(SETUP, "%rms panel", "import rms_jupyter; rms_jupyter.current().close()", "%rms open demo.rms")
    lab.run(0, 1, 2)
    panel = lab.output(1).locator(".rms-panel")
    told = panel.get_by_text(re.compile("the store is not open in this kernel: %rms open .*demo.rms")).first
    told.wait_for()
    lab.run(3)
    told.wait_for(state="hidden")


def test_the_saved_notebook_names_what_the_panel_showed(lab):
    import nbformat

    lab.open(SETUP, "%rms panel")
    lab.run(0, 1)
    panel = lab.output(1).locator(".rms-panel")
    for name in ("Runs", "Tasks", "Files", "Figures", "Failures"):
        tab(panel, name).get_by_text("none yet").wait_for()
    lab.save()
    [output] = nbformat.read(lab.folder / "work.ipynb", 4).cells[1].outputs
    assert "0 tasks, 0 failed, 0 files" in output["data"]["text/plain"]
    assert "to look through them: %rms panel" in output["data"]["text/html"]
