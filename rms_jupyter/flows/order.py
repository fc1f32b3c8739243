"""Before which output of a segment can none come any more?  What ``zip`` pairs is known only up to there; pure.

The rank of a task is made of the ranks of its inputs, so what is still to come of a segment is bounded by what is still
to come of its parents.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Mapping

from rms_jupyter.flows.graph import FlowGraph
from rms_jupyter.flows.multiplex import Products, Rank, SegmentOutput


class Order:
    """The ranks of the tasks of a flow that are under way.

    Parameters
    ----------
    graph : FlowGraph
    products : mapping of str to Products
    known : collection of str
        The segments of which all tasks are known; grows.
    is_stuck : callable
        Whether tasks of a segment are held back, or cannot be known.
    """

    def __init__(
        self,
        graph: FlowGraph,
        products: Mapping[str, Products],
        known: Collection[str],
        is_stuck: Callable[[str], bool],
    ) -> None:
        self._graph, self._products, self._known, self._is_stuck = graph, products, known, is_stuck
        self._open: dict[str, list[Rank]] = {name: [] for name in graph.segments}
        self._ended: dict[str, set[Rank]] = {name: set() for name in graph.segments}
        self._least: dict[str, Rank] = {}

    def begin(self, name: str, ranks: Collection[Rank]) -> None:
        """Note tasks of a segment that are known."""
        for rank in ranks:
            heapq.heappush(self._open[name], rank)

    def end(self, name: str, rank: Rank, has_outputs: bool) -> None:
        """Note that a task has succeeded."""
        self._ended[name].add(rank)
        if has_outputs:
            self._least[name] = min((rank, 0), self._least.get(name, (rank, 0)))

    def surely(self, name: str) -> Callable[[SegmentOutput], bool]:
        """Return what says of an output of a segment whether none comes before it any more."""
        frontier = self._frontier(name, {})
        return lambda output: frontier is None or output.rank[0] < frontier

    def _frontier(self, name: str, found: dict[str, Rank | None]) -> Rank | None:
        """Return a rank before which all tasks of a segment have succeeded; None where all have."""
        if name not in found:
            found[name] = self._find_frontier(name, found)
        return found[name]

    def _find_frontier(self, name: str, found: dict[str, Rank | None]) -> Rank | None:
        if self._is_stuck(name):
            return ()
        opened, ended = self._open[name], self._ended[name]
        while opened and opened[0] in ended:
            ended.discard(heapq.heappop(opened))
        bounds = opened[:1] + ([] if name in self._known else [self._coming(name, found)])
        return min(bounds, default=None)

    def _coming(self, name: str, found: dict[str, Rank | None]) -> Rank:
        """Return a rank before which no task of a segment is found any more; the parents have not all succeeded."""
        multiplex, parents = self._products[name].multiplex, self._graph.parents[name]
        fronts = {parent: self._frontier(parent, found) for parent in parents}
        coming = {parent: (front,) for parent, front in fronts.items() if front is not None}
        if multiplex.waits_for_all or not coming:
            return ()
        if multiplex.kind == "union":
            return min((place, coming[parent]) for place, parent in enumerate(parents) if parent in coming)
        if multiplex.kind == "zip":
            first = parents[0]
            lowest = [rank for rank in (self._products[name].lowest_unpaired(first), coming.get(first)) if rank]
            return (min(lowest),) if lowest else ()
        least = {parent: self._least_of(parent, coming) for parent in parents}
        return min(
            (*(least[before] for before in parents[:place]), coming[parent])
            for place, parent in enumerate(parents)
            if parent in coming
        )

    def _least_of(self, name: str, coming: Mapping[str, Rank]) -> Rank:
        """Return the lowest rank that an output of a segment has or may have."""
        return min([rank for rank in (self._least.get(name), coming.get(name)) if rank is not None], default=())
