"""How does one read in a browser what made something?  On a page of its own: a drawing, the code, and the calls."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from rms_jupyter.exports.scope import Scope, call_of, tidy
from rms_jupyter.harmless import one_line
from rms_jupyter.store.ask.lineage import Node
from rms_jupyter.store.ask.neighbourhood import LineageView
from rms_jupyter.views.lineage import Lineage
from rms_jupyter.views.wording import duration

_MOST_CALLS = 1000
_COLUMNS = ("call", "globals", "took", "cell", "status")
# The drawing takes Jupyter's colours; here they are those of the reader's system.
_STYLE = """
:root{color-scheme:light dark}
:root{--jp-layout-color1:#fff;--jp-ui-font-color0:#1f2328;--jp-ui-font-color2:#59626b;--line:#d8dde2}
@media (prefers-color-scheme:dark){
:root{--jp-layout-color1:#1b1f24;--jp-ui-font-color0:#e8ebee;--jp-ui-font-color2:#a9b2bb;--line:#3a424a}}
body{max-width:1060px;margin:2em auto;padding:0 1em;font:16px/1.5 system-ui,sans-serif;
background:var(--jp-layout-color1);color:var(--jp-ui-font-color0)}
h1{font-size:1.5em;overflow-wrap:anywhere}h2{font-size:1.15em;margin-top:1.6em}
figure svg{zoom:1.2}summary{cursor:pointer}p{color:var(--jp-ui-font-color2)}
div{overflow-x:auto}table{border-collapse:collapse;font-size:.9em}
th,td{padding:.3em .8em .3em 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{color:var(--jp-ui-font-color2);font-weight:400}td:first-child,pre{font-family:ui-monospace,Consolas,monospace}
td:first-child{overflow-wrap:anywhere}pre{overflow-x:auto;font-size:.9em}
"""


def page_of(scope: Scope) -> str:
    """Write a page of HTML that holds no script, and no text that was not escaped."""
    lineage = Lineage(scope.store, LineageView(scope.one, down=False), scope.is_older)
    title = escape(one_line(scope.title, 200))
    codes = {(code.name, code.text): None for code in scope.codes.values() if code.text}
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style></head><body>\n<h1>{title}</h1>\n<h2>What it was made from</h2>\n"
        f"{lineage._repr_html_()}\n<h2>Code</h2>\n"
        + "\n".join(_folded(name, text) for name, text in sorted(codes))
        + f"\n<h2>Calls, the last one first</h2>\n{_table(scope)}\n</body></html>\n"
    )


def _table(scope: Scope) -> str:
    tasks = scope.tasks[::-1]
    rest = len(tasks) - _MOST_CALLS
    more = f"<p>{rest:,} more</p>" if rest > 0 else ""
    rows = "\n".join(_row("td", _cells(node, scope.is_older(node.pipe, node.version))) for node in tasks[:_MOST_CALLS])
    return f"<div><table>{_row('th', _COLUMNS)}\n{rows}</table></div>{more}"


def _cells(node: Node, is_older: bool) -> tuple[str, ...]:
    read = ", ".join(f"{name}={value}" for name, value in node.globals.items())
    cell = f"{node.notebook} [{node.cell}]" if node.cell else node.notebook
    status = "stale" if is_older and node.status == "done" else node.status.replace("_", " ")
    return call_of(node), read, duration(node.seconds), cell, status


def _row(tag: str, cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(one_line(cell, 300))}</{tag}>" for cell in cells) + "</tr>"


def _folded(name: str, text: str) -> str:
    return f"<details><summary>{escape(one_line(name))}</summary><pre>{escape(tidy(text))}</pre></details>"
