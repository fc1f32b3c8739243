"""The store as the rest of the package sees it: records go in and come out, content is kept and read back."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rms_jupyter import model
from rms_jupyter.errors import StoreError
from rms_jupyter.fingerprint.project import project_around
from rms_jupyter.interrupts import hold, let_go, unbroken
from rms_jupyter.model import Record, ResourceRecord, StatusChange
from rms_jupyter.odd_text import escaped
from rms_jupyter.store import content
from rms_jupyter.store.ask.beside import is_on_another_disk, keep_database_elsewhere
from rms_jupyter.store.ask.database import CannotWriteDatabase, DamagedDatabase, Database, sql_text
from rms_jupyter.store.ask.ingest import ingest, put_aside
from rms_jupyter.store.claims import Claims
from rms_jupyter.store.following import Following
from rms_jupyter.store.full import reason
from rms_jupyter.store.journal import Journal
from rms_jupyter.store.layout import Layout
from rms_jupyter.store.objects import Flaw, Objects
from rms_jupyter.store.places import to_disk
from rms_jupyter.store.records import Records
from rms_jupyter.store.register import Register
from rms_jupyter.store.running import RunningTasks
from rms_jupyter.store.table import DamagedIndex
from rms_jupyter.store.upkeep.holdings import Holdings
from rms_jupyter.store.upkeep.recover import recover, remove_left_behind, seal_dead
from rms_jupyter.store.upkeep.trust import distrust, is_trusted, trust
from rms_jupyter.store.writer import first_line

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")
Marks = Sequence[int]

MADE_ELSEWHERE = (
    "was made elsewhere: numbers, text, arrays and tables are read from it, but no pickles, as to read one can run "
    "anything. If you trust all that have written to it: %rms trust"
)

_open_stores: weakref.WeakSet[Store] = weakref.WeakSet()


class Store(Records):
    """A directory with the record and the content.

    Parameters
    ----------
    root : Path
        Made if it is not there.
    read_only : bool
        Look only: nothing is written, calls cannot be recorded.
    notebook : str
        Who writes, for the record.

    Raises
    ------
    StoreError
        If it cannot be opened; the message says what to do.
    """

    def __init__(self, root: Path, read_only: bool = False, notebook: str = "") -> None:
        self.layout = Layout(root)
        self.layout.prepare(read_only)
        self.objects = Objects(self.layout.objects, is_trusted(self.layout, read_only))
        self._scratch: weakref.finalize[..., object] | None = None
        if read_only or not self.is_trusted or not self.layout.can_hold_a_database():
            self._scratch = keep_database_elsewhere(self.layout, self.is_trusted, self)
        if read_only:
            self.layout.rejected = self.layout.staging / "rejected"
        self.read_only, self.is_closed = read_only, False
        project = project_around(str(root))
        self.problems: list[str] = []
        self.warn: Callable[[str], None] = self.problems.append
        self._told: set[str] = set()
        if not self.is_trusted:
            self.problems.append(f"{root} {MADE_ELSEWHERE}")
        self.running = RunningTasks(self.layout.running)
        objects = self.objects  # What is asked of it holds no store.
        self._register = Register(self.layout.journal)
        self._journal = Journal(self.layout.journal, lambda: first_line(notebook), register=self._register)
        following = Following(
            self.layout, project, self._register, self._journal, self.tell, lambda: objects.is_trusted, read_only
        )
        super().__init__(following, project, lambda: objects.is_trusted, self.tell)
        self.claims = Claims(self.layout.claims)
        self.database = Database(self.layout)
        self.written = 0  # Times that something was appended, by any thread.
        self._obsolete: tuple[int, set[int]] = (-1, set())
        self._waits = False  # Whether something could not be written yet.
        self._to_ingest = following.reading()
        self._upkeep = threading.Lock()
        self.refresh()
        if not read_only:
            self._recover()
        _open_stores.add(self)

    # Writing -------------------------------------------------------------------------------------------------------

    def append(self, record: Record, marks: Marks = ()) -> int:
        """Write a record; once its id is returned, the record survives the death of this process.

        Parameters
        ----------
        record : Record
        marks : sequence of int, optional
            All the fingerprints that lead to it, if the caller knows them: they need not be worked out.
        """
        return self.append_all((record,), (marks,))[0]

    @unbroken
    def append_all(self, records: Sequence[Record], marks: Iterable[Marks] = repeat(())) -> list[int]:
        """Write records in one piece; `marks` are those of each, see `append`."""
        if not records:
            return []
        with self._following.lock:
            ids = self._journal.append([model.encode(to_disk(record, self.project)) for record in records])
            self.written += 1
            trouble = self._journal.trouble
            for ident, record, own in zip(ids, records, marks):  # noqa: B905 - marks may go on for ever.
                if own:
                    self.known.point(own, ident)
                else:
                    self.known.absorb(ident, record)
            if self._journal.number != self._following.written:
                self._follow_journal()
        if self._waits or trouble is not None:
            self._tell_of_room(trouble)
        return ids

    def begin(self) -> None:
        """Make sure that something can be recorded, before it is done.

        Raises
        ------
        CannotRecord
            If the disk is full or the store is not writable.
        """
        if not self._journal.is_open:
            with self._following.lock:
                self._journal.begin()
                self._follow_journal()

    def _follow_journal(self) -> None:
        """Another journal was begun."""
        self._following.leave_out(self._journal.number)
        self.running.follow(self._journal.number)

    def _tell_of_room(self, trouble: OSError | None) -> None:
        """Tell when what is recorded begins to wait for the disk, and when it was written."""
        waits, self._waits = self._waits, trouble is not None
        if trouble is not None and not waits:
            self.warn(
                f"nothing can be kept in {self.layout.root}: {reason(trouble)}. "
                "What is computed is written down when that is possible again, unless this process ends before"
            )
        elif trouble is None and waits:
            self.warn(f"what could not be kept in {self.layout.root} is written down now")

    def next_k(self) -> int:
        """Give the next tick of the store's Lamport clock."""
        with self._following.lock:
            self.known.facts.k += 1
            return self.known.facts.k

    @property
    def writer(self) -> int:
        """Number of this process's journal (0 before the first record)."""
        return self._journal.number

    # Reading -------------------------------------------------------------------------------------------------------

    @property
    def is_where_it_was(self) -> bool:
        """Whether it is still found where it was opened."""
        return self._following.journals.are_where_they_were()

    def refuse_moved(self) -> None:
        """Refuse to go on where the store is not any more, or is closed.

        Raises
        ------
        StoreError
            If it was closed, or was moved, renamed or removed while it was open.
        """
        if self.is_closed:
            raise StoreError(
                f"the session on {self.layout.root} is closed", hint="open it again: rms.open(...), %rms open"
            )
        if not self.is_where_it_was:
            raise StoreError(
                f"the store {self.layout.root} was moved, renamed or removed while it was open",
                hint="open it where it is now: %rms open PATH",
            )

    def refresh(self) -> bool:
        """Take in what other processes have written; tells whether there was anything."""
        self.refuse_moved()
        begins = hold()
        try:
            return self._following.read()
        finally:
            if begins:
                let_go()

    def holdings(self) -> Holdings:
        """Give the files and objects that are on record."""
        self.refresh()
        holdings = self.known.holdings
        if not holdings.complete:
            ids = [row[0] for row in self.fetch(sql_text("queries/held.sql"))]
            holdings.absorb_earlier(ids, self.resource)
        return holdings

    def is_obsolete(self, ident: int) -> bool:
        """Tell whether something was made from a file whose path now stands for other content."""
        if "overwritten" not in self.known.facts.statuses.values():
            return False
        if self._obsolete[0] != self.known.facts.k:
            rows = self.fetch("SELECT id FROM raw.obsolete")
            self._obsolete = self.known.facts.k, {row[0] for row in rows}
        return ident in self._obsolete[1]

    # Content -------------------------------------------------------------------------------------------------------

    def keep(self, value: Any, digest: str, limit: int | None = None, verify: bool = False) -> ResourceRecord:
        """Keep a value; see `content.keep`."""
        return content.keep(value, digest, self.objects, limit, verify)

    def bring(self, resource: ResourceRecord) -> bool:
        """Fetch the content of a resource that is not here; whether a copy had it."""
        names = content.object_names(resource)
        return bool(names) and all(map(self.objects.bring, names))

    def restore(self, resource: ResourceRecord) -> Any:
        """Read a value back; see `content.restore`."""
        return content.restore(resource, self.objects)

    @property
    def is_trusted(self) -> bool:
        """Whether content may be read that could run anything."""
        return self.objects.is_trusted

    def distrust(self) -> None:
        """Let nothing be read, from now on, that could run anything: others have made some of it."""
        distrust(self.layout)
        self.objects.is_trusted = False
        self._read_last = 0, -1, None

    def trust(self) -> None:
        """Let all content be read, from now on; of a store that is only looked at, in this session."""
        if not self.read_only:
            trust(self.layout)
        self.objects.is_trusted = True
        if self._is_database_elsewhere():  # What was believed of the journals until now was less.
            self._scratch = keep_database_elsewhere(self.layout, True, self) or self._scratch
            self.database = Database(self.layout)
        self.known.status_changes += 1  # What did not answer a call may answer it now.

    def may_read(self, resource: ResourceRecord) -> bool:
        """Whether to read a value can run nothing but what is trusted; see `content.may_read`."""
        return content.may_read(resource, self.objects)

    def note_own(self, resources: Iterable[ResourceRecord]) -> None:
        """Note that values were made in this session: they may be read in any case."""
        for resource in resources:
            content.note_own(resource, self.objects)

    def has(self, resource: ResourceRecord) -> bool:
        """Whether the content of a value is kept, as it was written, and may be read."""
        return self.may_read(resource) and resource.format != "" and not self.flaw(resource)

    def flaw(self, resource: ResourceRecord) -> Flaw:
        """Say why the content of a value that is kept cannot be read as it was written; '' if it can."""
        if not content.object_names(resource):
            return ""
        return self.objects.flaw(resource.digest, resource.format)

    # Asking --------------------------------------------------------------------------------------------------------

    def ask(
        self, query: str, parameters: Any = None, frames: Mapping[str, Any] | None = None
    ) -> duckdb.DuckDBPyRelation:
        """Run a user's query over everything that was recorded until now."""
        return self._up_to_date(lambda: self.database.ask(query, parameters, frames))

    def fetch(self, query: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        """Run a query of our own over everything that was recorded until now."""
        return self.use(lambda engine: engine.execute(query, escaped(parameters)).fetchall())

    def use(self, ask: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Run queries of our own, in one lease, over everything that was recorded until now."""
        return self._up_to_date(lambda: self.database.use(ask))

    def _up_to_date(self, ask: Callable[[], T]) -> T:
        """Ask once everything is ingested; and once more where the database proves damaged and was made again."""
        self.ingest()
        try:
            return ask()
        except DamagedDatabase as damage:
            self.tell(put_aside(self.layout, damage))
            self.ingest()
            return ask()

    def ingest(self) -> int:
        """Bring the database up to date; return the number of records that were new to it.

        Where the disk has no room for it, or cannot be written, it is kept on another one until the store is closed.
        """
        self.refuse_moved()
        try:
            return self._take_into_database()
        except CannotWriteDatabase as trouble:
            if self._is_database_elsewhere() or not is_on_another_disk(self.layout, self.is_trusted):
                raise
            self.warn(f"{trouble.message}; what is asked is answered from a database elsewhere until this session ends")
            self._scratch = keep_database_elsewhere(self.layout, self.is_trusted, self)
            self.database = Database(self.layout)
            return self._take_into_database()

    def _take_into_database(self) -> int:
        following = self._following
        changed, following.changed = following.changed, set()
        try:
            report = ingest(self.database, self.layout, self._to_ingest, self._register, self.project.folder, changed)
        except BaseException:
            following.changed |= changed
            raise
        for problem in report.problems:
            self.tell(problem)
        return report.rows

    def _is_database_elsewhere(self) -> bool:
        return self.layout.database.parent != self.layout.root

    # Keeping house -------------------------------------------------------------------------------------------------

    def tell(self, problem: str) -> None:
        """Have the user hear of a problem, once."""
        if problem not in self._told:
            self._told.add(problem)
            self.problems.append(problem)

    def tidy(self) -> None:
        """Bring database and index up to date, and compress the journals of writers that are gone.

        A database that nobody has asked is not made: the first question does that.
        """
        if self.read_only or not self.is_where_it_was or not self._upkeep.acquire(blocking=False):
            return  # Where it was may be another store by now.
        try:
            remove_left_behind(self.layout)
            seal_dead(self.layout, self._register, self.tell)
            self._following.update_index()
            if self.layout.database.exists():
                self._take_into_database()
        except DamagedIndex as damage:
            self._following.mend(str(damage))
        except (StoreError, OSError) as error:
            self.tell(
                error.message if isinstance(error, StoreError) else f"the index is not up to date: {reason(error)}"
            )
        finally:
            self._upkeep.release()

    def close(self) -> None:
        """Finish the journal and let go of all files."""
        self.running.close()
        if lost := self._journal.close():
            self.warn(f"{lost:,} records could not be written to {self.layout.root}: they are lost")
        try:
            self.tidy()
        finally:
            self._let_files_go()

    @unbroken
    def _let_files_go(self) -> None:
        self.database.close()
        if self._scratch is not None:
            self._scratch()
        self.claims.close()
        self._following.close()
        self._to_ingest.close()
        _open_stores.discard(self)
        self.is_closed = True

    def _recover(self) -> None:
        try:
            problems, tasks = recover(self.layout, self.append_all, lambda key: self.find(key) is not None)
        except (StoreError, OSError) as error:
            self.tell(f"what was cut off when kernels died is not on record: {reason(error)}")
            return
        for problem in problems:
            self.tell(problem)
        for task in tasks:
            self.problems.append(f"cut off when its kernel died: {self.call_text(task)}")


def status_record(ids: Sequence[int], status: str, k: int, note: str = "") -> StatusChange:
    """Make the record of a change of status, dated now."""
    return StatusChange(ids=tuple(ids), status=status, note=note, changed=time.time_ns() // 1000, k=k)


def _before_fork() -> None:
    for store in list(_open_stores):
        store.database.before_fork()


def _after_fork_in_parent() -> None:
    for store in list(_open_stores):
        store.database.after_fork_in_parent()


def _after_fork_in_child() -> None:
    for store in list(_open_stores):
        store.database.abandon()
        if store._scratch is not None:
            store._scratch.detach()
        store._following.after_fork()
        store._journal.abandon()
        store.running.abandon()
        store.claims.abandon()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
