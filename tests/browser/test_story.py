"""Thirty files, of which three are bad: which, which parameters made the figure, and what differs between two figures?"""

from __future__ import annotations

from playwright.sync_api import expect

FILES = """%load_ext rms_jupyter
%rms open story.rms
from pathlib import Path
Path("raw").mkdir(exist_ok=True)
for day in range(30):
    text = f"nothing in {day}" if day % 10 == 7 else f"delay\\n{day}\\n{30 - day}\\n"
    Path(f"raw/{day:02}.csv").write_text(text)"""
PIPES = """%%rms
import matplotlib.pyplot as plt
import pandas as pd
import rms_jupyter as rms
TMAX = 25
def load(path):
    return pd.read_csv(path)
def clean(flights):
    return flights[flights.delay < TMAX]
def mean(flights):
    return float(flights.delay.mean())
def plot(means):
    figure, axes = plt.subplots(figsize=(4, 3))
    axes.plot(means)
    plt.close(figure)
    return figure"""
MEANS = "%%rms run -j 2\nmeans = [mean(clean(load(str(path)))) for path in sorted(Path('raw').glob('*.csv'))]"
FIRST = "before = plot(rms.done(means))"
PARAMETERS = "%rms lineage before --params"
MEND = "for day in (7, 17, 27): Path(f'raw/{day:02}.csv').write_text(f'delay\\n{day}\\n')"
SECOND = "TMAX = 10\nafter = plot([mean(clean(load(str(path)))) for path in sorted(Path('raw').glob('*.csv'))])"
DIFFERENCE = "%rms diff before after"
RESULTS = "%rms results --from raw/04.csv"


def test_the_three_questions_are_answered_in_one_command_or_click_each(lab):
    lab.page.set_viewport_size({"width": 1280, "height": 800})
    lab.open(FILES, PIPES, MEANS, FIRST, PARAMETERS, MEND, SECOND, DIFFERENCE, RESULTS)
    lab.run(0, 1, 2)
    run = lab.output(2).locator(".rms-run")
    run.get_by_text("failed · ").first.wait_for()
    expect(run.locator(".rms-failure")).to_have_count(3)
    bars = [lab.place(run.locator(".rms-bar").nth(row)) for row in range(3)]
    assert len({(bar["x"], bar["width"]) for bar in bars}) == 1, "bars of pipes stand below one another"
    for day in ("07", "17", "27"):
        expect(run.locator(".rms-failure").filter(has_text=f'clean(load("raw/{day}.csv"))')).to_have_count(1)
    mark = lab.cell(1).locator(".rms-cell-mark .rms-status")
    lab.until(lambda: "used by [3]" in mark.get_attribute("aria-label"), "the cell that defines says who uses it")
    assert mark.get_attribute("aria-label").startswith("rms: defines load, clean, mean, plot; used by [3]")
    for theme in ("light", "dark"):
        lab.theme(theme)
        assert lab.faults(run) == []
        lab.picture(f"story-failures-{theme}", of=lab.cell(2))
    lab.run(3, 4)
    expect(lab.output(3)).to_contain_text('taken: 27 of 30, left out: mean(clean(load("raw/07.csv")))')
    expect(lab.output(4)).to_contain_text("TMAX")
    expect(lab.output(4)).to_contain_text("25")
    lab.run(5)
    run.get_by_role("button", name="Run the failed again").click()
    lab.output(2).get_by_text("done · 90 of 90").wait_for()
    lab.run(3, 6, 7)
    expect(lab.output(7)).to_contain_text("TMAX 25 → 10")
    lab.run(8)
    table = lab.output(8).locator("table")
    expect(table.get_by_role("row").filter(has_text='mean(clean(load("raw/04.csv")))').first).to_contain_text("current")
    for theme in ("light", "dark"):
        lab.theme(theme)
        lab.picture(f"story-results-{theme}", of=lab.cell(8))
    status, room = lab.place(table.get_by_role("columnheader", name="status")), lab.place(lab.output(8))
    assert status["x"] + status["width"] < room["x"] + room["width"], "how a result stands is in sight"
    lines = (
        lab.place(table.get_by_role("cell", name="figure").first)["height"]
        / lab.place(table.locator("th").first)["height"]
    )
    assert lines < 3, "a figure is named in one line"
