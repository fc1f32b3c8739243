"""Which pipes did a notebook call, and what went from one to the other?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.ask.neighbourhood import pattern

if TYPE_CHECKING:
    import duckdb

    from rms_jupyter.store.store import Store


class PipeCalls(NamedTuple):
    """The calls of a pipe, or of a cell that is one, with the code that ran last."""

    name: str
    version: str
    calls: int
    failed: int
    seconds: float
    cell: int | None


class FileGroup(NamedTuple):
    """Files that the same pipes read, or that one made for no other; `path` has ``*`` for what differs."""

    made: bool
    pipes: list[str]
    files: int
    size: int
    path: str


@dataclass(frozen=True)
class NotebookGraph:
    """Pipes in the order of their first calls, files that came in and went out, and which pipe's results which used."""

    pipes: list[PipeCalls]
    files: list[FileGroup]
    links: list[tuple[str, str]]


def notebook_graph(store: Store, notebook: str) -> NotebookGraph:
    """Collect the graph of a notebook; of everything on record where its name is ''."""

    def collect(engine: duckdb.DuckDBPyConnection) -> NotebookGraph:
        engine.execute(sql_text("queries/notebook_calls.sql"), {"notebook": notebook})
        pipes, files, links = (
            engine.execute(sql_text(f"queries/notebook_{name}.sql")).fetchall() for name in ("pipes", "files", "links")
        )
        return NotebookGraph(
            [PipeCalls(*row) for row in pipes],
            [FileGroup(made, names, many, size, pattern(*paths)) for made, names, many, size, *paths in files],
            links,
        )

    return store.use(collect)
