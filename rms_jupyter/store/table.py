"""How are pairs of a fingerprint and an id kept, so that one is found by reading 4 KB?

As a file of sorted pairs in blocks of 4 KB, each with its checksum, and behind them the first fingerprint of each. A
file is never changed once it is written. It is read and not mapped: a disk that fails, or a file that somebody cuts
off, would kill a process that has it mapped.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec
from xxhash import xxh3_64_intdigest

from rms_jupyter.store.modes import share

WEAK = 1 << 63  # Marks an id that counts only where there is none before it.

_PAIRS = 255
_BLOCK = 16 * (_PAIRS + 1)  # A checksum, how many pairs there are, the fingerprints, and the ids.
_FIRST = 2
_CACHED = 4096
_END = 1 << 64

Pair = tuple[int, int]


class DamagedIndex(Exception):
    """A file of the index is not what was written; the journals can rebuild it."""


class TableInfo(msgspec.Struct, array_like=True):
    """A table as the index remembers it: the name of its file, its size in pairs, and the checksum of its directory."""

    name: str
    pairs: int
    checksum: int

    @property
    def blocks(self) -> int:
        """How many blocks it has."""
        return -(-self.pairs // _PAIRS)


class IndexTable:
    """A table, open for reading.

    Raises
    ------
    DamagedIndex
    """

    def __init__(self, folder: Path, info: TableInfo) -> None:
        self.info = info
        self._fd = os.open(folder / info.name, os.O_RDONLY)
        if os.fstat(self._fd).st_size != info.blocks * (_BLOCK + 8):
            raise DamagedIndex(f"{info.name} has another size")
        directory = os.pread(self._fd, 8 * info.blocks, info.blocks * _BLOCK)
        if xxh3_64_intdigest(directory) != info.checksum:
            raise DamagedIndex(f"{info.name} is not what was written")
        self._firsts = array("Q", directory)
        self._cache: dict[int, array[int]] = {}

    def get(self, fingerprint: int) -> int | None:
        """Find the id of a fingerprint, perhaps `WEAK`.

        Raises
        ------
        DamagedIndex
        """
        number = bisect_right(self._firsts, fingerprint) - 1
        if number < 0:
            return None
        block = self._cache.get(number) or self._read(number)
        end = _FIRST + block[1]
        place = bisect_left(block, fingerprint, _FIRST, end)
        return block[place + _PAIRS] if place < end and block[place] == fingerprint else None

    def blocks(self) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
        """Read all, block by block: fingerprints and ids."""
        for number in range(self.info.blocks):
            block = self._checked(number)
            yield block[_FIRST : _FIRST + block[1]], block[_FIRST + _PAIRS : _FIRST + _PAIRS + block[1]]

    def firsts(self) -> Sequence[int]:
        """The first fingerprint of each block."""
        return self._firsts

    def _read(self, number: int) -> array[int]:
        if len(self._cache) >= _CACHED:
            self._cache.clear()
        block = self._cache[number] = self._checked(number)
        return block

    def _checked(self, number: int) -> array[int]:
        try:
            data = os.pread(self._fd, _BLOCK, number * _BLOCK)
        except OSError as error:
            raise DamagedIndex(f"{self.info.name} cannot be read: {error.strerror}") from None
        if len(data) < _BLOCK or xxh3_64_intdigest(data[8:], number) != int.from_bytes(data[:8], "little"):
            raise DamagedIndex(f"{self.info.name} is not what was written")
        return array("Q", data)

    def __del__(self) -> None:
        if hasattr(self, "_fd"):
            os.close(self._fd)


def write_table(folder: Path, name: str, pairs: Iterable[Pair]) -> TableInfo:
    """Write sorted pairs as a table.

    Raises
    ------
    OSError
        If the disk is full or not writable; nothing is left behind then.
    """
    path = folder / name
    firsts, count, rest = array("Q"), 0, iter(pairs)
    try:
        with path.open("wb") as file:
            while some := list(islice(rest, _PAIRS)):
                file.write(_block(len(firsts), some))
                firsts.append(some[0][0])
                count += len(some)
            file.write(firsts.tobytes())
            file.flush()
            os.fdatasync(file.fileno())
        share(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return TableInfo(name, count, xxh3_64_intdigest(firsts.tobytes()))


def _block(number: int, pairs: Sequence[Pair]) -> bytes:
    free = [0] * (_PAIRS - len(pairs))
    fingerprints, ids = zip(*pairs, strict=True)
    body = array("Q", [len(pairs), *fingerprints, *free, *ids, *free]).tobytes()
    return xxh3_64_intdigest(body, number).to_bytes(8, "little") + body


def merged(tables: Sequence[IndexTable]) -> Iterator[Pair]:
    """Merge tables, the oldest first, a range of fingerprints after the other; see `put`."""
    largest = max(tables, key=lambda table: table.info.pairs)
    readers = [_Reader(table) for table in tables]
    for bound in (*largest.firsts()[1:], _END):
        found: dict[int, int] = {}
        for reader in readers:
            for fingerprint, ident in reader.below(bound):
                put(found, fingerprint, ident)
        yield from sorted(found.items())


def put(pairs: dict[int, int], fingerprint: int, ident: int) -> None:
    """Let a fingerprint lead to an id, unless that is `WEAK` and it leads to one already."""
    if ident < WEAK or fingerprint not in pairs:
        pairs[fingerprint] = ident


class _Reader:
    """Reads the pairs of a table range by range."""

    def __init__(self, table: IndexTable) -> None:
        self._blocks = table.blocks()
        self._fingerprints: Sequence[int] = ()
        self._ids: Sequence[int] = ()
        self._place = 0

    def below(self, bound: int) -> Iterator[Pair]:
        """Read on up to a bound."""
        while True:
            if self._place == len(self._fingerprints):
                self._fingerprints, self._ids = next(self._blocks, ((), ()))
                self._place = 0
            end = bisect_left(self._fingerprints, bound, self._place) if self._fingerprints else 0
            yield from zip(self._fingerprints[self._place : end], self._ids[self._place : end], strict=True)
            self._place = end
            if end < len(self._fingerprints) or not self._fingerprints:
                return
