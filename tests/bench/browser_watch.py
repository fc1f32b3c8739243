"""100,000 tiny tasks watched in JupyterLab, beside the same unwatched: what the watcher costs the run and the page."""

from __future__ import annotations

import ast
import re
import statistics

from playwright.sync_api import CDPSession

from tests.bench.browser import jupyterlab
from tests.bench.report import report
from tests.browser.lab import Lab

TASKS, ROUNDS = 100_000, 3
SETUP = """
%load_ext rms_jupyter
import itertools, time
import rms_jupyter as rms
from rms_jupyter.panel import watcher
stores = (f"store{n}.rms" for n in itertools.count())
spent, show = [], watcher.Watcher._show
def timed(self, *args):
    show(self, *args)
    spent.append(time.thread_time())
watcher.Watcher._show = timed
"""
DEFINE = """%%rms
def nothing(i):
    return i
"""
NEW = "rms.open(next(stores)); began = time.perf_counter()"
WATCHED = f"%%rms run -j 2\nrs = [nothing(i) for i in range({TASKS})]"
PLAIN = f"""
with rms.current().plan() as plan:
    rs = [nothing(i) for i in range({TASKS})]
plan.run(n_jobs=2)
None
"""
TOOK = "print('took', time.perf_counter() - began, spent[-1:])"
COUNT = "node => { window.drawn = 0; new MutationObserver(() => window.drawn++).observe(node, {subtree: true, characterData: true, childList: true}) }"


def busy(devtools: CDPSession) -> float:
    """Seconds that the page's main thread has worked."""
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")


def measure(lab: Lab, devtools: CDPSession, cell: int) -> dict[str, float]:
    """Run a cell on a new store; gives its seconds, the watcher's, the page's, and how often it was drawn."""
    lab.run(2)
    before = busy(devtools)
    lab.page.evaluate("window.drawn = 0")
    lab.run(cell, wait=False)
    if cell == 3:
        title = lab.output(cell).locator(".rms-title > .rms-muted")
        title.get_by_text("of").wait_for()
        title.evaluate(COUNT)
    lab.page.wait_for_function(
        "cell => { const model = window.jupyterapp.shell.currentWidget.content.widgets[cell].model;"
        " return model.executionState === 'idle' && model.executionCount !== null }",
        arg=cell,
    )
    page = busy(devtools) - before
    lab.run(5)
    took = re.search(r"took ([\d.e-]+) (\[.*\])", lab.output(5).inner_text())
    spent = ast.literal_eval(took[2]) or [0.0]
    return {"took": float(took[1]), "watcher": spent[0], "page": page, "drawn": lab.page.evaluate("window.drawn")}


def main() -> None:
    """Measure."""
    with jupyterlab() as lab:
        devtools = lab.page.context.new_cdp_session(lab.page)
        devtools.send("Performance.enable")
        lab.open(SETUP, DEFINE, NEW, WATCHED, PLAIN, TOOK)
        lab.run(0, 2, 1)
        measure(lab, devtools, 4)
        rounds = [(measure(lab, devtools, 3), measure(lab, devtools, 4)) for _ in range(ROUNDS)]
    watched, plain = ([pair[n] for pair in rounds] for n in (0, 1))
    share = statistics.median(one["watcher"] / one["took"] for one in watched)
    rate = statistics.median(one["drawn"] / one["took"] for one in watched)
    seconds = [statistics.median(one["took"] for one in ones) for ones in (watched, plain)]
    page = [statistics.median(one["page"] / one["took"] for one in ones) for ones in (watched, plain)]
    report(
        [
            {"what": f"{TASKS:,} tiny tasks watched in JupyterLab: processor time of the watcher", "here": f"{share:.1%} of the run",
             "beside": f"watched {seconds[0]:.1f} s, unwatched {seconds[1]:.1f} s", "bound": "≤ 2 %"},
            {"what": "... drawn", "here": f"{rate:.1f} times a second", "bound": "≤ 10"},
            {"what": "... the page's main thread is busy", "here": f"{page[0]:.0%}", "beside": f"unwatched {page[1]:.0%}"},
        ]
    )  # fmt: skip


if __name__ == "__main__":
    main()
