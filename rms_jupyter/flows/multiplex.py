"""Which inputs do the tasks of a segment get?  Built from the outputs of its parents as those come in; pure.

As written in ``#multiplex`` comments and arguments: ``cross_prod``, ``union`` or ``zip``, then ``where "condition"``
and ``group_by "class"``, expressions over the names of the parents; or ``group_by`` alone: all together.
"""

from __future__ import annotations

import heapq
import itertools
import math
import numbers
import shlex
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from msgspec import Struct

from rms_jupyter.errors import RmsError
from rms_jupyter.flows.directives import directives
from rms_jupyter.flows.expression import Expression

KINDS = ("cross_prod", "union", "zip")
_HOW = """write: cross_prod (or union, zip) where "quality == 'the Brave'" group_by "knights", each in quotes"""

Rank = tuple[Any, ...]


class Unread(NamedTuple):
    """Stands for a value that is read when an expression looks at it."""

    read: Callable[[], Any]


class SegmentOutput(Struct, frozen=True, gc=False):
    """One output of a segment: its place among all of them, its value, what a task is given for it, and whose it is."""

    rank: Rank
    value: Any
    given: Any = None
    task: int = -1


class Element(Struct, frozen=True, gc=False):
    """What one task gets: an item by each parent's name, or items where they are grouped by a class."""

    items: Mapping[str, SegmentOutput | list[SegmentOutput]]
    rank: Rank
    group: Any = None
    is_group: bool = False


@dataclass(frozen=True)
class Multiplex:
    """How the outputs of parents become inputs.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    where : str
        A condition that an element must meet; empty for none.
    group_by : str or None
        What an element's class is; empty for one class of all, None for no classes.
    """

    kind: str = "cross_prod"
    where: str = ""
    group_by: str | None = None

    @classmethod
    def parse(cls, text: str, whose: str) -> Self:
        """Read what is written in a comment or an argument.

        Raises
        ------
        RmsError
            If it is written otherwise.

        Examples
        --------
        >>> Multiplex.parse('cross_prod where "quality != 1" group_by "knights"', "melt")
        Multiplex(kind='cross_prod', where='quality != 1', group_by='knights')
        """
        if not isinstance(text, str):
            raise RmsError(f"{whose} is written as text, not as {type(text).__name__}", hint=_HOW)
        try:
            words = shlex.split(text)
        except ValueError:
            words = ["?"]
        kind = words.pop(0) if words and words[0] in KINDS else KINDS[0]
        given: dict[str, str] = {}
        while words:
            clause = words.pop(0)
            if clause not in ("where", "group_by") or clause in given or (clause == "where" and not words):
                raise RmsError(f"{whose}: {text.strip()[:100]!r} is not a valid multiplex", hint=_HOW)
            given[clause] = words.pop(0) if words and words[0] not in ("where", "group_by") else ""
        return cls(kind, given.get("where", ""), given.get("group_by"))

    @classmethod
    def in_comments(cls, source: str, whose: str) -> Self | None:
        """Read the last ``#multiplex`` comment of a source; None if there is none."""
        found = directives(source, "multiplex")
        return cls.parse(found[-1], whose) if found else None

    @property
    def waits_for_all(self) -> bool:
        """Whether no element is known before all outputs of all parents are there."""
        return self.group_by is not None

    @property
    def goes_in_order(self) -> bool:
        """Whether an element is known once all outputs before its own are there: first with first, and so on."""
        return self.kind == "zip" and not self.waits_for_all


@dataclass
class Products:
    """The elements of a segment, found as items come in.

    Parameters
    ----------
    segment : str
    parents : sequence of str
    multiplex : Multiplex

    Raises
    ------
    RmsError
        If an expression of the multiplex is not one over the parents.

    Examples
    --------
    >>> products = Products("melt", ["knights", "quality"], Multiplex())
    >>> list(products.add("knights", [SegmentOutput((0,), "Lancelot"), SegmentOutput((1,), "Galahad")]))
    []
    >>> [[item.value for item in e.items.values()] for e in products.add("quality", [SegmentOutput((0,), "the Brave")])]
    [['Lancelot', 'the Brave'], ['Galahad', 'the Brave']]
    """

    segment: str
    parents: Sequence[str]
    multiplex: Multiplex
    _there: dict[str, list[SegmentOutput]] = field(init=False)

    def __post_init__(self) -> None:
        self._there = {parent: [] for parent in self.parents}
        self._next: dict[str, list[tuple[Rank, int, SegmentOutput]]] = {parent: [] for parent in self.parents}
        self._unpaired: dict[str, deque[SegmentOutput]] = {parent: deque() for parent in self.parents}
        self._serial = itertools.count()
        names, whose = [*filter(str.isidentifier, self.parents)], f"multiplex of {self.segment}"
        self._where = Expression(self.multiplex.where, names, whose) if self.multiplex.where else None
        self._is_waited_for = self.multiplex.waits_for_all or (len(self.parents) > 1 and self.multiplex.kind != "union")
        self._is_plain = len(self.parents) == 1 and self.multiplex == Multiplex()
        self._class_of = Expression(self.multiplex.group_by, names, whose) if self.multiplex.group_by else None

    def add(self, parent: str, items: Sequence[SegmentOutput]) -> Iterator[Element]:
        """Add outputs of a parent; yields the elements that are there by that, and were not before."""
        if self.multiplex.goes_in_order:
            for item in items:
                heapq.heappush(self._next[parent], (item.rank, next(self._serial), item))
            return
        if self._is_waited_for:
            self._there[parent] += items
        if self._is_plain:
            yield from (Element({parent: item}, (item.rank,)) for item in items)
        elif not self.multiplex.waits_for_all:
            others: Any = dict.fromkeys(self.parents, ()) if self.multiplex.kind == "union" else self._there
            yield from self._chosen({name: items if name == parent else others[name] for name in self.parents})

    def pair(self, surely: Mapping[str, Callable[[SegmentOutput], bool]]) -> Iterator[Element]:
        """Yield the elements of those that go in order which are known by now.

        Parameters
        ----------
        surely : mapping of str to callable
            For each parent, whether nothing comes any more before an output of it.
        """
        for parent, queue in self._next.items():
            while queue and surely[parent](queue[0][2]):
                self._unpaired[parent].append(heapq.heappop(queue)[2])
        count = min(map(len, self._unpaired.values()))
        yield from self._chosen({name: [own.popleft() for _ in range(count)] for name, own in self._unpaired.items()})

    def lowest_unpaired(self, parent: str) -> Rank | None:
        """The rank of the first output of a parent, of those that are there, that has not been paired."""
        if self._unpaired[parent]:
            return self._unpaired[parent][0].rank
        return self._next[parent][0][0] if self._next[parent] else None

    def finish(self) -> Iterator[Element]:
        """Yield the elements that are known only now that all outputs are there."""
        if self.multiplex.goes_in_order:
            yield from self.pair(dict.fromkeys(self.parents, lambda _: True))
        elif self.multiplex.waits_for_all:
            chosen = self._chosen({name: sorted(own, key=_rank) for name, own in self._there.items()})
            yield from self._grouped(chosen)

    def _chosen(self, pools: Mapping[str, Sequence[SegmentOutput]]) -> Iterator[Element]:
        elements = _ELEMENTS[self.multiplex.kind](pools)
        return elements if self._where is None else (e for e in elements if self._where(self._values(e)))

    def _values(self, element: Element) -> dict[str, Any]:
        """The values that expressions see; those of parents that are not in an element of a union are None."""
        items: Any = element.items
        return {name: _value(items[name]) if name in items else None for name in self.parents}

    def _grouped(self, elements: Iterable[Element]) -> Iterator[Element]:
        groups: dict[Hashable, list[Element]] = {}
        for element in elements:
            groups.setdefault(self._class(element), []).append(element)
        for key, own in groups.items():
            items = {n: [e.items[n] for e in own if n in e.items] for n in self.parents}
            by_parent: dict[str, Any] = {name: found for name, found in items.items() if found}
            if self.multiplex.group_by in by_parent:
                by_parent[self.multiplex.group_by] = by_parent[self.multiplex.group_by][0]
            yield Element(by_parent, own[0].rank, key, is_group=True)

    def _class(self, element: Element) -> Hashable:
        found = self._class_of(self._values(element)) if self._class_of is not None else None
        try:
            hash(found)
        except TypeError:
            raise RmsError(
                f"multiplex of {self.segment}: {self.multiplex.group_by!r} gives a {type(found).__name__}, which "
                "cannot be a class: it is not hashable",
                hint="group by a number, a text or a tuple of them",
            ) from None
        key: Hashable = _with_one_nan(found)
        return key


def _with_one_nan(key: Any) -> Any:
    """Make all that is not a number the same object: as a class it is one, and no two of them are equal."""
    if type(key) is tuple:
        return tuple(map(_with_one_nan, key))
    return math.nan if isinstance(key, numbers.Real) and key != key else key


def _value(item: SegmentOutput) -> Any:
    return item.value.read() if isinstance(item.value, Unread) else item.value


def _cross_prod(pools: Mapping[str, Sequence[SegmentOutput]]) -> Iterator[Element]:
    names = tuple(pools)
    for items in itertools.product(*pools.values()):
        yield Element(dict(zip(names, items, strict=True)), tuple([item.rank for item in items]))


def _zip(pools: Mapping[str, Sequence[SegmentOutput]]) -> Iterator[Element]:
    names = tuple(pools)
    for items in zip(*pools.values(), strict=False):
        yield Element(dict(zip(names, items, strict=True)), tuple(item.rank for item in items))


def _union(pools: Mapping[str, Sequence[SegmentOutput]]) -> Iterator[Element]:
    for place, (name, items) in enumerate(pools.items()):
        for item in items:
            yield Element({name: item}, (place, item.rank))


_ELEMENTS = {"cross_prod": _cross_prod, "union": _union, "zip": _zip}


def _rank(item: SegmentOutput) -> Rank:
    return item.rank
