"""How is a lineage shown?  As a drawing that can be opened step by step, as a picture, and as text."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import msgspec

from rms_jupyter.harmless import fits_console, one_line
from rms_jupyter.store.ask.lineage import LineageGraph, Node, walk
from rms_jupyter.store.ask.neighbourhood import (
    MOST,
    DrawnPlace,
    LineageView,
    Neighbourhood,
    neighbourhood,
    nodes_of,
    placed,
    slowest,
)
from rms_jupyter.store.store import Store
from rms_jupyter.views.boxes import words
from rms_jupyter.views.drawing import MIME_TYPE, LineageDrawing, Payload, draw, payload
from rms_jupyter.views.picture import figure, svg
from rms_jupyter.views.wording import duration, size

_DEEPEST = 60


class Lineage:
    """What something was made from, and what was made from it; looked up when it is asked for.

    Parameters
    ----------
    store : Store
    view : View
        Which part of it is drawn.
    is_older : callable
        Tells whether a pipe, by its name, has other code now than a version, by its digest.
    """

    def __init__(self, store: Store, view: LineageView, is_older: Callable[[str, str], bool]) -> None:
        self._store, self.view, self._is_older = store, view, is_older

    @cached_property
    def _graph(self) -> LineageGraph:
        view = self.view
        return walk(self._store, view.root, view.up, view.down, view.depth)

    @property
    def nodes(self) -> list[Node]:
        """All tasks and resources, nearest first."""
        return sorted(self._graph.nodes.values(), key=lambda node: (abs(node.depth), node.id))

    @property
    def edges(self) -> list[tuple[int, int, str]]:
        """From, to, role; in the direction of the data."""
        return self._graph.edges

    @property
    def tasks(self) -> list[Node]:
        """The tasks among the nodes."""
        return [node for node in self.nodes if node.kind == "task"]

    @property
    def files(self) -> list[str]:
        """Paths of the files among the nodes."""
        return [node.path for node in self.nodes if node.path]

    def params(self) -> list[dict[str, Any]]:
        """Every parameter and global of the tasks, one row each: ``pipe``, ``name``, ``value``."""
        return [
            {"pipe": node.pipe, "name": name, "value": value, "task": node.id}
            for node in self.tasks
            for name, value in {**node.args, **node.globals}.items()
        ]

    def opened(self, apart: Sequence[int], further: Sequence[int]) -> Lineage:
        """Draw some nodes apart from others alike, and follow some further."""
        view = dataclasses.replace(self.view, apart=tuple(apart), further=tuple(further))
        return Lineage(self._store, view, self._is_older)

    def places_of(self, ids: Sequence[int]) -> dict[int, int]:
        """Find in which box ids are drawn, of those that are."""
        return placed(self._store, self.view, ids)

    def slowest(self, ids: Sequence[int], most: int) -> list[int]:
        """Choose the tasks among ids that took longest, the slowest first."""
        return slowest(self._store, ids, most)

    def nodes_of(self, ids: Sequence[int]) -> dict[int, Node]:
        """Read nodes by their ids, wherever they are."""
        return nodes_of(self._store, ids)

    def around(self) -> Neighbourhood:
        """Collect what is drawn."""
        return neighbourhood(self._store, self.view)

    def drawn(self) -> Payload | None:
        """Draw it; None where nothing is on record."""
        around = self.around()
        return self._payload(around, self._drawing(around)) if around.places else None

    def __len__(self) -> int:
        return len(self._graph.nodes)

    @fits_console
    def __str__(self) -> str:
        view = dataclasses.replace(self.view, room=MOST, steps=2 * _DEEPEST)
        return text_of(neighbourhood(self._store, view))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(self._repr_mimebundle_()["text/html"])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        around = self.around()
        text = text_of(around)
        if not around.places:
            return {"text/plain": text, "text/html": f"<pre>{text}</pre>"}
        drawing = self._drawing(around)
        return {
            MIME_TYPE: msgspec.to_builtins(self._payload(around, drawing)),
            "text/html": figure(svg(drawing), text),
            "image/svg+xml": svg(drawing),
            "text/plain": text,
        }

    def _drawing(self, around: Neighbourhood) -> LineageDrawing:
        return draw(around, [words(place, self._is_older, describe) for place in around.places])

    def _payload(self, around: Neighbourhood, drawing: LineageDrawing) -> Payload:
        return payload(drawing, str(self._store.layout.root), self.view, text_of(around))


def describe(node: Node) -> str:
    """Word a node in one line."""
    status = "" if node.status in ("current", "done") else f"  [{node.status}]"
    if node.kind == "task":
        args = ", ".join(f"{name}={_literal(value)}" for name, value in node.args.items())
        read = ", ".join(f"{name}={_literal(value)}" for name, value in node.globals.items())
        where = f"  cell [{node.cell}]" if node.cell else ""
        return f"{node.pipe}({args}{'; ' + read if read else ''})  {duration(node.seconds)}{where}{status}"
    digest = f"  #{node.digest[:8]}" if node.digest else ""
    if node.path:
        return f"{node.path}  {size(node.size)}{digest}{status}"
    given = f"  given in cell [{node.cell}]" if node.kind == "given" and node.cell else ""
    given = given or ("  given" if node.kind == "given" else "")
    return f"{node.type} {_brief(node.preview, 60)}{digest}{given}{status}"


def _literal(value: Any) -> str:
    return _brief(f'"{value}"' if isinstance(value, str) and not value.startswith("<") else str(value))


def _brief(text: str, width: int = 40) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def example(place: DrawnPlace) -> Node:
    """Give the node of a place; for many files, one with the name that they share."""
    return dataclasses.replace(place.node, path=place.path, digest="") if place.count > 1 else place.node


def text_of(around: Neighbourhood) -> str:
    """Write a neighbourhood as a tree, inputs below what was made from them."""
    if not around.places:
        return "(nothing on record)"
    tree = _Tree(around)
    return "\n".join([tree.line(0), *tree.branch(0, tree.inputs, ""), *tree.uses()])


class _Tree:
    def __init__(self, around: Neighbourhood) -> None:
        self._around = around
        self._seen = {0}
        self.inputs: dict[int, list[int]] = {}
        self._outputs: dict[int, list[int]] = {}
        for start, end, _, _ in around.links:
            self.inputs.setdefault(end, []).append(start)
            self._outputs.setdefault(start, []).append(end)

    def line(self, number: int) -> str:
        place = self._around.places[number]
        times = f" ×{place.count:,}" if place.count > 1 else ""
        return one_line(describe(example(place)), 500) + times

    def uses(self) -> list[str]:
        self._seen = {0}
        return ["used for", *self.branch(0, self._outputs, "")] if self._outputs.get(0) else []

    def branch(self, number: int, next_to: dict[int, list[int]], indent: str) -> list[str]:
        """Give the lines of everything behind a place; what was shown before is not repeated."""
        if len(indent) > 3 * _DEEPEST:
            return [f"{indent}└─ …"]
        lines = []
        place = self._around.places[number]
        rest = place.above if next_to is self.inputs else place.below
        behind = next_to.get(number, [])
        for n, other in enumerate(behind, 1):
            last = n == len(behind) and not rest
            again = other in self._seen and bool(next_to.get(other))
            lines.append(f"{indent}{'└─ ' if last else '├─ '}{self.line(other)}{'  (see above)' if again else ''}")
            if not again:
                self._seen.add(other)
                lines += self.branch(other, next_to, indent + ("   " if last else "│  "))
        return [*lines, f"{indent}└─ … {rest:,} more"] if rest else lines
