"""Where does each box of a lineage's drawing stand?  In layers from left to right, in the direction of the data.

A drawing that is wider than its room goes on below, as text does: so all of a long chain is in sight, at a size that
can be read.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from rms_jupyter.views.boxes import HEIGHT

Link = tuple[int, int]
Point = tuple[float, float]

_GAP, _PITCH, _MARGIN = 32, 58, 14
_FEW, _BEND = 600, 0.4
_ROOM, _HIGHEST = 836, 460  # A notebook in a window of 1280 pixels, and what it shows of a view at once.
_BETWEEN, _TURN = 44, 20


@dataclass(frozen=True)
class DrawingLayout:
    """Top left corners and widths of boxes, the paths of links as SVG writes them, and the size of all, in pixels."""

    corners: list[Point]
    layers: list[int]
    widths: list[float]
    paths: dict[Link, str]
    width: float
    height: float


def layout(widths: Sequence[float], links: Sequence[Link], backward: bool) -> DrawingLayout:
    """Lay out boxes.

    Parameters
    ----------
    widths : sequence of float
        What each box needs; those of one layer get the same.
    links : sequence of (int, int)
        From, to; no box to itself.
    backward : bool
        Inputs stand beside what uses them; otherwise results beside what made them.
    """
    forward = acyclic(len(widths), links)
    spots, bends = _spots(len(widths), list(dict.fromkeys(forward)), backward)
    everywhere = [*spots, *(spot for chain in bends.values() for spot in chain)]
    layers = _Layers(everywhere, [*widths, *[0.0] * (len(everywhere) - len(spots))], _ROOM)
    if layers.height > _HIGHEST:
        layers = layers.in_one_row()
    paths = {}
    for link, turned in zip(links, forward, strict=True):
        start, end = turned
        path = [spots[start], *bends.get(turned, []), spots[end]]
        paths[link] = layers.path(path if link == turned else path[::-1])
    corners = [layers.corner(spot) for spot in spots]
    numbers = [round(layer) for layer, _ in spots]
    box_widths = [layers.widths[layer] for layer, _ in spots]
    return DrawingLayout(corners, numbers, box_widths, paths, layers.width, layers.height)


class _Layers:
    """Where the layers begin, how wide they are, and in which row of the drawing they stand."""

    def __init__(self, spots: Sequence[Point], widths: Sequence[float], room: float) -> None:
        self._spots, self._needs = spots, widths
        self.widths: dict[float, float] = defaultdict(float)
        for (layer, _), width in zip(spots, widths, strict=True):
            self.widths[layer] = max(self.widths[layer], round(width))
        order = sorted(self.widths)
        rows = in_rows([self.widths[layer] for layer in order], room)
        self._row = dict(zip(order, rows, strict=True))
        self._margin = _TURN if rows[-1] else _MARGIN
        self._left: dict[float, float] = {}
        self._ends: list[float] = [self._margin - _GAP] * (rows[-1] + 1)
        for layer in order:
            row = self._row[layer]
            self._left[layer] = self._ends[row] + _GAP
            self._ends[row] = self._left[layer] + self.widths[layer]
        self._tops, self.height = self._rows_from_above()

    def in_one_row(self) -> _Layers:
        return _Layers(self._spots, self._needs, math.inf)

    @property
    def width(self) -> float:
        return max(self._ends) + self._margin

    def corner(self, spot: Point) -> Point:
        return self._left[spot[0]], round(self._tops[self._row[spot[0]]] + spot[1] * _PITCH, 1)

    def path(self, spots: Sequence[Point]) -> str:
        """Draw a link from the right side of a box, straight through the layers between, to the left of another."""
        x, y = self._right(spots[0])
        steps = [f"M{x:g} {y:g}"]
        for before, spot in pairwise(spots):
            left, top = self.corner(spot)
            half, end = (x + left) / 2, top + HEIGHT / 2
            if self._row[before[0]] == self._row[spot[0]]:
                steps.append(f"C{half:g} {y:g} {half:g} {end:g} {left:g} {end:g}")
            else:
                steps.append(self._turn(before, spot, y, end))
            x, y = self._right(spot)
            steps.append(f"H{x:g}")
        return "".join(steps[:-1])

    def _turn(self, before: Point, spot: Point, y: float, end: float) -> str:
        """Go round the end of a row, back between the rows, and to the beginning of the other."""
        right, left = self._ends[self._row[before[0]]], self._left[spot[0]]
        between = self._between[max(self._row[before[0]], self._row[spot[0]])]
        there = f"H{right:g}C{right + _TURN:g} {y:g} {right + _TURN:g} {between:g} {right:g} {between:g}"
        return f"{there}H{left:g}C{left - _TURN:g} {between:g} {left - _TURN:g} {end:g} {left:g} {end:g}"

    def _right(self, spot: Point) -> Point:
        left, top = self.corner(spot)
        return left + self.widths[spot[0]], top + HEIGHT / 2

    def _rows_from_above(self) -> tuple[list[float], float]:
        """Give what is added to the place of each row's boxes, and the height of all rows."""
        within: list[list[float]] = [[] for _ in self._ends]
        for layer, y in self._spots:
            within[self._row[layer]].append(y * _PITCH)
        tops, self._between = [], []
        top: float = _MARGIN
        for places in within:
            self._between.append(top - _BETWEEN / 2)
            tops.append(top - min(places))
            top += max(places) - min(places) + HEIGHT + _BETWEEN
        return tops, round(top - _BETWEEN + _MARGIN, 1)


def in_rows(widths: Sequence[float], room: float) -> list[int]:
    """Give each layer its row: as few rows as the room allows, and those about as wide as one another.

    Examples
    --------
    >>> in_rows([100] * 5, 500)
    [0, 0, 0, 1, 1]
    >>> in_rows([100] * 5, math.inf)
    [0, 0, 0, 0, 0]
    """
    fewest = _filled(widths, room)
    if not fewest[-1]:
        return fewest
    tighter = (_filled(widths, limit) for limit in range(int(max(widths)), int(room), 8))
    return next((rows for rows in tighter if rows[-1] == fewest[-1]), fewest)


def _filled(widths: Sequence[float], room: float) -> list[int]:
    rows, end = [0], 2.0 * _TURN + widths[0]
    for width in widths[1:]:
        end += _GAP + width
        rows.append(rows[-1] + (end > room))
        if end > room:
            end = 2.0 * _TURN + width
    return rows


def acyclic(count: int, links: Sequence[Link]) -> list[Link]:
    """Turn links round so that there is no cycle; places that stand for many nodes can have some.

    Examples
    --------
    >>> acyclic(3, [(0, 1), (1, 2), (2, 0)])
    [(0, 1), (1, 2), (0, 2)]
    """
    after: dict[int, list[int]] = defaultdict(list)
    for start, end in links:
        after[start].append(end)
    finished: dict[int, int] = {}
    for first in range(count):
        waiting = [(first, iter(after[first]))] if first not in finished else []
        seen = {first}
        while waiting:
            number, rest = waiting[-1]
            following = next((n for n in rest if n not in seen and n not in finished), None)
            if following is None:
                finished[number] = len(finished)
                waiting.pop()
            else:
                seen.add(following)
                waiting.append((following, iter(after[following])))
    return [(a, b) if finished[a] > finished[b] else (b, a) for a, b in links]


def _spots(count: int, links: Sequence[Link], backward: bool) -> tuple[list[Point], dict[Link, list[Point]]]:
    """Give each box its layer and its place there; and of each long link those in the layers that it crosses."""
    from fast_sugiyama import from_edges

    linked = sorted({number for link in links for number in link})
    dense = {number: n for n, number in enumerate(linked)}  # Numbers from there on are bends.
    drawn = from_edges(
        [(dense[start], dense[end]) for start, end in links],
        vertex_spacing=1,
        dummy_vertices=True,
        dummy_size=_BEND,
        ranking_type="down" if backward else "up",
        transpose=len(links) <= _FEW,
    )
    parts = cast("list[tuple[list[tuple[int, Point]], float, float, list[Link]]]", drawn)
    spots: dict[int, Point] = {}
    bends: dict[Link, list[Point]] = {}
    top = 0.0
    for positions, _, _, pieces in parts:
        at = _upright(positions, top)
        top = max(y for _, y in at.values()) + 1
        spots |= {linked[n]: spot for n, spot in at.items() if n < len(linked)}
        bends |= {(linked[a], linked[b]): [at[n] for n in chain] for (a, b), chain in _chains(pieces, len(linked))}
    for number in range(count):
        if number not in spots:
            spots[number] = 0.0, top
            top += 1
    return [spots[number] for number in range(count)], bends


def _upright(positions: Sequence[tuple[int, Point]], top: float) -> dict[int, Point]:
    """Turn a part so that layers go from left to right, and put it below the earlier ones."""
    layers, least = max(y for _, (_, y) in positions), min(x for _, (x, _) in positions)
    return {number: (layers - y, top + x - least) for number, (x, y) in positions}


def _chains(pieces: Sequence[Link], count: int) -> Iterator[tuple[Link, list[int]]]:
    """Put the pieces of long links together: from, to, and the bends between."""
    following = {start: end for start, end in pieces if start >= count}
    for start, end in pieces:
        if start < count <= end:
            chain = [end]
            while (number := following[chain[-1]]) >= count:
                chain.append(number)
            yield (start, number), chain
