"""Which tasks does a flow have, as far as is known?  Told of a task that has ended, it says which follow; pure.

A task begins when its own inputs are there. Where a segment needs all outputs of another (``group_by``,
``glob_seg``), it waits until that is complete: all its tasks are known, and all of them have succeeded.

With ``zip`` the outputs of each parent count in their order, so which is the fifth is known when the first five are
there and nothing can come before them any more: a task waits for its own inputs, and for all tasks of the parents (and
those that these follow from) whose outputs come before its own in that order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from rms_jupyter.errors import RmsError
from rms_jupyter.flows.graph import FlowGraph
from rms_jupyter.flows.multiplex import Element, Multiplex, Products, SegmentOutput
from rms_jupyter.flows.order import Order

PUSHED = "pushed"


class FlowTask(NamedTuple):
    """A task of a flow: of which segment, and what it gets."""

    segment: str
    element: Element


class Growth:
    """The tasks of a flow.

    Parameters
    ----------
    graph : Graph
    multiplex : mapping of str to Multiplex
        Of the segments that have one.
    pushed : mapping of str to sequence
        What segments without parents get, one task each.
    waits : mapping of str to collection of str
        Segments that must be complete before any task of a segment begins.

    Attributes
    ----------
    tasks : list of Task
    problems : dict of str to RmsError
        What keeps segments from having all their tasks.

    Examples
    --------
    >>> from rms_jupyter.flows.graph import parse
    >>> growth = Growth(parse("a -> b"), {}, {"a": [1, 2]})
    >>> growth.begin(), len(growth.tasks)
    ([0, 1], 2)
    >>> growth.done(1, ["x", "y"], lambda value, place: value)
    [2, 3]
    >>> growth.tasks[3].element.items["a"].value
    'y'
    """

    def __init__(
        self,
        graph: FlowGraph,
        multiplex: Mapping[str, Multiplex],
        pushed: Mapping[str, Sequence[Any]],
        waits: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self._graph, self._pushed, self._waits = graph, pushed, waits or {}
        self.tasks: list[FlowTask] = []
        self.problems: dict[str, RmsError] = {}
        self._products = {
            name: Products(name, parents, multiplex.get(name, Multiplex())) for name, parents in graph.parents.items()
        }
        self._children: dict[str, list[str]] = {name: [] for name in graph.segments}
        for parent, child in graph.edges:
            self._children[parent].append(child)
        self._held: dict[str, list[Element]] = {name: [] for name, others in self._waits.items() if others}
        self._known: set[str] = set()
        self._complete: set[str] = set()
        self._open: Counter[str] = Counter()
        self._paired = [name for name in graph.segments if self._products[name].multiplex.goes_in_order]
        self._order = Order(graph, self._products, self._known, self._is_stuck) if self._paired else None

    def begin(self) -> list[int]:
        """Return the tasks of the segments without parents."""
        first = len(self.tasks)
        for name in self._graph.segments:
            if not self._graph.parents[name]:
                self._add(name, _elements_of(self._pushed.get(name)))
        self._settle()
        return list(range(first, len(self.tasks)))

    def done(self, number: int, outputs: Sequence[Any], give: Callable[[Any, int], Any]) -> list[int]:
        """Take in the outputs of a task that has succeeded; returns the tasks that follow by that.

        Parameters
        ----------
        number : int
        outputs : sequence
        give : callable
            Makes what is given to tasks for an output, of it and its place.
        """
        first = len(self.tasks)
        name, element = self.tasks[number]
        self._open[name] -= 1
        items = [SegmentOutput((element.rank, n), value, give(value, n), number) for n, value in enumerate(outputs)]
        for child in self._children[name]:
            self._add(child, self._products[child].add(name, items))
        if self._order is not None:
            self._order.end(name, element.rank, bool(items))
            self._pair()
        if not self._open[name]:
            self._settle()
        return list(range(first, len(self.tasks)))

    def give_up(self, number: int, error: RmsError) -> None:
        """Note that the outputs of a task cannot be read: what follows from it does not run."""
        for child in self._children[self.tasks[number].segment]:
            self.problems.setdefault(child, error)

    def above(self, number: int) -> list[int]:
        """The tasks that a task rests on, the nearest first."""
        found: dict[int, None] = {}
        level = self.parents(number)
        while level:
            found.update(dict.fromkeys(level))
            level = [parent for task in level for parent in self.parents(task) if parent not in found]
        return list(found)

    def parents(self, number: int) -> list[int]:
        """The tasks whose outputs a task gets."""
        items = self.tasks[number].element.items.values()
        together = [item for own in items for item in (own if isinstance(own, list) else [own])]
        return list(dict.fromkeys(item.task for item in together if item.task >= 0))

    def is_known(self, name: str) -> bool:
        """Whether all tasks of a segment are known."""
        return name in self._known

    def is_complete(self, name: str) -> bool:
        """Whether all tasks of a segment are known and have succeeded."""
        return name in self._complete

    def _is_stuck(self, name: str) -> bool:
        return name in self._held or name in self.problems

    def _add(self, name: str, elements: Iterable[Element]) -> None:
        """Add tasks of a segment, or hold them back until what it waits for is complete."""
        if name in self.problems:
            return
        try:
            if name in self._held:
                self._held[name] += elements
                return
            before = len(self.tasks)
            self.tasks += [FlowTask(name, element) for element in elements]
            self._open[name] += len(self.tasks) - before
            if self._order is not None:
                self._order.begin(name, [task.element.rank for task in self.tasks[before:]])
        except RmsError as error:
            self.problems[name] = error

    def _pair(self) -> None:
        """Add the tasks of ``zip`` whose inputs are known by now to be those that go together."""
        assert self._order is not None
        for name in self._paired:
            surely = {parent: self._order.surely(parent) for parent in self._graph.parents[name]}
            self._add(name, self._products[name].pair(surely))

    def _settle(self) -> None:
        """See which segments are known by now, and which are complete; each after those that it needs."""
        for name in self._graph.segments:
            parents = self._graph.parents[name]
            if name in self._held and self._complete.issuperset(self._waits[name]):
                held = self._held.pop(name)
                self._add(name, held)
            if name not in self._known and self._complete.issuperset(parents):
                self._known.add(name)
                self._add(name, self._products[name].finish() if parents else ())
            if name in self._known and not (self._open[name] or name in self._held or name in self.problems):
                self._complete.add(name)


def _elements_of(pushed: Sequence[Any] | None) -> list[Element]:
    if pushed is None:
        return [Element({}, ())]
    return [Element({PUSHED: SegmentOutput((n,), value, value)}, (n,)) for n, value in enumerate(pushed)]
