"""How is a store cleared out: content, what nothing names, and the database?"""

from __future__ import annotations

import datetime
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from rms_jupyter.errors import RmsError
from rms_jupyter.model import Contract, TaskRecord
from rms_jupyter.run.call.amounts import bytes_of, seconds_of
from rms_jupyter.run.task.further import LATER
from rms_jupyter.store.store import Store
from rms_jupyter.store.upkeep.compact import compact, is_worthwhile
from rms_jupyter.store.upkeep.contents import Content, OnDisk, Survey, survey
from rms_jupyter.store.upkeep.evict import alone, choose, evict, remove_leftovers
from rms_jupyter.store.upkeep.trash import Trash


@dataclass(frozen=True)
class Limits:
    """What a store may hold.

    Attributes
    ----------
    budget, items : int or None
        Bytes, and how many results.
    older : float or None
        Seconds after which results go.
    pipe : str
        Only results of this one.
    """

    budget: int | None = None
    older: float | None = None
    pipe: str = ""
    items: int | None = None

    def __str__(self) -> str:
        named = {"budget": self.budget, "age": self.older, "number": self.items, "pipe": self.pipe or None}
        return ", ".join(name for name, value in named.items() if value is not None) or "expired"


@dataclass
class Cleared:
    """What went, or would go.

    Attributes
    ----------
    evicted : list of Content
    unnamed : list of OnDisk
        What nothing names.
    bytes : int
        What the store held before.
    freed : int
        Of these, how many are free now.
    compacted : int
        Of these, how many the database has shrunk by.
    staying : Counter of str
        Bytes of what can't go, by the reason.
    trash : int
        Bytes of what was deleted before.
    """

    evicted: list[Content] = field(default_factory=list)
    unnamed: list[OnDisk] = field(default_factory=list)
    bytes: int = 0
    freed: int = 0
    compacted: int = 0
    staying: Counter[str] = field(default_factory=Counter)
    trash: int = 0


def clear_out(
    store: Store,
    limits: Limits,
    contracts: Mapping[str, Contract],
    dry_run: bool = False,
    rebuild: bool = False,
    empty_trash: bool = True,
) -> Cleared:
    """Clear a store out.

    Parameters
    ----------
    store : Store
    limits : Limits
    contracts : mapping of str to Contract
        What pipes declare now, by name.
    dry_run : bool
        Only say what would go.
    rebuild : bool
        Make the database again in any case.
    empty_trash : bool
        Whether what was deleted goes for good; it does in any case where the store has outgrown its budget.

    Raises
    ------
    StoreError
        If another process is at it.
    """
    trash = Trash(store.layout)
    if dry_run:
        found = survey(store, contracts)
        found.trash = trash.size() if empty_trash else 0
        return _cleared(found, _chosen(store, found, limits), found.unnamed)
    with alone(store):
        found = survey(store, contracts)
        if empty_trash or (limits.budget is not None and found.bytes > limits.budget):
            found.trash = trash.empty()
        chosen = _chosen(store, found, limits)
        gone = {file.name for file in evict(store, [content.file for content in chosen], str(limits))}
        unnamed = evict(store, found.unnamed, "nothing names it")
        cleared = _cleared(found, [content for content in chosen if content.file.name in gone], unnamed)
        cleared.freed += remove_leftovers(store, found.leftovers)
        if rebuild or is_worthwhile(store):
            cleared.compacted = compact(store)
            cleared.freed += cleared.compacted
    return cleared


def _chosen(store: Store, found: Survey, limits: Limits) -> list[Content]:
    before = None if limits.older is None else time.time() - limits.older
    return choose(found, lambda content: _comes_back(store, content), limits.budget, before, limits.pipe, limits.items)


def _comes_back(store: Store, content: Content) -> bool:
    """Whether the record of the call is such that it gives the same again."""
    try:
        task = store.record(content.task)[1]
    except LookupError:
        return False
    if not isinstance(task, TaskRecord) or task.draws or task.uncached or task.out[0].type == LATER:
        return False
    return not any("lost" in packed for packed in task.exact.values())


def _cleared(found: Survey, evicted: list[Content], unnamed: list[OnDisk]) -> Cleared:
    freed = found.trash + sum(content.file.size for content in evicted) + sum(file.size for file in unnamed)
    return Cleared(evicted, unnamed, found.bytes, freed, staying=Counter(found.staying), trash=found.trash)


def amount(value: int | str | None, name: str = "budget") -> int | None:
    """Read a number of bytes: a number, or text as ``"20 GB"``.

    Raises
    ------
    RmsError
    """
    if value is None or (type(value) is int and value >= 0):
        return value
    try:
        return bytes_of(str(value))
    except ValueError:
        raise RmsError(f"{name}={value!r} is not an amount of memory", hint="write '20 GB', or bytes") from None


def span(value: float | str | datetime.timedelta | None, name: str = "older") -> float | None:
    """Read a span of time: seconds, or text as ``"30 days"``.

    Raises
    ------
    RmsError
    """
    if value is None or (isinstance(value, (int, float)) and value >= 0):
        return value
    try:
        return seconds_of(value if isinstance(value, datetime.timedelta) else str(value))
    except ValueError:
        raise RmsError(
            f"{name}={value!r} is not a span of time", hint="write '30 days', '12 hours', or seconds"
        ) from None
