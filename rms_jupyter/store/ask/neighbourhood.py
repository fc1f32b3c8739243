"""What is drawn around a node?  The nearest part of its lineage, with many alike drawn as one.

The store is walked level by level and folded in the database, so that only what is drawn is read: a merge of 10,000
samples is a dozen places.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.ask.lineage import Node, read_nodes

if TYPE_CHECKING:
    import duckdb

    from rms_jupyter.store.store import Store

MOST = 300
_UP, _DOWN = ("child", "parent"), ("parent", "child")
_STEPS_FURTHER, _ROOM_FURTHER, _ROOM_APART = 4, 24, 8


@dataclass(frozen=True, slots=True)
class DrawnPlace:
    """What is drawn in one place: a node, or many alike.

    Attributes
    ----------
    node : Node
        The only one, or the first.
    count : int
    members : tuple of int
        Ids, the first few.
    steps : int
        Links between it and the root; negative for what was made from the root.
    seconds, size : float, int
        Of all together.
    shared : frozenset of str
        Names of the settings that all tasks here have in common.
    varied : tuple of str
        The values of the other settings, as in ``k=15``, where they are few.
    path : str
        With ``*`` for what differs between the files.
    above, below : int
        Number of nodes next to it that are not drawn.
    """

    node: Node
    count: int
    members: tuple[int, ...]
    steps: int
    seconds: float
    size: int
    shared: frozenset[str]
    varied: tuple[str, ...]
    path: str
    above: int
    below: int


@dataclass(frozen=True)
class Neighbourhood:
    """Places, the root first, and links between their numbers in the direction of the data: from, to, role, times."""

    places: list[DrawnPlace] = field(default_factory=list)
    links: list[tuple[int, int, str, int]] = field(default_factory=list)


@dataclass(frozen=True)
class LineageView:
    """Which part of a lineage is wanted.

    Attributes
    ----------
    root : int
    up, down : bool
    depth : int or None
        Calls away, at most.
    apart : tuple of int
        Ids that are not to be folded with others alike.
    further : tuple of int
        Ids of drawn nodes to be followed beyond `depth` and `room`.
    room : int
        Places drawn at most, but for those of `apart` and `further`.
    steps : int
        Links away, at most, where no depth is given.
    """

    root: int
    up: bool = True
    down: bool = True
    depth: int | None = None
    apart: tuple[int, ...] = ()
    further: tuple[int, ...] = ()
    room: int = 60
    steps: int = 24


def neighbourhood(store: Store, view: LineageView) -> Neighbourhood:
    """Collect what is drawn; empty where the root is not on record."""
    store.ingest()
    with store.database.lease() as engine:
        return _walked(engine, view).drawn()


def placed(store: Store, view: LineageView, ids: Sequence[int]) -> dict[int, int]:
    """Find the numbers of the places in which ids are drawn, alone or with others; of those that are."""
    store.ingest()
    with store.database.lease() as engine:
        _walked(engine, view)
        found = engine.execute(
            "SELECT id, place FROM drawn WHERE id IN (SELECT unnest(?::BIGINT[]))", [list(ids)]
        ).fetchall()
        return dict(found)


def slowest(store: Store, ids: Sequence[int], most: int) -> list[int]:
    """Choose the tasks among ids that took longest, the slowest first."""
    query = "SELECT id FROM raw.tasks WHERE id IN (SELECT unnest(?::BIGINT[])) ORDER BY seconds DESC, id LIMIT ?"
    return [ident for (ident,) in store.fetch(query, [list(ids), most])]


def nodes_of(store: Store, ids: Sequence[int]) -> dict[int, Node]:
    """Read nodes by their ids."""
    if not ids:
        return {}
    with store.database.lease() as engine:
        return read_nodes(engine, dict.fromkeys(ids, 0))


def _walked(engine: duckdb.DuckDBPyConnection, view: LineageView) -> _Walk:
    walk = _Walk(engine, view)
    walk.around()
    for ident in view.further:
        walk.beyond(ident)
    return walk


class _Walk:
    def __init__(self, engine: duckdb.DuckDBPyConnection, view: LineageView) -> None:
        self._engine, self._view = engine, view
        self._steps = [0]
        for name, ids in (("drawn", [view.root]), ("apart", view.apart)):
            engine.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT unnest(?::BIGINT[]) AS id", [list(ids)])
        engine.execute("ALTER TABLE drawn ADD COLUMN place INTEGER DEFAULT 0")
        for name, (near, far) in (("way_up", _DOWN), ("way_down", _UP)):
            engine.execute(_sql("way", name=name, near=near, far=far))

    def around(self) -> None:
        """Go outward from the root, in turn up and down."""
        view = self._view
        fronts = {_UP: [0] if view.up else [], _DOWN: [0] if view.down else []}
        most = view.steps if view.depth is None else 2 * view.depth
        room = min(MOST, view.room + _ROOM_APART * len(view.apart))
        for step in range(1, most + 1):
            for direction, front in fronts.items():
                fronts[direction] = self._step(front, direction, step, room)

    def beyond(self, ident: int) -> None:
        """Go outward from one place."""
        found = self._engine.execute("SELECT place FROM drawn WHERE id = ?", [ident]).fetchone()
        if found is None:
            return
        steps = self._steps[found[0]]
        room = min(MOST, len(self._steps) + _ROOM_FURTHER)
        for direction, wanted in ((_UP, self._view.up and steps >= 0), (_DOWN, self._view.down and steps <= 0)):
            front = [found[0]] if wanted else []
            for step in range(1, _STEPS_FURTHER + 1):
                front = self._step(front, direction, abs(steps) + step, room)

    def drawn(self) -> Neighbourhood:
        """Read what there is to say of the places."""
        rows = self._engine.execute(sql_text("queries/places.sql")).fetchall()
        nodes = read_nodes(self._engine, {row[2]: self._steps[row[0]] for row in rows})
        if self._view.root not in nodes:
            return Neighbourhood()
        above = self._hidden(_UP, [n for n, steps in enumerate(self._steps) if steps >= 0 and self._view.up])
        below = self._hidden(_DOWN, [n for n, steps in enumerate(self._steps) if steps <= 0 and self._view.down])
        shared, varied = self._settings({row[0]: nodes[row[2]] for row in rows if row[1] > 1})
        places = [
            DrawnPlace(
                nodes[first], count, tuple(members), self._steps[number], seconds, size,
                frozenset(shared[number]), tuple(varied[number]), pattern(*paths),
                above.get(number, 0), below.get(number, 0),
            )
            for number, count, first, members, seconds, size, *paths in rows
        ]  # fmt: skip
        links = self._engine.execute(sql_text("queries/drawn_links.sql")).fetchall()
        return Neighbourhood(places, [(start, end, role or "", times) for start, end, role, times in links])

    def _step(self, front: Sequence[int], direction: tuple[str, str], steps: int, room: int) -> list[int]:
        """Draw what is one step from some places, as far as there is room; gives the new places."""
        first = len(self._steps)
        if not front or first >= room:
            return []
        (near, far), way = direction, "way_up" if direction is _UP else "way_down"
        self._engine.execute(_sql("reach", places=_listed(front), near=near, far=far, way=way))
        self._engine.execute(
            "INSERT INTO drawn SELECT id, ? + number - 1 FROM reached WHERE number <= ?", [first, room - first]
        )
        [(last,)] = self._engine.execute("SELECT max(place) FROM drawn").fetchall()
        self._steps += [steps if direction is _UP else -steps] * (last + 1 - first)
        return list(range(first, last + 1))

    def _hidden(self, direction: tuple[str, str], places: Sequence[int]) -> dict[int, int]:
        if not places:
            return {}
        near, far = direction
        return dict(self._engine.execute(_sql("hidden", places=_listed(places), near=near, far=far)).fetchall())

    def _settings(self, folded: dict[int, Node]) -> tuple[dict[int, set[str]], dict[int, list[str]]]:
        """Tell which settings those alike have in common, and which values the others have."""
        shared: dict[int, set[str]] = defaultdict(set)
        varied: dict[int, list[str]] = defaultdict(list)
        asked = [(place, name, f"$.{json.dumps(name)}") for place, node in folded.items() for name in node.settings]
        if asked:
            found = self._engine.execute(_sql("shared_settings"), [list(column) for column in zip(*asked, strict=True)])
            for place, name, is_shared, values in found.fetchall():
                if is_shared:
                    shared[place].add(name)
                varied[place] += [f"{name}={value}" for value in values]
        return shared, varied


def pattern(first: str | None, last: str | None, first_reversed: str | None, last_reversed: str | None) -> str:
    """Write many paths as one, given the first and last of them in order, and of their reverses.

    Examples
    --------
    >>> pattern("d/s_1.bam", "d/s_30.bam", "mab.03_s/d", "mab.1_s/d")
    'd/s_*.bam'
    >>> pattern("a.txt", "a.txt", "txt.a", "txt.a")
    'a.txt'
    """
    if first is None or last is None or first == last:
        return first or ""
    begin = _common(first, last)
    end = _common(first_reversed or "", last_reversed or "")[::-1]
    return f"{begin}*{end[max(0, len(begin) + len(end) - min(len(first), len(last))) :]}"


def _common(a: str, b: str) -> str:
    for n, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return a[:n]
    return min(a, b, key=len)


def _sql(query: str, **parts: str) -> str:
    text = sql_text(f"queries/{query}.sql")
    for part, value in parts.items():
        text = text.replace(f"{{{part}}}", value)
    return text


def _listed(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))
