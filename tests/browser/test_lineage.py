"""The lineage view in JupyterLab: seen, opened, searched, read, and found again in a saved notebook."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import expect

from tests.browser.lab import Lab
from tests.graphs import samples

OPEN = "%load_ext rms_jupyter\n%rms open study.rms"
NEWER = '''%%rms
def align(reads, ref, k=15):
    """Align reads."""
    return run(["bwa", "mem", "-k", k, "-M", reads, ref])
'''
BUSY = """
import time, pathlib
pathlib.Path("busy").touch()
until = time.monotonic() + 60
while not pathlib.Path("enough").exists() and time.monotonic() < until: pass
"""


class View:
    """The lineage view in the output of a cell."""

    def __init__(self, lab: Lab, cell: int) -> None:
        self.lab, self.page = lab, lab.page
        self.node = lab.output(cell).locator(".rms-lineage")
        self.search = self.node.get_by_role("searchbox", name="Search the graph")
        self.side = self.node.get_by_role("region", name="Details")
        self.count = self.node.locator(".rms-found")
        self.node.locator(".rms-node").first.wait_for()

    def box(self, name: str):
        """A box by the beginning of its name, without its kind."""
        return self.node.get_by_role("button", name=re.compile(rf"^(task|file|value|given) {re.escape(name)}"))

    def press(self, name: str, *keys: str) -> None:
        """Move to a box and press keys."""
        self.box(name).focus()
        for key in keys:
            self.page.keyboard.press(key)

    def button(self, name: str):
        """A button of the toolbar or the details."""
        return self.node.get_by_role("button", name=name, exact=True)

    def find(self, text: str, says: str) -> None:
        """Search, and wait for what is said of it."""
        self.search.fill(text)
        expect(self.count).to_have_text(says)


@pytest.fixture
def study(lab):
    """A lineage of 400 samples on the screen; `align` has other code now."""
    root = samples(lab.folder / "study.rms", 400)
    lab.open(OPEN, NEWER, f"%rms lineage {root}", BUSY)
    lab.run(0, 1, 2)
    return View(lab, 2)


def test_it_opens_with_what_was_asked_and_where_it_came_from_in_sight_and_large_enough_to_read(study):
    frame = study.lab.place(study.node.locator(".rms-canvas"))
    for drawn in study.node.locator(".rms-node").all():
        box = study.lab.place(drawn)
        assert frame["x"] <= box["x"] and box["x"] + box["width"] <= frame["x"] + frame["width"]
        assert frame["y"] <= box["y"] and box["y"] + box["height"] <= frame["y"] + frame["height"]
    [scale] = re.findall(r"scale\((.+)\)", study.node.locator(".rms-world").get_attribute("transform"))
    sizes = study.node.locator("text").evaluate_all(
        "all => all.map(text => parseFloat(getComputedStyle(text).fontSize))"
    )
    assert min(sizes) * float(scale) >= 10


def test_a_box_tells_its_code_what_changed_and_how_to_ask_for_it(study):
    study.press("align ×400", "Enter")
    expect(study.box("align ×400")).to_have_attribute("aria-pressed", "true")
    expect(study.side).to_contain_text("stale")
    expect(study.side).to_contain_text("align.ipynb [12]")
    expect(study.side.locator(".rms-added")).to_contain_text('"-M"')
    study.side.get_by_text("Code").click()
    expect(study.side.locator(".rms-keyword").first).to_have_text("def")
    study.side.get_by_text("SQL").click()
    study.button("Copy SQL").click()
    study.lab.copied("pipe = 'align'")
    study.button("Copy as SQL").click()
    expect(study.node.locator(".rms-says")).to_have_text("Copied")
    study.lab.copied(r"FROM ancestors\(")
    study.button("Copy as text").click()
    study.lab.copied(r"└─ plot\(")
    expect(study.node.locator(".rms-says")).to_have_text("Copied")
    study.side.get_by_text("Made from (2)").click()
    study.side.get_by_role("button", name="/data/lambda.fa").click()
    expect(study.side.get_by_role("heading")).to_have_text("/data/lambda.fa")


def test_boxes_are_opened_and_folded(study):
    study.press("align ×400", "+")
    expect(study.box("align ×392")).to_be_visible()
    expect(study.box("reads_3.fq.gz")).to_be_attached()
    expect(study.node.locator(".rms-node")).to_have_count(10 + 5 * 8)
    study.press("merge", "-")
    expect(study.box("merge, 9.0 s, 46 boxes folded")).to_be_focused()
    expect(study.box("align")).to_have_count(0)
    study.page.keyboard.press("+")
    expect(study.box("align ×392")).to_be_attached()
    study.box("merge").locator("xpath=..").get_by_text("−").dispatch_event("click")
    expect(study.box("align")).to_have_count(0)
    study.box("merge").locator("xpath=..").get_by_text("+46").dispatch_event("click")
    expect(study.box("align ×392")).to_be_attached()
    study.button("Up").click()
    expect(study.box("figure.png")).to_be_visible()
    expect(study.node.locator(".rms-node")).to_have_count(1)


def test_the_whole_graph_is_searched_also_while_a_cell_runs(study):
    study.lab.run(3, wait=False)
    study.lab.until((study.lab.folder / "busy").exists, "the cell runs")
    study.find("pipe:align k=15", "400 of 400 shown")
    expect(study.node.locator(".rms-place.rms-hit")).to_have_count(1)
    study.find("s_77.bam", "2 of 2 shown")
    study.search.press("ArrowDown")
    study.page.keyboard.press("ArrowDown")
    study.page.keyboard.press("Enter")
    expect(study.box("s_77.bam")).to_be_focused()
    expect(study.side.get_by_role("heading")).to_have_text("/data/s_77.bam")
    expect(study.box("reads_77.fq.gz")).to_be_attached()
    study.find("status:failed", "0 of 3 shown")
    study.node.get_by_role("button", name="failed align(").first.click()
    expect(study.box("align, k=31 · 500 ms, failed")).to_be_focused()
    expect(study.side).to_contain_text("No columns to parse from file")
    study.button("Back").click()
    expect(study.box("figure.png")).to_be_attached()
    study.find("where path LIKE '%reads_12%'", "11 of 11 shown")
    study.find("where nonsense = 1", 'SQL: Binder Error: Referenced column "nonsense" not found in FROM clause!')
    assert not (study.lab.folder / "enough").exists()
    (study.lab.folder / "enough").touch()


def test_what_was_found_is_said_where_taken_out_and_shown_alone(study):
    study.find("s_77.bam", "2 of 2 shown")
    hits = study.node.get_by_role("list", name="Found").get_by_role("button")
    expect(hits.filter(has_text="/data/s_77.bam 48 MB")).to_contain_text("in s_*.bam ×400")
    expect(hits.filter(has_text="qc(")).to_contain_text("in qc ×400")
    study.button("Take out").click()
    expect(hits.filter(has_text="qc(")).to_contain_text("drawn")
    expect(study.box("s_77.bam")).to_be_attached()
    expect(study.button("Take out")).to_be_hidden()
    study.button("Only these").click()
    expect(study.node.locator(".rms-node")).to_have_count(7)
    assert not study.box("reads_77.fq.gz").count() and not study.box("align ×399").count()
    study.find("pipe:plot", "2 of 2 shown")
    expect(study.node.locator(".rms-node")).to_have_count(2)
    study.press("plot", "Enter")
    study.side.get_by_text("Made from (1)").click()
    study.side.locator("ul").get_by_role("button").first.click()
    expect(study.box("DataFrame, 1,000 rows × 4 columns").last).to_be_focused()
    expect(study.button("Only these")).to_have_attribute("aria-pressed", "false")
    expect(study.box("align ×399")).to_be_attached()
    study.press("qc ×399", "Enter")
    study.side.get_by_role("button", name="slowest:8").click()
    expect(study.search).to_have_value("pipe:qc slowest:8")
    expect(study.count).to_have_text("8 of 8 shown")
    study.button("Take out").click()
    expect(study.box("qc ×391")).to_be_attached()
    study.find("status:failed", "0 of 3 shown")
    expect(hits.first).to_contain_text("not drawn")
    study.search.press("Enter")
    expect(study.box("align, k=31 · 500 ms, failed")).to_be_focused()


def test_the_keyboard_alone_reaches_everything(study):
    study.search.focus()
    reached = []
    for _ in range(8):
        study.page.keyboard.press("Tab")
        reached.append(study.page.evaluate("document.activeElement.ariaLabel || document.activeElement.textContent"))
    assert reached[:5] == ["Up", "Down", "Copy as SQL", "Copy as text", "SVG"]
    assert reached[5].startswith("file figure.png") and reached[6:] == ["Zoom out", "Show all"]
    study.box("figure.png").focus()
    for expected in ("plot", "DataFrame, 1,000", "merge"):
        study.page.keyboard.press("ArrowLeft")
        expect(study.box(expected)).to_be_focused()
    study.page.keyboard.press("ArrowRight")
    expect(study.box("DataFrame, 1,000")).to_be_focused()
    study.page.keyboard.press("Home")
    expect(study.box("figure.png")).to_be_focused()
    study.press("reads_*.fq.gz", "ArrowDown")
    expect(study.box("lambda.fa")).to_be_focused()
    study.page.keyboard.press("f")
    expect(study.node.get_by_role("group", name=re.compile("^Lineage of lambda.fa"))).to_be_visible()
    expect(study.box("align, k=31").first).to_be_attached()
    study.page.keyboard.press("Escape")
    expect(study.side).to_be_hidden()
    assert study.page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length") == 4


def test_dragging_and_zooming_move_the_drawing_only(study):
    world = study.node.locator(".rms-world")
    frame = study.lab.place(study.node.locator(".rms-drawing"))
    before = world.get_attribute("transform")
    study.page.mouse.move(frame["x"] + 200, frame["y"] + 5)
    study.page.mouse.down()
    study.page.mouse.move(frame["x"] + 320, frame["y"] + 40, steps=4)
    study.page.mouse.up()
    expect(world).not_to_have_attribute("transform", before)
    study.page.keyboard.down("Control")
    study.page.mouse.wheel(0, -200)
    study.page.keyboard.up("Control")
    expect(world).to_have_attribute("transform", re.compile(r"scale\(1\.\d"))
    study.button("Show all").click()
    expect(study.node.locator(".rms-minimap")).to_be_hidden()
    expect(study.box("reads_*.fq.gz")).to_be_in_viewport()


def test_what_axe_core_finds(study):
    assert study.lab.faults(study.node) == []
    study.press("align ×400", "Enter")
    study.side.locator(".rms-added").wait_for()
    study.find("s_77.bam", "2 of 2 shown")
    for theme in ("light", "dark"):
        study.lab.theme(theme)
        assert study.lab.faults(study.node) == []


def test_a_saved_picture_stands_alone(study):
    with study.page.expect_download() as saved:
        study.button("SVG").click()
    text = saved.value.path().read_text()
    picture = ElementTree.fromstring(text)
    assert len(picture.findall(".//{*}rect")) >= 10 and "var(" not in text and "figure.png" in text
    assert picture.find(".//{*}rect").get("fill").startswith("rgb(")


def test_a_saved_notebook_shows_its_lineage_without_a_kernel(study):
    study.lab.save()
    study.lab.open()
    again = View(study.lab, 2)
    again.press("merge", "-")
    expect(again.box("merge, 9.0 s, 6 boxes folded")).to_be_visible()
    again.press("plot", "Enter")
    expect(again.side).to_contain_text("Made from (1)")
    again.page.evaluate("async () => await window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    again.press("plot", "Enter")
    expect(again.side).to_contain_text("rms_jupyter is not loaded in this kernel: run %load_ext rms_jupyter")
    again.page.evaluate("async () => await window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    again.press("figure.png", "Enter")
    expect(again.side).to_contain_text("no kernel answers here: start one and run %rms open")
    again.find("anything", "no kernel answers here")
    assert again.lab.faults(again.node) == []


def test_other_readers_of_a_saved_notebook_see_a_picture(study, browser):
    study.lab.save()
    notebook = nbformat.read(study.lab.folder / "work.ipynb", as_version=4)
    html, _ = HTMLExporter(mathjax_url="", require_js_url="", embed_images=True).from_notebook_node(notebook)
    (study.lab.folder / "work.html").write_text(html)
    page = browser.new_page(java_script_enabled=False)
    page.goto((study.lab.folder / "work.html").as_uri())
    figure = page.locator("figure:has(svg)")
    expect(figure.get_by_role("img", name="lineage of figure.png")).to_be_visible()
    expect(figure).to_contain_text("align ×400")
    figure.locator("summary").click()
    expect(figure.locator("pre")).to_contain_text("└─ plot(")
    page.close()


def test_an_exported_page_is_read_in_both_themes_without_a_server(study, browser):
    study.lab.open(OPEN, NEWER, "%rms export plot figure.html", name="export.ipynb")
    study.lab.run(0, 1, 2)
    page = browser.new_page(java_script_enabled=False, viewport={"width": 1280, "height": 900})
    page.goto((study.lab.folder / "figure.html").as_uri())
    expect(page.get_by_role("img", name="lineage of plot")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="merge(")).to_contain_text("align.ipynb [12]")
    expect(page.get_by_role("row").filter(has_text="align(").first).to_contain_text("stale")
    page.locator("summary", has_text="align").click()
    expect(page.locator("pre", has_text="Align reads.")).to_be_visible()
    texts = page.locator("svg text").all()
    assert min(text.bounding_box()["height"] for text in texts) >= 13
    assert max(text.bounding_box()["x"] + text.bounding_box()["width"] for text in texts) <= 1280
    for scheme, light in (("light", True), ("dark", False)):
        page.emulate_media(color_scheme=scheme)
        colours = page.evaluate("""() => [document.body, document.querySelector("svg .rms-label")].map(
            node => getComputedStyle(node)[node === document.body ? "backgroundColor" : "fill"])""")
        back, ink = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours)
        assert (back > 600 > 300 > ink) if light else (back < 150 < 600 < ink)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=study.lab.folder / f"page-{scheme}.png")
    page.close()


def test_the_whole_notebook_is_a_picture_that_fits_the_page(lab):
    (lab.folder / "raw.csv").write_text("1\n2\n")
    steps = "\n".join(f"def step{n}(x): return (x, {n})" for n in range(8))
    chain = "x = load('raw.csv')\n" + "\n".join(f"x = step{n}(x)" for n in range(8))
    lab.open(OPEN, f"%%rms\ndef load(path): return open(path).read()\n{steps}", f"%%rms\n{chain}",
             "%%rms\ndef step5(x): return (x, 'other')", "%rms lineage --notebook")  # fmt: skip
    lab.run(0, 1, 2, 3, 4)
    picture = lab.output(4).get_by_role("img", name="pipes of")
    for theme in ("light", "dark"):
        lab.theme(theme)
        frame, whole = lab.place(lab.output(4)), lab.place(picture)
        assert whole["x"] >= frame["x"] and whole["x"] + whole["width"] <= frame["x"] + frame["width"]
        lab.picture(f"notebook-{theme}", lab.output(4))
    expect(picture).to_contain_text("raw.csv")
    expect(picture.locator("g", has=lab.page.locator("rect[stroke-dasharray]")).last).to_contain_text("step5")


def test_a_picture_on_the_page_leaves_the_view_beside_it_as_it_is(lab):
    lab.open(OPEN, "%%rms\ndef load(n): return [n] * 9\nx = load(3)", "%rms lineage x", "%rms lineage --notebook")
    lab.run(0, 1, 2, 3)
    lab.output(3).get_by_role("img", name="pipes of").wait_for()
    label = View(lab, 2).box("load").locator(".rms-label")
    assert label.evaluate("label => getComputedStyle(label).stroke") == "none"


def test_the_notebook_shows_it_too(notebook_server, page):
    folder = notebook_server.root / "lineage"
    root = samples(folder / "study.rms", 5)
    lab = Lab(notebook_server, page, folder)
    lab.write(f"{OPEN}\n%rms lineage {root}")
    page.goto(f"{notebook_server.url}/notebooks/lineage/work.ipynb")
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel")
    page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.sessionContext.ready }")
    lab.run(0)
    view = View(lab, 0)
    view.press("align ×5", "+")
    expect(view.box("reads_3.fq.gz")).to_be_attached()
    view.press("merge", "Enter")
    expect(view.side).to_contain_text("align.ipynb [12]")
    assert not lab.errors


def test_a_lineage_of_50_000_nodes(lab):
    root = samples(lab.folder / "study.rms", 10_000)
    lab.open(OPEN, f"%rms lineage {root}")
    lab.run(0, 1)
    view = View(lab, 1)
    expect(view.node.locator(".rms-node")).to_have_count(10)
    view.press("qc ×10,000", "+")
    expect(view.box("qc ×9,992")).to_be_attached()
    view.press("merge", "-")
    expect(view.box("qc")).to_have_count(0)
    view.find("s_8000.bam", "2 of 2 shown")
    view.search.press("ArrowDown")
    view.page.keyboard.press("Enter")
    expect(view.box("reads_8000.fq.gz")).to_be_attached()


HOSTILE = r"""
HOSTILE = (
    '<script>document.title = "hacked"</script><img src=x onerror="document.title = 1">'
    '<a data-commandlinker-command="notebook:delete-cell" href="javascript:document.title=1">x</a>\x1b[31mred\u202egpj'
)
import pathlib, rms_jupyter as rms
name = HOSTILE.replace("/", "∕")[:200]
pathlib.Path(name).write_text(HOSTILE)
@rms.pipe
def load(path, note):
    print(HOSTILE)
    raise RuntimeError(HOSTILE + "x" * 10_000_000)
try: load(name, HOSTILE + "y" * 10_000_000)
except RuntimeError: pass
"""


def test_hostile_text_is_only_text(lab):
    lab.open(
        OPEN,
        HOSTILE,
        "%rms lineage load",
        "%rms lineage {name}",
        "rms.current().lineage(rms.current().register_file(name))",
    )
    lab.run(0, 1, 2, 4)
    for cell in (2, 4):
        view = View(lab, cell)
        view.node.locator(".rms-node").first.focus()
        view.page.keyboard.press("Enter")
        expect(view.side).to_contain_text("<script>")
        view.find("<img onerror", re.compile("of [1-9]"))
        for found in view.side.locator("summary").all():
            found.click()
        view.side.locator("h3").click()
    assert not lab.page.locator(
        ".rms [onerror], .rms script, .rms a, .rms b, .rms [data-commandlinker-command]"
    ).count()
    assert "hacked" not in lab.page.title() and lab.page.title() != "1"
    lab.save()
    assert (lab.folder / "work.ipynb").stat().st_size < 300_000


def test_pictures(study):
    """What the README shows; kept where RMS_PICTURES is set."""
    study.lab.theme("light")
    study.page.set_viewport_size({"width": 1500, "height": 1000})
    study.lab.command("application:toggle-left-area")
    study.press("align ×400", "Enter")
    study.side.locator(".rms-added").wait_for()
    study.press("merge", "Home", "0")
    study.page.wait_for_timeout(300)
    study.lab.picture("lineage", study.node)
    study.lab.theme("dark")
    study.lab.picture("lineage-dark", study.node)
