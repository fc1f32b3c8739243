"""What has been done already, as far as this process knows?

Fingerprints of four kinds lead to records: of a cache key (the result), of a site (the latest attempt of the same call,
whatever its code and inputs were), of a pipe's name (its latest task) and of a path (the latest file recorded there).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

from xxhash import xxh3_64_intdigest

from rms_jupyter.fingerprint.project import Project
from rms_jupyter.model import Accept, Environment, PipeRecord, Record, ResourceRecord, StatusChange, TaskRecord
from rms_jupyter.store.index import Covered, Index
from rms_jupyter.store.table import DamagedIndex
from rms_jupyter.store.upkeep.holdings import Holdings

_SITES = 0x9E3779B97F4A7C15
_UNKNOWN = "", ""


def key_mark(key: str) -> int:
    """Fingerprint of a cache key: 32 hex digits, unless somebody has made it up.

    Examples
    --------
    >>> key_mark("0" * 32), key_mark("-" + "1" * 31), key_mark("../secret") > 0
    (1, 1, True)
    """
    try:
        mark = int(key[:16], 16)
        return mark if mark > 0 else 1
    except ValueError:
        return xxh3_64_intdigest(b"key\0" + key.encode("utf-8", "surrogatepass")) or 1


def site_mark(site: int) -> int:
    """Fingerprint of a site."""
    return site ^ _SITES or 1


@functools.lru_cache(maxsize=1024)
def pipe_mark(name: str) -> int:
    """Fingerprint of a pipe's name."""
    return xxh3_64_intdigest(b"pipe\0" + name.encode("utf-8", "surrogatepass")) or 1


def path_mark(path: str) -> int:
    """Fingerprint of a path: the place of what lies in the project."""
    return xxh3_64_intdigest(b"path\0" + path.encode("utf-8", "surrogateescape")) or 1


def environment_mark(digest: str) -> int:
    """Fingerprint of an environment by its digest (32 hex digits)."""
    return xxh3_64_intdigest(b"environment\0" + digest.encode()) or 1


def marks(ident: int, record: Record, project: Project, pipe_name: str = "") -> list[tuple[int, int, bool]]:
    """Say which fingerprints lead to a record, as (fingerprint, id, whether it takes the place of an earlier one)."""
    if isinstance(record, TaskRecord):
        found = []
        if record.cached:
            found.append((key_mark(record.key), ident, record.status == "done"))
            if record.traced:
                found.append((key_mark(record.traced), ident, record.status == "done"))
        if record.site:
            found.append((site_mark(record.site), ident, True))
        if pipe_name:
            found.append((pipe_mark(pipe_name), ident, True))
        if record.given or record.files or record.declared or len(record.out) > 1:
            for slot, resource in enumerate((*record.out, *record.given), 1):
                if resource.path:
                    found.append((path_mark(project.place(resource.path)), ident + slot, True))
        return found
    if isinstance(record, ResourceRecord) and record.path:
        return [(path_mark(project.place(record.path)), ident, True)]
    if isinstance(record, Environment):
        return [(environment_mark(record.digest), ident, False)]
    return []


class Known:
    """The table on disk and, in front of it, what was read or written since.

    Parameters
    ----------
    index : Index
        Loaded here; journals are read from where it ends.
    project : Project
    mend : callable
        Makes an index new that proves damaged, and has this begin again; told what is wrong.
    """

    def __init__(self, index: Index, project: Project, mend: Callable[[str], None]) -> None:
        self._index, self._project, self._mend = index, project, mend
        self._recent: dict[int, int] = {}
        self.status_changes = 0
        self._begin(index.load())

    def _begin(self, facts: Covered) -> None:
        self.facts = facts
        self._found_last: tuple[int, int | None] = (0, None)  # By the index on disk: most are asked for twice.
        self.pipe_ids = {pipe: ident for ident, pipe in facts.pipes.items()}
        self.holdings = Holdings(complete=not (facts.journals or facts.finished))

    def begin_again(self, own: int, with_index: bool) -> None:
        """Begin again, with an index that was made new, or with none.

        Parameters
        ----------
        own : int
            The journal that this process writes: what waits to be written to it is in no index.
        with_index : bool
        """
        tick = self.facts.k
        self._recent = {mark: ident for mark, ident in self._recent.items() if ident >> 32 == own}
        self.status_changes += 1
        self._begin(self._index.load() if with_index else self._index.do_without())
        self.facts.k = max(self.facts.k, tick)

    def get(self, mark: int) -> int | None:
        """Find the id that a fingerprint leads to; the caller checks the record."""
        found = self._recent.get(mark)
        if found is not None:
            return found
        last, found = self._found_last
        if last != mark:
            try:
                found = self._index.get(mark)
            except DamagedIndex as damage:
                self._mend(str(damage))
                return self.get(mark)
            self._found_last = mark, found
        return found

    def point(self, marks: Iterable[int], ident: int) -> None:
        """Let fingerprints lead to a record."""
        for mark in marks:
            self._recent[mark] = ident

    def absorb(self, ident: int, record: Record) -> None:
        """Take in a record that was written or read."""
        self.status_changes += type(record) in (StatusChange, Accept)
        self.holdings.absorb(ident, record)
        recent = self._recent
        if isinstance(record, PipeRecord):
            self.pipe_ids[record.version, record.name] = ident
        for mark, place, wins in absorb(self.facts, ident, record, self._project):
            if wins or self.get(mark) is None:
                recent[mark] = place


def absorb(facts: Covered, ident: int, record: Record, project: Project) -> Iterable[tuple[int, int, bool]]:
    """Take a record's small facts in, and give the fingerprints that lead to it."""
    if record.k > facts.k:
        facts.k = record.k
    if type(record) is TaskRecord:
        return marks(ident, record, project, facts.pipes.get(record.pipe, _UNKNOWN)[1])
    if isinstance(record, PipeRecord):
        facts.pipes[ident] = record.version, record.name
    elif isinstance(record, Accept):
        facts.accepted.pop(record.version, None)
        if not record.undone:
            facts.accepted[record.version] = record.older
    elif isinstance(record, StatusChange) and record.status:
        for target in record.ids:
            if facts.statuses.get(target) == "deleted" and record.status != "restored":
                continue  # Until it is brought back: what is made again has an id of its own.
            facts.statuses[target] = record.status
            if record.status in ("current", "restored"):
                del facts.statuses[target]
    return marks(ident, record, project)
