"""How is a lineage drawn where nothing can run?  As an SVG of at most 300 boxes, in a figure with its text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from rms_jupyter.views.boxes import HEIGHT, LABEL, SUB, Words
from rms_jupyter.views.layout import DrawingLayout, Point

if TYPE_CHECKING:
    from rms_jupyter.views.drawing import LineageDrawing

# Presentation attributes are for viewers that know no style sheets; the classes follow Jupyter's theme.
# A style sheet holds for the whole page, wherever it stands: the picture's class keeps it to the picture.
_STYLE = """
.rms-still .rms-links{stroke:var(--rms-wait,#87909a)}.rms-still .rms-tip{fill:var(--rms-wait,#87909a)}
.rms-still .rms-boxes{fill:var(--jp-layout-color1,#fff);stroke:var(--rms-wait,#87909a)}
.rms-still .rms-label{fill:var(--jp-ui-font-color0,#1f2328)}.rms-still .rms-sub{fill:var(--jp-ui-font-color2,#656d76)}
"""
_COLOURS = {"failed": "#c62f2f", "timed_out": "#c62f2f", "deprecated": "#c62f2f", "cancelled": "#87909a"}
_STALE, _FOCUS = "#b26a00", "#3b6fd4"
_MARKS = {
    "failed": "M0 0h8v8h-8z",
    "timed_out": "M0 0h8v8h-8z",
    "deprecated": "M0 0h8l-4 8z",
    "missing": "M0 0h8l-4 8z",
    "altered": "M0 0h8l-4 8z",
    "unreadable": "M0 0h8l-4 8z",
    "cancelled": "M0 1l3 3-3 3 1 1 3-3 3 3 1-1-3-3 3-3-1-1-3 3-3-3z",
    "deleted": "M0 1l3 3-3 3 1 1 3-3 3 3 1-1-3-3 3-3-1-1-3 3-3-3z",
}
_TRIANGLE = "M4 0l4 8h-8z"


def svg(drawing: LineageDrawing) -> str:
    """Draw a lineage.

    Returns
    -------
    str
        Holds no script, and no text that was not escaped.
    """
    return svg_of(drawing.boxes, drawing.layout, f"lineage of {drawing.boxes[0].label}", focus=0)


def svg_of(boxes: Sequence[Words], places: DrawingLayout, title: str, focus: int | None = None) -> str:
    """Draw boxes where they stand, one of them in focus; see `svg`."""
    width, height = f"{places.width:g}", f"{places.height:g}"
    links = "".join(f'<path d="{path}"/>' for path in places.paths.values())
    drawn = "".join(
        _box(box, corner, width, number == focus)
        for number, (box, corner, width) in enumerate(zip(boxes, places.corners, places.widths, strict=True))
    )
    tip = '<marker id="rms-tip" class="rms-tip" fill="#87909a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="rms-still" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="{escape(title)}">'
        f"<style>{_STYLE}</style>"
        f'<defs>{tip}markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>'
        f'<g class="rms-links" fill="none" stroke="#87909a" stroke-width="1.2" marker-end="url(#rms-tip)">{links}</g>'
        '<g class="rms-boxes" fill="#fff" stroke="#87909a" stroke-width="1.2" text-anchor="middle" '
        f'font-family="system-ui, sans-serif">{drawn}</g></svg>'
    )


def figure(picture: str, text: str) -> str:
    """Put a picture and its text on a page."""
    return (
        f'<figure style="margin:0;overflow-x:auto">{picture}<details><summary>as text</summary>'
        f'<pre style="line-height:1.35;white-space:pre;overflow-x:auto">{escape(text)}</pre></details></figure>'
    )


def _box(box: Words, corner: Point, width: float, is_in_focus: bool) -> str:
    x, y = corner
    radius = HEIGHT / 2 if box.kind == "task" else 4
    colour = "" if box.is_fine else _COLOURS.get(box.status, _STALE)
    focus = f' stroke="{_FOCUS}" style="stroke:{_FOCUS}" stroke-width="2"' if is_in_focus else ""
    dashes = "" if colour in ("", "#c62f2f") else ' stroke-dasharray="5 3"'
    seen_to = f' stroke="{colour}" style="stroke:{colour}" stroke-width="2"{dashes}' if colour else ""
    mark = _MARKS.get(box.status, _TRIANGLE)
    spot = f"translate({x + width - 18:g} {y + 5:g})"
    middle = f"{x + width / 2:g}"
    lines = (("rms-label", "#1f2328", LABEL, 17.5, box.label), ("rms-sub", "#656d76", SUB, 32, box.sub))
    return (
        f"<g><title>{escape(box.title)}{'' if box.is_fine else f' [{escape(box.status)}]'}</title>"
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{HEIGHT}" rx="{radius:g}"{seen_to or focus}/>'
        + "".join(
            f'<text class="{name}" x="{middle}" y="{y + down:g}" font-size="{font}" fill="{fill}" stroke="none">'
            f"{escape(line)}</text>"
            for name, fill, font, down, line in lines
        )
        + (f'<path d="{mark}" transform="{spot}" fill="{colour}" stroke="none"/>' if colour else "")
        + "</g>"
    )
