"""Where does each box of a lineage's drawing stand?  In layers from left to right, in the direction of the data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from rms_jupyter.views.boxes import HEIGHT

Link = tuple[int, int]
Point = tuple[float, float]

_GAP, _PITCH, _MARGIN = 32, 58, 14
_FEW, _BEND = 600, 0.4


@dataclass(frozen=True)
class DrawingLayout:
    """Top left corners and widths of boxes, the paths of links as SVG writes them, and the size of all, in pixels."""

    corners: list[Point]
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
    layers = _Layers(spots, widths)
    paths = {}
    for link, turned in zip(links, forward, strict=True):
        start, end = turned
        path = [spots[start], *bends.get(turned, []), spots[end]]
        paths[link] = layers.path(path if link == turned else path[::-1])
    corners = [layers.corner(spot) for spot in spots]
    lowest = max(layers.corner(spot)[1] for spot in (*spots, *(spot for chain in bends.values() for spot in chain)))
    return DrawingLayout(
        corners, [layers.widths[spot[0]] for spot in spots], paths, layers.end + _MARGIN, lowest + HEIGHT + _MARGIN
    )


class _Layers:
    """Where the layers begin, and how wide they are."""

    def __init__(self, spots: Sequence[Point], widths: Sequence[float]) -> None:
        self.widths: dict[float, float] = defaultdict(float)
        for (layer, _), width in zip(spots, widths, strict=True):
            self.widths[layer] = max(self.widths[layer], round(width))
        self._left: dict[float, float] = {}
        left: float = _MARGIN
        for layer in sorted(self.widths):
            self._left[layer] = left
            left += self.widths[layer] + _GAP
        self.end = left - _GAP

    def corner(self, spot: Point) -> Point:
        return self._left[spot[0]], round(_MARGIN + spot[1] * _PITCH, 1)

    def path(self, spots: Sequence[Point]) -> str:
        """Draw a link from the right side of a box, straight through the layers between, to the left of another."""
        x, y = self._right(spots[0])
        steps = [f"M{x:g} {y:g}"]
        for spot in spots[1:]:
            left, top = self.corner(spot)
            half, end = (x + left) / 2, top + HEIGHT / 2
            steps.append(f"C{half:g} {y:g} {half:g} {end:g} {left:g} {end:g}")
            x, y = self._right(spot)
            steps.append(f"H{x:g}")
        return "".join(steps[:-1])

    def _right(self, spot: Point) -> Point:
        left, top = self.corner(spot)
        return left + self.widths[spot[0]], top + HEIGHT / 2


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
