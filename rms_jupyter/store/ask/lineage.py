"""What was this made from, and what was made from it?  Walks the graph level by level."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from rms_jupyter.fingerprint.preview import as_python
from rms_jupyter.store.ask.database import sql_text

if TYPE_CHECKING:
    import duckdb

    from rms_jupyter.store.store import Store

Kind = Literal["task", "file", "value", "given"]

_INPUT = re.compile(r"^<|/|\.[A-Za-z]\w{0,4}$")  # As arguments show values and files.


@dataclass(frozen=True, slots=True)
class Node:
    """A task or resource in a lineage.

    Attributes
    ----------
    depth : int
        Calls between it and what was asked for; negative for what was made from that.
    """

    id: int
    kind: Kind
    pipe: str
    args: dict[str, Any]
    path: str
    status: str
    seconds: float
    type: str
    size: int
    preview: str
    digest: str
    globals: dict[str, Any]
    notebook: str
    cell: int
    started: float
    version: str
    depth: int

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments and globals that are no inputs: neither files nor values with a node of their own."""
        return {name: value for name, value in {**self.args, **self.globals}.items() if _is_setting(value)}


@dataclass
class LineageGraph:
    """A part of the provenance graph: nodes by id, and edges (from, to, role) in the direction of the data."""

    root: int
    nodes: dict[int, Node] = field(default_factory=dict)
    edges: list[tuple[int, int, str]] = field(default_factory=list)


def walk(store: Store, root: int, up: bool = True, down: bool = True, depth: int | None = None) -> LineageGraph:
    """Collect what a node was made from (`up`) and what was made from it (`down`).

    Parameters
    ----------
    store : Store
    root : int
        Id of a task or resource.
    up, down : bool
    depth : int, optional
        At most so many calls away; all of it if not given.
    """
    store.ingest()
    with store.database.lease() as engine:
        graph = LineageGraph(root)
        steps = {root: 0}
        most = None if depth is None else 2 * depth
        if up:
            _spread(engine, graph, steps, "child", "parent", 1, most)
        if down:
            _spread(engine, graph, steps, "parent", "child", -1, most)
        graph.edges = list(dict.fromkeys(graph.edges))
        graph.nodes = read_nodes(engine, steps)
    return graph


def everything(store: Store) -> LineageGraph:
    """Collect the whole graph."""

    def collect(engine: duckdb.DuckDBPyConnection) -> LineageGraph:
        ids = engine.execute("SELECT id FROM raw.tasks UNION ALL SELECT id FROM raw.resources").fetchall()
        edges = engine.execute("SELECT DISTINCT parent, child, coalesce(role, '') FROM raw.links").fetchall()
        return LineageGraph(0, read_nodes(engine, dict.fromkeys((ident for (ident,) in ids), 0)), edges)

    return store.use(collect)


def read_nodes(engine: duckdb.DuckDBPyConnection, steps: dict[int, int]) -> dict[int, Node]:
    """Read nodes by id, given the links between each and what was asked for."""
    query = sql_text("queries/nodes.sql").replace("{ids}", ",".join(map(str, steps)))
    return {row[0]: _node(row, steps[row[0]]) for row in engine.execute(query).fetchall()}


def _spread(
    engine: duckdb.DuckDBPyConnection,
    graph: LineageGraph,
    steps: dict[int, int],
    near: str,
    far: str,
    sign: int,
    most: int | None,
) -> None:
    edge = [graph.root]
    distance = 0
    while edge and (most is None or distance < most):
        distance += 1
        found = engine.execute(
            f"SELECT child, parent, role FROM raw.links WHERE {near} IN ({','.join(map(str, edge))})"
        ).fetchall()
        edge = []
        for child, parent, role in found:
            graph.edges.append((parent, child, role or ""))
            new = parent if far == "parent" else child
            if new not in steps:
                steps[new] = sign * distance
                edge.append(new)


def _is_setting(value: Any) -> bool:
    return not isinstance(value, (list, dict)) and not (isinstance(value, str) and _INPUT.search(value))


def _node(row: tuple[Any, ...], steps: int) -> Node:
    (
        ident,
        kind,
        pipe,
        args,
        path,
        status,
        seconds,
        kind_of_value,
        size,
        preview,
        digest,
        globals_,
        notebook,
        cell,
        at,
        version,
    ) = row
    return Node(
        id=ident,
        kind=kind,
        pipe=pipe or "",
        args=msgspec.json.decode(args) if args else {},
        path=path or "",
        status=status,
        seconds=seconds or 0.0,
        type=kind_of_value or "",
        size=size or 0,
        preview=as_python(preview or ""),
        digest=digest or "",
        globals=msgspec.json.decode(globals_) if globals_ else {},
        notebook=notebook or "",
        cell=cell or 0,
        started=at.timestamp() if at else 0.0,
        version=version or "",
        depth=(abs(steps) + 1) // 2 * (1 if steps >= 0 else -1),
    )
