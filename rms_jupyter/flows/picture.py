"""How does a flow look?  Its segments in layers, each with how many of its tasks ended in which way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from rms_jupyter.flows.graph import FlowGraph
from rms_jupyter.harmless import one_line
from rms_jupyter.views.boxes import LABEL, SUB, Words, fit
from rms_jupyter.views.layout import layout
from rms_jupyter.views.picture import svg_of

_ORDER = ("done", "hit", "running", "waiting", "failed", "timed_out", "upstream_failed", "cancelled")
_WORST = ("failed", "timed_out", "upstream_failed", "cancelled")
_WIDEST = 220


def counted(counts: Mapping[str, int]) -> str:
    """Word how many tasks ended in which way.

    Examples
    --------
    >>> counted({"hit": 4, "done": 2}), counted({})
    ('2 done, 4 hit', 'not run')
    """
    known = [state for state in _ORDER if counts.get(state)] + [s for s in counts if s not in _ORDER and counts[s]]
    return ", ".join(f"{counts[state]:,} {state.replace('_', ' ')}" for state in known) or "not run"


def as_text(graph: FlowGraph, counts: Mapping[str, Mapping[str, int]]) -> str:
    """Write a flow as lines, a segment each, with its parents."""
    names = {name: one_line(name, 60) for name in graph.segments}
    width = max(map(len, names.values()))
    lines = []
    for name in graph.segments:
        parents = ", ".join(names[parent] for parent in graph.parents[name])
        lines.append(f"{names[name]:<{width}}  {counted(counts.get(name, {}))}{f'  ← {parents}' if parents else ''}")
    return "\n".join(lines)


def as_svg(graph: FlowGraph, counts: Mapping[str, Mapping[str, int]], name: str) -> str:
    """Draw a flow."""
    boxes = [_words(segment, counts.get(segment, {})) for segment in graph.segments]
    number = {segment: n for n, segment in enumerate(graph.segments)}
    links = [(number[parent], number[child]) for parent, child in graph.edges]
    places = layout([box.width for box in boxes], links, backward=False)
    return svg_of(boxes, places, f"flow {name}")


def as_html(graph: FlowGraph, counts: Mapping[str, Mapping[str, int]], name: str, problems: Sequence[str]) -> str:
    """Draw a flow, and write below it what keeps segments from running."""
    notes = "".join(f'<div style="color:#c62f2f">{escape(one_line(problem, 300))}</div>' for problem in problems)
    return f'<figure style="margin:0;overflow-x:auto">{as_svg(graph, counts, name)}{notes}</figure>'


def _words(segment: str, counts: Mapping[str, int]) -> Words:
    status = next((state for state in _WORST if counts.get(state)), "done")
    label, sub = one_line(segment), counted(counts)
    return Words(
        "task", fit(label, _WIDEST, LABEL), fit(sub, _WIDEST, SUB), f"{label}: {sub}",
        "cancelled" if status == "upstream_failed" else status,
    )  # fmt: skip
