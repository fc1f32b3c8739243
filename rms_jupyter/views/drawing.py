"""How does a lineage travel to what draws it?  Boxes with their words and places, links with their paths."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct

from rms_jupyter.harmless import one_line
from rms_jupyter.store.ask.lineage import Kind
from rms_jupyter.store.ask.neighbourhood import DrawnPlace, LineageView, Neighbourhood
from rms_jupyter.views.boxes import HEIGHT, Words
from rms_jupyter.views.layout import DrawingLayout, layout

MIME_TYPE = "application/vnd.rms.lineage.v1+json"


class Extent(Struct, frozen=True):
    """Which part of a lineage is drawn; ids are strings."""

    id: str
    up: bool
    down: bool
    depth: int | None
    apart: list[str]
    further: list[str]


class Box(Struct, frozen=True):
    """One node, or many alike, in a layer; `above` and `below` count what is next to it and not drawn.

    `searches` find some of many calls alike: the slowest, and those with one value of a parameter.
    """

    id: str
    kind: Kind
    label: str
    sub: str
    title: str
    status: str
    count: int
    members: list[str]
    layer: int
    x: float
    y: float
    width: float
    above: int
    below: int
    searches: list[str]
    sql: str


class Link(Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """From one box to another, by their numbers."""

    start: int
    end: int
    path: str
    role: str
    times: int


class Payload(Struct, frozen=True, rename={"box_height": "boxHeight"}):
    """A lineage as it is drawn; the first of `nodes` is what was asked for."""

    store: str
    view: Extent
    width: float
    height: float
    box_height: int
    nodes: list[Box]
    links: list[Link]
    text: str
    sql: str


@dataclass(frozen=True)
class LineageDrawing:
    """A neighbourhood, laid out; the first box is what was asked for."""

    around: Neighbourhood
    boxes: list[Words]
    layout: DrawingLayout


def draw(around: Neighbourhood, boxes: list[Words]) -> LineageDrawing:
    """Lay a neighbourhood out."""
    links = [(start, end) for start, end, _, _ in around.links]
    inputs = sum(place.steps > 0 for place in around.places)
    return LineageDrawing(around, boxes, layout([box.width for box in boxes], links, backward=2 * inputs >= len(boxes)))


def payload(drawing: LineageDrawing, store: str, view: LineageView, text: str) -> Payload:
    """Write a drawing as front ends are given it."""
    around, places = drawing.around, drawing.layout
    return Payload(
        store,
        _extent(view),
        places.width,
        places.height,
        HEIGHT,
        [_box(drawing, number, view) for number in range(len(drawing.boxes))],
        [
            Link(start, end, places.paths[start, end], one_line(role, 60), times)
            for start, end, role, times in around.links
        ],
        text,
        _same_set(view),
    )


def _extent(view: LineageView) -> Extent:
    apart, further = (list(map(str, ids)) for ids in (view.apart, view.further))
    return Extent(str(view.root), view.up, view.down, view.depth, apart, further)


def _box(drawing: LineageDrawing, number: int, view: LineageView) -> Box:
    place, words, (x, y) = drawing.around.places[number], drawing.boxes[number], drawing.layout.corners[number]
    return Box(
        id=str(place.node.id),
        kind=words.kind,
        label=words.label,
        sub=words.sub,
        title=words.title,
        status=words.status,
        count=place.count,
        members=list(map(str, place.members)) if place.count > 1 else [],
        layer=drawing.layout.layers[number],
        x=x,
        y=y,
        width=drawing.layout.widths[number],
        above=place.above,
        below=place.below,
        searches=_searches(place),
        sql=_same_box(place, view),
    )


def _searches(place: DrawnPlace) -> list[str]:
    if place.count == 1 or place.node.kind != "task":
        return []
    told = [value for value in place.varied if len(value) <= 40 and not any(map(str.isspace, value))]
    return [f"pipe:{place.node.pipe} {term}" for term in ("slowest:8", *told)]


def _same_box(place: DrawnPlace, view: LineageView) -> str:
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


def _same_set(view: LineageView) -> str:
    """Write the query that gives the whole of what the drawing shows a part of."""
    within = "" if view.depth is None else f" WHERE depth <= {view.depth}"
    macros = [name for name, wanted in (("ancestors", view.up), ("descendants", view.down)) if wanted]
    own = f"SELECT * FROM nodes WHERE id = {view.root}"
    return "\nUNION ALL\n".join(f"SELECT * FROM {macro}({view.root}){within}" for macro in macros) or own
