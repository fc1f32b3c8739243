"""Where is the record for this key, without reading every journal and without DuckDB?

A hash table in one memory-mapped file: pairs of a 64-bit fingerprint and an id, open addressing, at most three quarters
full. A pair is only a pointer: whoever follows it checks the record itself, so one that is wrong or missing costs a
look, never a wrong answer. `Covered` says up to where each journal is in the table; the rest is read at opening.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

_SMALLEST = 1 << 12
_SAMPLE = 1 << 12
_PAIR = 16


class Covered(msgspec.Struct, omit_defaults=True):
    """What the table holds, and the small facts that every session needs at once."""

    journals: dict[int, int] = {}
    finished: set[int] = set()
    count: int = 0
    k: int = 0
    statuses: dict[int, str] = {}
    pipes: dict[str, tuple[int, str]] = {}
    accepted: dict[str, tuple[str, ...]] = {}


class Index:
    """The table as it is on disk.

    Parameters
    ----------
    folder : Path
        The store's directory; the files are ``index`` and ``index.json``.
    """

    def __init__(self, folder: Path) -> None:
        self._path, self._covered_path = folder / "index", folder / "index.json"
        self._lock_path = folder / "index.lock"
        self._slots: memoryview | None = None
        self._mask = 0

    def load(self) -> Covered:
        """Map the table and read what it covers; an unreadable one counts as empty."""
        try:
            covered = msgspec.json.decode(self._covered_path.read_bytes(), type=Covered)
            self._map(self._path, writable=False)
            self._refuse_noise()
        except (OSError, ValueError, msgspec.MsgspecError):
            self._slots = None
            return Covered()
        return covered

    def get(self, fingerprint: int) -> int | None:
        """Look an id up by its fingerprint."""
        return None if self._slots is None else self._slots[self._place(fingerprint) + 1] or None

    @contextmanager
    def growing(self) -> Iterator[Covered | None]:
        """Hold the table alone, to `put` into; None when another process holds it. Saved on leaving."""
        fd = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield None
                return
            covered = self.load()
            if self._slots is None:
                self._create(_SMALLEST).replace(self._path)
            else:
                self._map(self._path, writable=True)
            yield covered
            self._flush()
            self._save(covered)
        finally:
            os.close(fd)

    def put(self, covered: Covered, fingerprint: int, ident: int) -> None:
        """Point a fingerprint at a record; the last one put wins."""
        if 4 * covered.count > 3 * self._mask:
            self._grow()
        slots, place = self._slots, self._place(fingerprint)
        assert slots is not None
        covered.count += slots[place] == 0
        slots[place + 1] = ident
        slots[place] = fingerprint

    def _place(self, fingerprint: int) -> int:
        """Find the pair of a fingerprint, or the free one where it would go."""
        slots, wrap = self._slots, 2 * self._mask + 1
        assert slots is not None
        place = 2 * (fingerprint & self._mask)
        while slots[place] not in (0, fingerprint):
            place = (place + 2) & wrap
        return place

    def _grow(self) -> None:
        old = self._slots
        assert old is not None
        partial = self._create(2 * (self._mask + 1))
        new, mask, wrap = self._slots, self._mask, 2 * self._mask + 1
        assert new is not None
        pairs = iter(old)
        for fingerprint, ident in zip(pairs, pairs, strict=True):
            if fingerprint:
                place = 2 * (fingerprint & mask)
                while new[place]:
                    place = (place + 2) & wrap
                new[place], new[place + 1] = fingerprint, ident
        partial.replace(self._path)

    def _create(self, capacity: int) -> Path:
        """Map an empty table, under a name that nobody reads yet."""
        partial = self._path.with_suffix(".tmp")
        with partial.open("wb") as file:
            file.truncate(_PAIR * capacity)
        self._map(partial, writable=True)
        return partial

    def _map(self, path: Path, writable: bool) -> None:
        with path.open("r+b" if writable else "rb") as file:
            access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
            self._memory = mmap.mmap(file.fileno(), 0, access=access)
        capacity = len(self._memory) // _PAIR
        if capacity & (capacity - 1):
            raise ValueError(f"{path.name} has a wrong size")
        self._slots, self._mask = memoryview(self._memory).cast("Q"), capacity - 1

    def _refuse_noise(self) -> None:
        """Refuse a table so full that it cannot be one of ours: looking in it would not end."""
        assert self._slots is not None
        sample = range(0, min(2 * _SAMPLE, len(self._slots)), 2)
        if sum(self._slots[place] != 0 for place in sample) > 0.95 * len(sample):
            raise ValueError("the index is damaged")

    def _flush(self) -> None:
        self._memory.flush()

    def _save(self, covered: Covered) -> None:
        partial = self._covered_path.with_suffix(".json.tmp")
        partial.write_bytes(msgspec.json.encode(covered))
        partial.replace(self._covered_path)
