"""How does a lineage travel to what draws it?  Boxes with their words and places, links with their paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rms_jupyter.handles.boxes import HEIGHT, Box
from rms_jupyter.handles.layout import Layout, layout
from rms_jupyter.harmless import one_line
from rms_jupyter.store.neighbourhood import Neighbourhood, Place, View

MIME_TYPE = "application/vnd.rms.lineage.v1+json"


@dataclass(frozen=True)
class Drawing:
    """A neighbourhood, laid out; the first box is what was asked for."""

    around: Neighbourhood
    boxes: list[Box]
    layout: Layout


def draw(around: Neighbourhood, boxes: list[Box]) -> Drawing:
    """Lay a neighbourhood out."""
    links = [(start, end) for start, end, _, _ in around.links]
    inputs = sum(place.steps > 0 for place in around.places)
    return Drawing(around, boxes, layout([box.width for box in boxes], links, backward=2 * inputs >= len(boxes)))


def payload(drawing: Drawing, store: str, view: View, text: str) -> dict[str, Any]:
    """Write a drawing as JSON holds it; ids are strings."""
    around, places = drawing.around, drawing.layout
    return {
        "store": store,
        "view": {
            "id": str(view.root),
            "up": view.up,
            "down": view.down,
            "depth": view.depth,
            "apart": list(map(str, view.apart)),
            "further": list(map(str, view.further)),
        },
        "width": places.width,
        "height": places.height,
        "boxHeight": HEIGHT,
        "nodes": [
            {
                "id": str(place.node.id),
                "kind": box.kind,
                "label": box.label,
                "sub": box.sub,
                "title": box.title,
                "status": box.status,
                "count": place.count,
                "members": list(map(str, place.members)) if place.count > 1 else [],
                "x": x,
                "y": y,
                "width": width,
                "above": place.above,
                "below": place.below,
                "sql": _same_box(place, view),
            }
            for place, box, (x, y), width in zip(
                around.places, drawing.boxes, places.corners, places.widths, strict=True
            )
        ],
        "links": [
            {"from": start, "to": end, "path": places.paths[start, end], "role": one_line(role, 60), "times": times}
            for start, end, role, times in around.links
        ],
        "text": text,
        "sql": _same_set(view),
    }


def _same_box(place: Place, view: View) -> str:
    """Write the query that gives what a box stands for."""
    node = place.node
    table = "tasks" if node.kind == "task" else "files" if node.kind == "file" else "resources"
    if place.count == 1:
        return f"SELECT * FROM {table} WHERE id = {node.id}"
    told = {"pipe": node.pipe, "status": node.status}
    told |= {"version": node.version} if table == "tasks" else {"type": node.type} if table == "resources" else {}
    macro = "ancestors" if place.steps > 0 else "descendants"
    conditions = [f"{name} = {_quoted(value)}" if value else f"{name} IS NULL" for name, value in told.items()]
    conditions.append(f"id IN (SELECT id FROM {macro}({view.root}))")
    if view.apart:
        conditions.append(f"id NOT IN ({', '.join(map(str, view.apart))})")
    return f"SELECT * FROM {table}\nWHERE " + "\n  AND ".join(conditions)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _same_set(view: View) -> str:
    """Write the query that gives the whole of what the drawing shows a part of."""
    within = "" if view.depth is None else f" WHERE depth <= {view.depth}"
    macros = [name for name, wanted in (("ancestors", view.up), ("descendants", view.down)) if wanted]
    own = f"SELECT * FROM nodes WHERE id = {view.root}"
    return "\nUNION ALL\n".join(f"SELECT * FROM {macro}({view.root}){within}" for macro in macros) or own
