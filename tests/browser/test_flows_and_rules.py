"""The panel's Flows and Rules: versions are looked at, tagged, compared and deleted; rules are seen to go on."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.test_panel import tab
from tests.kernel import Kernel

SETUP = "%load_ext rms_jupyter\n%rms open demo.rms"
FLOW = """%%rms flow fft --code segments
mkgauss -> convol;
fftimg -> convol -> summary;
"""
RUN = "fft.push(fftimg=[1, 2, 3])\nfft.run(n_jobs=1)"
SCRIPTS = {
    "mkgauss": "SIGMA = 5\nlogger.info('sigma %s', SIGMA)\nsigma = SIGMA\nexpose(['sigma'])\nset_output(SIGMA)",
    "fftimg": "n = get_input()\nopen(get_data_fn('spectrum.csv'), 'w').write('frequency,power\\n1,2.5\\n2,0.5\\n')\n"
    "set_output(n)",
    "convol": "import matplotlib.pyplot as plt\nn = get_input('fftimg')\nfigure, axes = plt.subplots(figsize=(4, 2.5))\n"
    "axes.plot([(i / 10) ** n for i in range(40)])\nfigure.savefig(get_data_fn('image.png'))\nset_output(n)",
    "summary": "n = get_input()\nopen(get_data_fn('summary.txt'), 'w').write(f'image {n}\\n' * 3)\n"
    "if n == 3 and not glob_parent('nothing'): raise ValueError(f'image {n} is too dark')\nset_output(n)",
}
RULES = """def measure(path, n):
    import time
    time.sleep(0.02)
    if n == 3: raise ValueError(f"frame {n} is blank")
    return n
import pathlib
pathlib.Path("raw").mkdir()
def arrive(first, last):
    for n in range(first, last): pathlib.Path(f"raw/run1_{n:03d}.tif").write_text("7" * n)
arrive(0, 12)
"""
RULE = """%%rms rule frames
files: raw/{run}_{n:03d}.tif
do: measure
settle: 0.1
n_jobs: 1"""


def write(folder: Path, **changed: str) -> None:
    (folder / "segments").mkdir(exist_ok=True)
    for name, text in {**SCRIPTS, **changed}.items():
        (folder / "segments" / f"{name}.py").write_text(text)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A folder with a store of a flow, two versions of one of its segments, and a rule that has ended."""
    folder = tmp_path_factory.mktemp("flows")
    write(folder)
    with Kernel(folder) as kernel:
        assert kernel.run(SETUP).ok and kernel.run(FLOW).ok
        assert "too dark" in kernel.run(RUN).error
        write(folder, convol=SCRIPTS["convol"].replace("i / 10", "i / 20"))
        kernel.run(RUN)
        assert kernel.run(RULES).ok
        assert kernel.run(RULE + "\ndata_complete: true").ok
        assert kernel.run("frames.join(60)").ok
    return folder


@pytest.fixture
def panel(lab, filled):
    """The panel of that store, in a copy."""
    shutil.copytree(filled, lab.folder, dirs_exist_ok=True)
    lab.page.set_viewport_size({"width": 1400, "height": 900})
    lab.open(SETUP, RULES.replace("mkdir()", "mkdir(exist_ok=True)").replace("arrive(0, 12)", ""), "%rms panel", RULE)
    lab.run(0, 1, 2)
    panel = lab.output(2).locator(".rms-panel")
    lab.scroll_to(panel)
    return panel


def test_flows_and_rules_can_be_seen_in_both_themes(lab, panel):
    for theme in ("light", "dark"):
        lab.theme(theme)
        view = tab(panel, "Flows")
        view.get_by_role("button", name=re.compile("^open convol")).first.click()
        view.get_by_role("list", name="products").locator("img").nth(1).wait_for()
        assert lab.faults(panel) == [], theme
        lab.picture(f"panel-flows-{theme}", of=panel)
        view = tab(panel, "Rules")
        view.get_by_text("on record").first.wait_for()
        assert lab.faults(panel) == [], theme
        lab.picture(f"panel-rules-{theme}", of=panel)
    lab.theme("light")


def test_versions_of_segments_are_found_opened_compared_tagged_and_deleted(lab, panel):
    view = tab(panel, "Flows")
    tree = view.get_by_role("table", name="flow fft")
    opened = tree.get_by_role("button", name=re.compile("^open "))
    view.get_by_text("5 of 5 versions").wait_for()
    expect(tree.get_by_role("rowheader", name="mkgauss")).to_have_attribute("title", "without parents")
    expect(tree.get_by_role("row").filter(has_text="mkgauss")).to_contain_text("sigma=5")
    expect(tree.get_by_role("row").filter(has_text="summary").first).to_contain_text("4 done 2 failed")

    view.get_by_role("searchbox").fill("convol")
    view.get_by_text("2 of 5 versions").wait_for()
    boxes = tree.get_by_role("checkbox")
    boxes.nth(0).check()
    boxes.nth(1).check()
    bar = view.get_by_role("group", name="versions that are chosen")
    bar.get_by_role("button", name="Compare").click()
    side = view.get_by_role("complementary", name="version")
    expect(side).to_contain_text("i / 20")
    expect(side).to_contain_text(re.compile(r"convol\(5, fftimg=1\): image.png \d+ kB, .* → image.png \d+ kB"))
    boxes.nth(1).uncheck()
    bar.get_by_label("tag").fill("paper")
    bar.get_by_role("button", name="Tag", exact=True).click()
    expect(tree.locator(".rms-tag")).to_have_text(["paper"])
    view.get_by_role("searchbox").fill("")
    view.get_by_label("filter flows by tag").select_option("paper")
    view.get_by_text("1 of 5 versions").wait_for()

    opened.first.click()
    side.get_by_role("button", name="Code").click()
    expect(side).to_contain_text("plt.subplots")
    side.get_by_role("button", name="Products").click()
    side.get_by_role("list", name="products").locator("img").first.wait_for()
    with lab.page.expect_download() as download:
        side.get_by_role("button", name=re.compile("^download .*image.png")).first.click()
    assert Path(download.value.path()).read_bytes()[1:4] == b"PNG"

    view.get_by_label("filter flows by tag").select_option("")
    tree.get_by_role("row").filter(has_text="mkgauss").get_by_role("button").click()
    side.get_by_role("button", name="Logs").click()
    expect(side).to_contain_text("sigma 5")
    tree.get_by_role("row").filter(has_text="mkgauss").get_by_role("checkbox").check()
    boxes.first.press("Escape")
    bar.get_by_role("button", name="Delete…").click()
    asked = view.get_by_role("alertdialog")
    expect(asked).to_contain_text("made from")
    asked.get_by_role("button", name="With what was made from it…").click()
    asked.get_by_role("button", name="Delete", exact=True).click()
    expect(asked).to_contain_text("to the trash")
    expect(tree.get_by_role("row").filter(has_text="mkgauss")).to_contain_text("not run")
    asked.get_by_role("button", name="Undo").click()
    expect(asked).to_contain_text("brought back")
    expect(tree.get_by_role("row").filter(has_text="mkgauss")).not_to_contain_text("not run")
    asked.get_by_role("button", name="Close").click()
    expect(asked).to_be_hidden()


def test_the_keyboard_alone_opens_and_closes_versions(lab, panel):
    view = tab(panel, "Flows")
    opener = view.get_by_role("button", name=re.compile("^open summary")).first
    opener.focus()
    lab.page.keyboard.press("Enter")
    side = view.get_by_role("complementary", name="version")
    side.get_by_role("list", name="products").wait_for()
    expect(opener).to_be_focused()
    lab.page.keyboard.press("Escape")
    expect(side).to_be_hidden()
    opener.evaluate("opener => { opener.click(); document.querySelector('[aria-label=\"Close version\"]').focus() }")
    side.get_by_role("list", name="products").wait_for()  # What was loaded meanwhile leaves the focus where it is.
    expect(side.get_by_role("button", name="Close version")).to_be_focused()
    lab.page.keyboard.press("Enter")
    expect(side).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_rule_is_seen_to_go_on_also_after_the_page_was_loaded_again(lab, panel):
    row = tab(panel, "Rules").get_by_role("row").filter(has_text="frames")
    expect(row).to_contain_text("on record")
    lab.run(3)
    lab.scroll_to(panel)
    expect(row).to_contain_text("watching")
    expect(row.get_by_role("cell").nth(1)).to_have_text("12")

    lab.save()
    lab.page.reload()
    panel = lab.output(2).locator(".rms-panel")
    lab.scroll_to(panel)
    view = tab(panel, "Rules")
    for n in range(12, 20):
        (lab.folder / f"raw/run1_{n:03d}.tif").write_text("7" * n)
    row = view.get_by_role("row").filter(has_text="frames")
    expect(row.get_by_role("cell").nth(1)).to_have_text("20")
    expect(row.get_by_role("cell").nth(5)).to_have_text("19")
    view.get_by_text("frame 3 is blank").wait_for()
    lab.picture("panel-rules-live", of=panel)
    row.get_by_role("button", name="stop frames").hover()
    lab.page.mouse.down()
    (lab.folder / "raw/run1_020.tif").write_text("7" * 20)
    lab.page.wait_for_timeout(2000)  # More than a look at the rules takes.
    lab.page.mouse.up()
    expect(row).to_contain_text("stopped")


def test_the_rows_under_the_cell_go_on_after_the_page_was_loaded_again(lab, panel):
    lab.run(3)
    rows = lab.output(3).get_by_role("row").filter(has_text="frames")
    expect(rows).to_contain_text("12 arrived")
    lab.save()
    lab.page.reload()
    rows = lab.output(3).get_by_role("row").filter(has_text="frames")
    lab.scroll_to(rows)
    expect(rows).to_contain_text("12 arrived")
    for n in range(12, 20):
        (lab.folder / f"raw/run1_{n:03d}.tif").write_text("7" * n)
    expect(rows).to_contain_text("20 arrived")
    expect(rows).to_contain_text("19 done")
    lab.picture("rules-under-a-cell")


def test_on_a_narrow_page_nothing_is_out_of_reach_of_the_keyboard(lab, panel):
    lab.page.set_viewport_size({"width": 1024, "height": 900})
    view = tab(panel, "Flows")
    view.get_by_role("button", name=re.compile("^open convol")).first.click()
    products = view.get_by_role("list", name="products")
    lab.scroll_to(products.get_by_role("button", name="download").first)
    products.locator("img").first.wait_for()
    assert lab.faults(panel) == []
    side = view.get_by_role("complementary", name="version")
    picture, room = (lab.place(side.locator(part).first) for part in (".rms-preview img", ".rms-preview"))
    assert picture["height"] <= room["height"], "a picture is seen as a whole"
    side.get_by_role("button", name="Close version").click()
    assert not is_cut_off(view)
    assert below_their_middle(view.get_by_role("row").nth(1)) <= 2
    view = tab(panel, "Rules")
    view.get_by_text("on record").first.wait_for()
    assert lab.faults(panel) == []
    lab.run(3)
    lab.scroll_to(panel)
    view.get_by_role("button", name="retry frames").wait_for()
    assert not is_cut_off(view)
    assert lab.place(view.get_by_role("img", name=re.compile("^11 done")))["width"] > 40


def is_cut_off(view):
    """Whether rows are wider than what is seen of them."""
    return view.locator(".rms-scroll").evaluate("node => node.scrollWidth > node.clientWidth")


def below_their_middle(row):
    """How many pixels the box of a row is off the middle of its name."""
    return row.evaluate(
        """row => {
            const middle = node => { const { top, height } = node.getBoundingClientRect(); return top + height / 2 };
            return Math.abs(middle(row.querySelector('input')) - middle(row.querySelector('button')));
        }"""
    )
