"""In which order was it written?  Each journal is in order; those that were written side by side go by the clock.

What was recorded last of a path, or of a call, must be last, however often the journals are read.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from rms_jupyter.model import Record
from rms_jupyter.store.reader import Journals

_PEEK = 50


class JournalLine(NamedTuple):
    """A line: where it is, and its record; None if it is damaged, or of a kind that only newer versions know."""

    number: int
    offset: int
    line: bytes
    record: Record | None
    is_damaged: bool

    @property
    def ident(self) -> int:
        """The id of the record."""
        return self.number << 32 | self.offset

    @property
    def end(self) -> int:
        """Where the next line begins."""
        return self.offset + len(self.line)


def entries(journals: Journals, starts: Mapping[int, int]) -> Iterator[JournalLine]:
    """Read journals on, each from an offset."""
    if len(starts) == 1:
        [(number, start)] = starts.items()
        yield from _entries(journals, number, start)
        return
    later = [(_first_tick(journals, number, start), number) for number, start in starts.items()]
    heapq.heapify(later)
    reading: list[tuple[int, int, JournalLine, Iterator[JournalLine]]] = []
    while later or reading:
        while later and (not reading or later[0] < reading[0][:2]):
            number = heapq.heappop(later)[1]
            _read_on(reading, 0, number, _entries(journals, number, starts[number]))
        if reading:
            tick, number, entry, rest = heapq.heappop(reading)
            yield entry
            _read_on(reading, tick, number, rest)


def _read_on(
    reading: list[tuple[int, int, JournalLine, Iterator[JournalLine]]],
    tick: int,
    number: int,
    rest: Iterator[JournalLine],
) -> None:
    """Put the next line of a journal among those to come; without a tick of its own it follows the one before."""
    entry = next(rest, None)
    if entry is not None:
        heapq.heappush(reading, (max(tick, _tick(entry)), number, entry, rest))


def _entries(journals: Journals, number: int, start: int) -> Iterator[JournalLine]:
    for offset, line, json in journals.lines(number, start):
        record = journals.read(json) if json is not None else None
        yield JournalLine(number, offset, line, record, json is None)


def _first_tick(journals: Journals, number: int, start: int) -> int:
    """Find the first tick of what is to be read, without reading all of it."""
    ticks = (_tick(entry) for entry in islice(_entries(journals, number, start), _PEEK))
    return next(filter(None, ticks), 0)


def _tick(entry: JournalLine) -> int:
    return entry.record.k if entry.record is not None else 0
