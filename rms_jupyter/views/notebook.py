"""How does a whole notebook look?  Its pipes and cells, the files that came in and went out, and what is stale."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from rms_jupyter.harmless import fits_console, one_line
from rms_jupyter.store.ask.notebook import FileGroup, NotebookGraph, PipeCalls
from rms_jupyter.views.boxes import LABEL, SUB, Words, fit
from rms_jupyter.views.layout import Link, layout
from rms_jupyter.views.picture import figure, svg_of
from rms_jupyter.views.wording import duration, size

_WIDEST = 200


class NotebookView:
    """The pipes and cells of a notebook, and what went from one to the other.

    Parameters
    ----------
    graph : NotebookGraph
    notebook : str
        Its name; '' for everything on record.
    is_older : callable
        Tells whether a pipe, by its name, has other code now than a version, by its digest.
    """

    def __init__(self, graph: NotebookGraph, notebook: str, is_older: Callable[[str, str], bool]) -> None:
        self.graph, self.notebook, self._is_older = graph, notebook, is_older

    @property
    def stale(self) -> list[str]:
        """Names of the pipes that have other code now than when they ran last."""
        return [pipe.name for pipe in self.graph.pipes if self._is_older(pipe.name, pipe.version)]

    @cached_property
    def _boxes(self) -> list[Words]:
        stale = set(self.stale)
        return [
            *(_pipe(pipe, pipe.name in stale) for pipe in self.graph.pipes),
            *(_file(file) for file in self.graph.files),
        ]

    @cached_property
    def _links(self) -> list[Link]:
        number = {pipe.name: n for n, pipe in enumerate(self.graph.pipes)}
        links = [(number[start], number[end]) for start, end in self.graph.links]
        for n, file in enumerate(self.graph.files, len(number)):
            links += [(number[name], n) if file.made else (n, number[name]) for name in file.pipes]
        return links

    @fits_console
    def __str__(self) -> str:
        sources: dict[int, list[str]] = {}
        for start, end in self._links:
            sources.setdefault(end, []).append(self._boxes[start].label)
        lines = (
            f"{box.title}{'' if box.is_fine else f'  [{box.status}]'}{'  ← ' if n in sources else ''}"
            + ", ".join(sources.get(n, ()))
            for n, box in enumerate(self._boxes)
        )
        return "\n".join(lines) or "(nothing on record)"

    __repr__ = __str__

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        text = str(self)
        if not self._boxes:
            return {"text/plain": text, "text/html": f"<pre>{text}</pre>"}
        places = layout([box.width for box in self._boxes], self._links, backward=False)
        title = one_line(f"pipes of {self.notebook}" if self.notebook else "pipes of everything on record")
        return {"text/plain": text, "text/html": figure(svg_of(self._boxes, places, title), text)}


def _pipe(pipe: PipeCalls, is_stale: bool) -> Words:
    told = [
        *([f"cell [{pipe.cell}]"] if pipe.cell else []),
        *([f"{pipe.failed:,} failed"] if pipe.failed else []),
        duration(pipe.seconds),
    ]
    times = f" ×{pipe.calls:,}" if pipe.calls > 1 else ""
    status = "stale" if is_stale else "failed" if pipe.failed else "done"
    return _words("task", f"{pipe.name}{times}", " · ".join(told), status)


def _file(file: FileGroup) -> Words:
    times = f" ×{file.files:,}" if file.files > 1 else ""
    name = file.path.rpartition("/")[2] or file.path
    return _words("file", f"{name}{times}", f"file · {size(file.size)}", "current")


def _words(kind: Any, label: str, sub: str, status: str) -> Words:
    label = one_line(label)
    return Words(kind, fit(label, _WIDEST, LABEL), fit(sub, _WIDEST, SUB), f"{label}  {sub}", status)
