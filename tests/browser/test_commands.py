"""The commands in the palette: lineage and reasons of a name, stale cells, stop, failures, the cell that made something."""

from __future__ import annotations

import pytest

from tests.browser.test_cells import RUN, edit, wait_for

LOADED = "%load_ext rms_jupyter\n%rms open demo.rms"
DEFINED = "%%rms\ndef late(delays):\n    return sorted(delays)\ndef most(delays):\n    return delays[-1]"
CALLED = "%%rms\ndelays = late([35, 10])"
USED = "%%rms\nworst = most(delays)"
NAMES = (
    "Lineage of the Name Under the Cursor",
    "Why the Name Under the Cursor Ran",
    "Run Stale Cells Only",
    "Stop the Run",
    "Show Failures",
    "Go to the Cell That Made the Name Under the Cursor",
    "Open Panel",
)


@pytest.fixture
def notebook(lab):
    lab.open(LOADED, DEFINED, CALLED, USED)
    lab.run(0, 1, 2, 3)
    wait_for(lab, 3, "current")
    return lab


def put_cursor(lab, index, word):
    """Put the cursor into a word of a cell."""
    lab.edit_mode(index)
    lab.page.evaluate(
        "([index, word]) => { const { editor, model } = window.jupyterapp.shell.currentWidget.content.widgets[index];"
        " editor.setCursorPosition(editor.getPositionAt(model.sharedModel.getSource().indexOf(word) + 1)) }",
        [index, word],
    )


def choose(lab, label):
    """Choose a command in the palette, with the keyboard."""
    lab.page.keyboard.press("Control+Shift+c")
    lab.page.locator(".lm-CommandPalette-input").fill(label)
    lab.page.locator(".lm-CommandPalette-item.lm-mod-active", has_text=label).wait_for()
    lab.page.keyboard.press("Enter")


def sources(lab):
    """The texts of all cells."""
    return lab.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.sharedModel.getSource())"
    )


def active(lab):
    """The index of the active cell."""
    return lab.page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex")


def test_all_commands_are_in_the_palette_under_rms(lab):
    lab.open("1 + 1")
    lab.page.keyboard.press("Control+Shift+c")
    lab.page.locator(".lm-CommandPalette-input").fill("rms")
    for name in NAMES:
        lab.page.locator(".lm-CommandPalette-item", has_text=f"rms: {name}").first.wait_for()
    lab.picture("commands-palette")


@pytest.mark.parametrize("label, magic, shown", [(NAMES[0], "lineage", "most"), (NAMES[1], "why", "worst")])
def test_a_question_about_a_name_is_asked_in_a_cell_below_that_can_be_undone(notebook, label, magic, shown):
    lab = notebook
    put_cursor(lab, 3, "worst")
    choose(lab, label)
    lab.output(4).get_by_text("most").locator("visible=true").first.wait_for()
    assert sources(lab)[4] == f"%rms {magic} worst" and active(lab) == 4 and len(sources(lab)) == 5
    lab.command("notebook:undo-cell-action")
    lab.until(lambda: len(sources(lab)) == 4, "it was undone")


def test_where_there_is_no_name_one_is_told_so(notebook):
    lab = notebook
    edit(lab, 3, "()")
    put_cursor(lab, 3, "()")
    choose(lab, NAMES[0])
    lab.page.get_by_text("there is no name under the cursor").first.wait_for()
    assert len(sources(lab)) == 4


def test_a_path_in_quotes_is_asked_for_as_it_is(notebook):
    lab = notebook
    edit(lab, 3, 'open("it\'s {odd}; $(touch hurt) <b>.txt")')
    put_cursor(lab, 3, "odd")
    choose(lab, NAMES[1])
    lab.output(4).get_by_text("odd").first.wait_for()
    assert not (lab.folder / "hurt").exists() and lab.output(4).locator("b").count() == 0


def test_stale_cells_only_are_run_and_what_follows_from_them(notebook):
    lab = notebook
    counts = "() => window.jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.executionCount)"
    assert lab.page.evaluate(counts) == [1, 2, 3, 4]
    choose(lab, NAMES[2])
    lab.page.get_by_text("no cell has changed since it ran").first.wait_for()
    edit(lab, 1, DEFINED.replace("sorted(delays)", "sorted(delays, reverse=True)"))
    wait_for(lab, 1, "stale")
    choose(lab, NAMES[2])
    lab.until(lambda: lab.page.evaluate(counts)[3] == 7, "the last cell ran")
    assert lab.page.evaluate(counts) == [1, 5, 6, 7]
    for index, state in {1: "defines", 2: "current", 3: "current"}.items():
        wait_for(lab, index, state)


def test_a_run_is_stopped_from_the_palette(lab):
    lab.open(LOADED, RUN.format(2))
    lab.run(0)
    lab.run(1, wait=False)
    lab.until((lab.folder / "begun").exists, "a task runs")
    choose(lab, NAMES[3])
    wait_for(lab, 1, "cancelled")
    choose(lab, NAMES[3])
    lab.page.get_by_text("this run is not going on").first.wait_for()


def test_failures_are_shown_below(notebook):
    lab = notebook
    edit(lab, 2, "%%rms\nlate([1, '<b>two</b>'])")
    lab.run(2)
    choose(lab, NAMES[4])
    lab.output(3).get_by_text("TypeError").first.wait_for()
    assert sources(lab)[3] == "%rms logs --failed" and lab.output(3).locator("b:has-text('two')").count() == 0


def test_one_goes_to_the_cell_that_made_a_name(notebook):
    lab = notebook
    put_cursor(lab, 3, "delays")
    choose(lab, NAMES[5])
    lab.until(lambda: active(lab) == 2, "the cell that made it")
    edit(lab, 3, "unknown_name = 1")
    put_cursor(lab, 3, "unknown_name")
    choose(lab, NAMES[5])
    lab.page.get_by_text("nothing is called 'unknown_name'").first.wait_for()


def test_one_goes_to_a_cell_from_a_lineage_and_from_the_panel(notebook):
    lab = notebook
    lab.command("notebook:insert-cell-below", 3)
    lab.until(lambda: lab.cell(4).count(), "there is another cell")
    edit(lab, 4, "%rms lineage worst")
    lab.run(4)
    lab.output(4).locator("svg text", has_text="late").first.click()
    lab.output(4).get_by_role("button", name="Go to cell").click()
    lab.until(lambda: active(lab) == 2, "the cell that called late")
    choose(lab, "Open Panel")
    side = lab.page.locator("#rms-jupyter-panel")
    side.get_by_text("most").first.click()
    side.get_by_role("button", name="Go to cell").click()
    lab.until(lambda: active(lab) == 3, "the cell that called most")


def test_one_goes_to_a_cell_of_another_notebook_by_id_and_by_number(notebook):
    lab = notebook
    other = lab.write("first = 1", "second = 2", name="other note.ipynb")
    import nbformat

    saved = nbformat.read(other, 4)
    saved.cells[1].execution_count = 17
    nbformat.write(saved, other)
    title = "() => window.jupyterapp.shell.currentWidget.title.label"
    lab.command("rms:go-to-cell", notebook=str(other), cell=saved.cells[1].id)
    lab.until(lambda: lab.page.evaluate(title) == "other note.ipynb" and active(lab) == 1, "the other notebook")
    lab.command("rms:go-to-cell", notebook=str(lab.folder / "work.ipynb"), cell=3)
    lab.until(lambda: lab.page.evaluate(title) == "work.ipynb" and active(lab) == 2, "back")
    lab.command("rms:go-to-cell", notebook=str(other), cell="gone", count=17)
    lab.until(lambda: lab.page.evaluate(title) == "other note.ipynb" and active(lab) == 1, "by its number")
    lab.command("rms:go-to-cell", notebook=str(lab.folder / "work.ipynb"), cell="gone")
    lab.page.get_by_text("the cell gone is not in").first.wait_for()
    lab.command("rms:go-to-cell", notebook="/elsewhere/<b>x</b>.ipynb", cell="gone")
    lab.page.get_by_text("/elsewhere/<b>x</b>.ipynb cannot be opened here").first.wait_for()


def test_the_panel_in_the_sidebar_is_filled_once_a_store_is_open(lab):
    lab.open(LOADED, DEFINED, CALLED)
    choose(lab, NAMES[6])
    side = lab.page.locator("#rms-jupyter-panel")
    side.get_by_text("rms_jupyter is not loaded in this kernel").first.wait_for()
    assert side.locator(":text('not loaded'):visible").count() == 1 and side.get_by_role("tab").count() == 0
    side.get_by_role("button", name="Look at the store").click()
    side.get_by_text("there is no store beside the notebook").first.wait_for()
    lab.run(0)
    side.locator(":text('Nothing has run yet: write %%rms above a cell'):visible").wait_for()
    lab.run(1, 2)
    side.get_by_text("late(").first.wait_for()
    lab.until(lambda: not side.locator(":text('not loaded'):visible").count(), "nothing is wrong any more")


@pytest.fixture
def autoload(lab):
    """Take back what a test has made of new kernels."""
    yield
    lab.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
        ".requestExecute({ code: '%load_ext rms_jupyter\\n%rms autoload --off' }).done"
    )


def test_a_button_loads_the_extension_here_and_in_every_kernel_from_then_on(lab, autoload):
    lab.open("1")
    choose(lab, NAMES[6])
    side = lab.page.locator("#rms-jupyter-panel")
    side.get_by_text("rms_jupyter is not loaded in this kernel").first.wait_for()
    lab.picture("sidebar-not-loaded")
    side.get_by_role("button", name="Load it in every notebook").click()
    side.get_by_text("Loaded here, and in each kernel that starts from now on.").wait_for()
    lab.until(lambda: not side.locator(":text('not loaded'):visible").count(), "it is loaded here")
    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    lab.until(lambda: not side.locator(":text('not loaded'):visible").count(), "a new kernel has loaded it")


@pytest.mark.parametrize("how", ["shutdown", "restartKernel"], ids=["no kernel", "nothing is loaded"])
def test_the_sidebar_shows_the_store_where_no_kernel_has_it_open(notebook, how):
    lab = notebook
    lab.page.evaluate("how => window.jupyterapp.shell.currentWidget.sessionContext[how]()", how)
    before = {path: path.stat().st_mtime_ns for path in (lab.folder / "demo.rms").rglob("*")}
    lab.command("rms:panel")
    side = lab.page.locator("#rms-jupyter-panel")
    side.get_by_role("button", name="Look at the store").click()
    side.get_by_text("late(").first.wait_for()
    assert {path: path.stat().st_mtime_ns for path in before} == before
    for theme in ("light", "dark"):
        lab.theme(theme)
        lab.picture(f"sidebar-alone-{theme}")
        assert not lab.faults(side)


def test_the_panel_stands_in_the_sidebar_and_follows_the_notebook_in_front(notebook):
    lab = notebook
    choose(lab, NAMES[6])
    side = lab.page.locator("#rms-jupyter-panel")
    side.get_by_text("late(").first.wait_for()
    for theme in ("light", "dark"):
        lab.theme(theme)
        lab.picture(f"sidebar-{theme}")
        assert not lab.faults(side)
    lab.write("1", name="other.ipynb")
    lab.command("docmanager:open", path=str((lab.folder / "other.ipynb").relative_to(lab.folder.parent)))
    side.get_by_text("rms_jupyter is not loaded in this kernel").first.wait_for()
    lab.page.locator(".lm-TabBar-tab", has_text="work.ipynb").click()
    side.get_by_text("late(").first.wait_for()
