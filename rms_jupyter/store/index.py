"""Where is the record for this key, without reading every journal and without DuckDB?

Sorted tables (see `table`) of 64-bit fingerprints and ids, each written once and later merged with others, and a small
file that names them. A pair is only a pointer: whoever follows it checks the record itself, so one that is wrong costs
a look, never a wrong answer; and that none is missing, checksums say. `Covered` says up to where each journal is in the
tables; the rest is read at opening.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from zlib import crc32

import msgspec

from rms_jupyter.store.full import reason
from rms_jupyter.store.modes import open_file, read_file, share
from rms_jupyter.store.small_files import decoded
from rms_jupyter.store.table import WEAK, DamagedIndex, IndexTable, TableInfo, merged, put, write_table

_SMALL = 1 << 16  # Tables of as many pairs are made one at once,
_RATIO = 3  # larger ones when what is newer has grown to a third of them.
_MOST_NEW = 500_000
_ATTEMPTS = 5


class Covered(msgspec.Struct, omit_defaults=True):
    """What the tables hold, and the small facts that every session needs at once.

    `identities` are those of all journals that were ever read, `gone` those among them that were missed and told of;
    `seals` is how finished ones look from outside. `pipes` are code versions and names, by the ids of their records.
    """

    journals: dict[int, int] = {}
    finished: set[int] = set()
    k: int = 0
    statuses: dict[int, str] = {}
    pipes: dict[int, tuple[str, str]] = {}
    accepted: dict[str, tuple[str, ...]] = {}
    identities: dict[int, str] = {}
    gone: set[int] = set()
    seals: dict[int, tuple[int, int]] = {}
    tables: list[TableInfo] = []


class _Saved(msgspec.Struct):
    """`Covered` in JSON, and its CRC-32; what earlier versions have written is made again."""

    crc: int = -1
    facts: msgspec.Raw = msgspec.Raw(b"")


class Index:
    """The tables as they are on disk.

    Parameters
    ----------
    folder : Path
        The store's directory; the files are ``index.json`` and ``index-*``.

    Attributes
    ----------
    damage : str
        What was wrong when it was loaded, if anything.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._covered_path = folder, folder / "index.json"
        self._lock_path = folder / "index.lock"
        self._tables: list[IndexTable] = []  # The newest first.
        self._new: dict[int, int] = {}
        self.damage = ""

    def load(self) -> Covered:
        """Open the tables and read what they cover; an index that cannot be read counts as empty."""
        self._tables, self.damage = [], ""
        for attempt in range(_ATTEMPTS):
            try:
                covered = self._read()
                self._tables = [IndexTable(self._folder, info) for info in reversed(covered.tables)]
                return covered
            except FileNotFoundError as error:
                name = os.path.basename(error.filename)
                if name == self._covered_path.name:
                    return Covered()
                if attempt == _ATTEMPTS - 1:  # Else another process has just merged it with others.
                    self.damage = f"{name} is missing"
            except (DamagedIndex, OSError) as error:
                self.damage = reason(error)
                break
        self._tables = []
        return Covered()

    def do_without(self) -> Covered:
        """Let it be empty for this process, whatever is on disk."""
        self._tables = []
        return Covered()

    def get(self, fingerprint: int) -> int | None:
        """Look an id up by its fingerprint.

        Raises
        ------
        DamagedIndex
        """
        weak = None
        for table in self._tables:
            found = table.get(fingerprint)
            if found is not None:
                if found < WEAK:
                    return found
                weak = found ^ WEAK
        return weak

    @contextmanager
    def growing(self, rebuild: bool = False) -> Iterator[Covered | None]:
        """Hold the index alone, to `put` into; None when another process holds it. Saved on leaving.

        Parameters
        ----------
        rebuild : bool
            Begin with an empty one, and wait for others.
        """
        fd = open_file(self._lock_path, os.O_RDWR)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX if rebuild else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield None
                return
            covered = self.load()
            if rebuild:
                self._tables, covered = [], Covered(gone=covered.gone)
            self._new = {}
            yield covered
            self._save(covered)
        finally:
            os.close(fd)

    def put(self, fingerprint: int, ident: int, wins: bool = True) -> None:
        """Point a fingerprint at a record: the last one put, or where it does not win, the first."""
        put(self._new, fingerprint, ident if wins else ident | WEAK)
        if len(self._new) >= _MOST_NEW:
            self._write_new()

    def _write_new(self) -> None:
        self._add(sorted(self._new.items()))
        self._new = {}

    def _add(self, pairs: list[tuple[int, int]] | Iterator[tuple[int, int]]) -> None:
        info = write_table(self._folder, f"index-{secrets.token_hex(8)}", pairs)
        self._tables.insert(0, IndexTable(self._folder, info))

    def _save(self, covered: Covered) -> None:
        if self._new:
            self._write_new()
        self._merge()
        covered.tables = [table.info for table in reversed(self._tables)]
        data = msgspec.json.encode(covered)
        partial = self._covered_path.with_suffix(".json.tmp")
        partial.write_bytes(msgspec.json.encode(_Saved(crc32(data), msgspec.Raw(data))))
        share(partial)
        partial.replace(self._covered_path)
        self._remove_others()

    def _merge(self) -> None:
        """Make one table of the newest ones, so that there are few."""
        count = pairs = 0
        for place, table in enumerate(self._tables):
            if table.info.pairs <= max(_SMALL - pairs, _RATIO * pairs):
                count = place + 1
            pairs += table.info.pairs
        if count > 1:
            newest, self._tables = self._tables[:count], self._tables[count:]
            self._add(merged(newest[::-1]))

    def _remove_others(self) -> None:
        """Remove files that are no part of it any more; ``index`` is another name of the oldest table."""
        ours = {table.info.name for table in self._tables}
        for name in os.listdir(self._folder):
            if name.startswith("index-") and name not in ours:
                with suppress(OSError):
                    os.unlink(self._folder / name)
        with suppress(OSError):
            (self._folder / "index").unlink(missing_ok=True)
            for table in self._tables[-1:]:
                os.link(self._folder / table.info.name, self._folder / "index")

    def _read(self) -> Covered:
        data = read_file(self._covered_path)
        try:
            saved = decoded(data, _Saved)
            if not saved.facts:
                return Covered()
            if crc32(saved.facts) != saved.crc:
                raise DamagedIndex("index.json is not what was written")
            return decoded(saved.facts, Covered)
        except ValueError:
            raise DamagedIndex("index.json cannot be read" if data else "index.json is empty") from None
