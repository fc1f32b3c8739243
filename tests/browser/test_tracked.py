"""The panel's Tracked: scripts are tracked, run and looked at; they stand as they do without being asked."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.lab import PATIENCE
from tests.browser.test_panel import tab

SETUP = "%load_ext rms_jupyter\n%rms open demo.rms"
SCRIPTS = {
    "fig_power.py": "import matplotlib.pyplot as plt\nfrom helper import power\nfigure, axes = plt.subplots(figsize=(4, 2.5))\n"
    "axes.plot([n ** power for n in range(20)])\nprint('drawn')",
    "raises.py": "def read(name):\n    return {}[name]\nread('flux')",
    "slow.py": "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.05)",
    "helper.py": "power = 2\n",
}
TRACK = """import rms_jupyter as rms
s = rms.current()
s.track("scripts", exclude=["helper.py"])
s.track("scripts/fig_power.py").run()
"""


@pytest.fixture
def panel(lab):
    """The panel of a store that tracks three scripts, one of which has run."""
    folder = lab.folder / "scripts"
    folder.mkdir()
    for name, text in SCRIPTS.items():
        (folder / name).write_text(text)
    lab.page.set_viewport_size({"width": 1400, "height": 900})
    lab.open(SETUP, TRACK, "%rms panel")
    lab.run(0, 1, 2)
    panel = lab.output(2).locator(".rms-panel")
    lab.scroll_to(panel)
    return panel


def test_tracked_scripts_are_seen_run_cancelled_and_opened(lab, panel):
    view = tab(panel, "Tracked")
    row = view.get_by_role("table", name="tracked scripts").get_by_role("row")

    def state(name: str, is_now: str) -> None:
        expect(row.filter(has_text=name).get_by_role("cell").nth(1)).to_contain_text(is_now, timeout=PATIENCE)

    state("fig_power.py", "up to date")
    state("raises.py", "never run")
    (lab.folder / "scripts" / "helper.py").write_text("power = 3\n")
    state("fig_power.py", "changed")  # Nobody has asked.

    view.get_by_label("choose all that are shown").check()
    view.get_by_label("run those that are chosen").click()
    state("raises.py", "failed")
    state("fig_power.py", "up to date")
    state("slow.py", "running")
    row.filter(has_text="raises.py").get_by_role("button").click()
    side = view.get_by_role("complementary", name="last run")
    expect(side.get_by_label("log")).to_contain_text("KeyError: 'flux'")
    expect(side.get_by_label("log")).to_contain_text("in read")
    side.get_by_role("button", name="Close last run").click()
    lab.page.set_viewport_size({"width": 1024, "height": 900})
    why = row.filter(has_text="raises.py").get_by_text("raised KeyError: 'flux'")
    assert lab.place(why)["width"] > 100 and not why.evaluate("node => node.scrollWidth > node.clientWidth")
    assert not view.locator(".rms-scroll").evaluate("node => node.scrollWidth > node.clientWidth")
    lab.page.set_viewport_size({"width": 1400, "height": 900})
    row.filter(has_text="raises.py").get_by_role("button").click()
    for theme in ("light", "dark"):
        lab.theme(theme)
        assert lab.faults(panel) == [], theme
        lab.picture(f"panel-tracked-{theme}", of=panel)
    view.get_by_role("button", name="Output").click()
    view.get_by_role("list", name="figures of scripts/fig_power.py [std]").locator("img").wait_for()
    assert lab.faults(panel) == []
    lab.picture("panel-tracked-output-dark", of=panel)
    lab.theme("light")
    lab.picture("panel-tracked-output-light", of=panel)
    view.get_by_role("button", name="Output").click()

    (lab.folder / "scripts" / "go").touch()
    state("slow.py", "up to date")
    view.get_by_label("only failed").click()
    expect(row.filter(has_text="fig_power.py")).to_have_count(0)
    view.get_by_label("only failed").click()
    view.get_by_label("path to track").fill("scripts/helper.py")
    view.get_by_role("button", name="Track", exact=True).click()
    state("helper.py", "never run")
    view.get_by_label("choose all that are shown").check()
    view.get_by_label("choose all that are shown").uncheck()
    view.get_by_label("choose scripts/helper.py std").check()
    view.get_by_role("button", name="Track no more").click()
    expect(row.filter(has_text="helper.py")).to_have_count(0)
    side.get_by_role("button", name="Open in editor").click()
    lab.page.locator(".jp-FileEditor", has_text="return {}[name]").wait_for()
