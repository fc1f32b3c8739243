"""Text from data is only text: in what every command shows, here and in a reader's HTML."""

from __future__ import annotations

import re

import nbformat
from nbconvert import HTMLExporter
from playwright.sync_api import expect

SETUP = "%load_ext rms_jupyter\n%rms open {folder!r}\nimport rms_jupyter as rms"
# The name of a file may be 255 bytes long and has no slash.
HOSTILE = r"""%%capture
NASTY = '"><img src=x onerror=window.hacked=1><script>window.hacked=2<\x2fscript><b data-commandlinker-command="a">`${window.hacked=3}`\x1b[31m\u202egnp'
NAME = NASTY.replace("/", "|")
SVG = '<svg xmlns="http://www.w3.org/2000/svg" onload="window.hacked=4" width="9" height="9"><script>window.hacked=5</script></svg>'
@rms.pipe(outputs=["out"])
def write(text, out):
    print(text)
    with open(out, "w") as file: file.write(text)
    return {text: [text]}
@rms.pipe
def fail(made):
    print(NASTY)
    raise ValueError(NASTY + "z" * 10_000_000)
@rms.pipe
def frame(text):
    import pandas
    return pandas.DataFrame({text: [text, text]}, index=[text, "b"])
made = write(NASTY, NAME)
drawn = write(SVG, "drawn.svg")
large = write("y" * 10_000_000, "large")
try: fail(made)
except ValueError: pass
try: fail(large)
except ValueError: pass
table = frame(NASTY)
rms.current().register_file(NAME)
rms.current().mark(made, tag=NASTY, note=NASTY)
"""
LINES = (
    *("status", "tasks", "tasks img", "files", "pipes", "runs", "figures", "logs --failed", "logs fail", "logs write"),
    *("lineage fail", "lineage --params made", "why fail", "why made", "show made", "show fail", "show table", "show {NAME}"),
    *("diff made drawn", "diff write fail", "check --full", "export --format script fail", "export --format dot fail"),
    *("watch", "panel", "sql SELECT * FROM tasks", "sql SELECT * FROM files", "sql SELECT * FROM logs"),
    *("sql --as pandas SELECT * FROM params", "sql SELECT $NASTY AS x, error(${NASTY})", "tasks --pipe {NAME}"),
    *("show nothing{NAME}", "open {NAME} --read-only", "delete -n write", "mark --tag {NAME} fail"),
)  # fmt: skip
NOTEBOOK = "<img src=x onerror=window.hacked=7>.ipynb"
CELLS = (
    "made",
    "rms.current().diff(made, large)",
    "%%rms run -j 2\nxs = [fail(NASTY + str(i)) for i in range(3)]",
)


SAFE = (None, [], [])


def harm(shown):
    """What has run, what could, and what turns text around."""
    hooks = shown.locator("[onerror], [onload], b[data-commandlinker-command], .jp-OutputArea script:not([type])")
    turned = [line for line in shown.inner_text().splitlines() if "\u202e" in line]
    return shown.evaluate("window.hacked"), [hook.evaluate("hook => hook.outerHTML") for hook in hooks.all()], turned


def test_no_command_shows_text_as_anything_else(lab):
    cells = [
        SETUP.format(folder="<img src=x onerror=window.hacked=6>.rms"),
        HOSTILE,
        *(f"%rms {line}" for line in LINES),
        *CELLS,
    ]
    lab.open(*cells, name=NOTEBOOK)
    for index, source in enumerate(cells):
        lab.run(index)
        if source != HOSTILE:
            expect(lab.output(index), f"shows nothing: {source}").to_contain_text(re.compile(r"\S"))
        assert harm(lab.output(index)) == SAFE, source
    lab.save()
    notebook = nbformat.read(lab.folder / NOTEBOOK, 4)
    assert "Traceback" not in [output for cell in notebook.cells for output in cell.outputs]
    html, _ = HTMLExporter(mathjax_url="", require_js_url="").from_notebook_node(notebook)
    (lab.folder / "work.html").write_text(html)
    lab.page.goto((lab.folder / "work.html").as_uri())
    lab.page.get_by_text("window.hacked").first.wait_for()
    assert harm(lab.page.locator("body")) == SAFE
