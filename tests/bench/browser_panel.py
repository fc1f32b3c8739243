"""The panel in JupyterLab on a store of 1,000,000 tasks: from scrolling somewhere to seeing the rows that are there."""

from __future__ import annotations

import statistics

from tests.bench.browser import jupyterlab
from tests.bench.million import fill
from tests.bench.report import report

PLACES = 30
SCROLL = """async part => {
  const grid = document.querySelector('.rms-panel [role=tabpanel]:not([hidden]) .rms-grid');
  const rows = () => [...grid.querySelectorAll('.rms-grid-body > .rms-row')];
  const before = rows()[0].ariaRowIndex;
  const began = performance.now();
  grid.scrollTop = part * grid.scrollHeight;
  do {
    await new Promise(requestAnimationFrame);
  } while (rows()[0].ariaRowIndex === before || rows().some(row => row.textContent.includes('…')));
  return performance.now() - began;
}"""


def main() -> None:
    """Measure."""
    with jupyterlab() as lab:
        fill(lab.folder / "million.rms")
        lab.open("%load_ext rms_jupyter\n%rms open million.rms", "%rms panel")
        lab.run(0, 1)
        panel = lab.output(1).locator(".rms-panel")
        panel.get_by_text("1,000,000 of 1,000,000").wait_for()
        panel.get_by_text("peaks_249999.bed").first.wait_for()
        places = [(n * 0.618) % 0.9 + 0.05 for n in range(PLACES)]
        taken = sorted(lab.page.evaluate(SCROLL, place) for place in places)
    what = "the panel on 1,000,000 tasks: from scrolling somewhere to seeing its rows"
    worst = f"slowest of {PLACES}: {taken[-1]:.0f} ms"
    report([{"what": what, "here": f"{statistics.median(taken):.0f} ms", "beside": worst, "bound": "≤ 200 ms"}])


if __name__ == "__main__":
    main()
