"""The store as the rest of the package sees it: records go in and come out, content is kept and read back."""

from __future__ import annotations

import os
import platform
import secrets
import socket
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
from rms_jupyter.model import PipeRecord, Record, ResourceRecord, Run, StatusChange, TaskRecord
from rms_jupyter.naming import Called, call_name
from rms_jupyter.odd_text import escaped
from rms_jupyter.store import content
from rms_jupyter.store.ask.beside import keep_database_elsewhere
from rms_jupyter.store.ask.database import DamagedDatabase, Database, sql_text
from rms_jupyter.store.ask.ingest import ingest, put_aside
from rms_jupyter.store.claims import Claims
from rms_jupyter.store.full import reason
from rms_jupyter.store.index import Index
from rms_jupyter.store.journal import Journal
from rms_jupyter.store.layout import Layout
from rms_jupyter.store.live import SoFar
from rms_jupyter.store.objects import Flaw, Objects
from rms_jupyter.store.origins import Origins
from rms_jupyter.store.places import from_disk, to_disk
from rms_jupyter.store.reader import Journals
from rms_jupyter.store.recent_index import Known, environment_mark, key_mark, path_mark, pipe_mark, site_mark
from rms_jupyter.store.register import Register
from rms_jupyter.store.running import Note, RunningTasks
from rms_jupyter.store.table import DamagedIndex
from rms_jupyter.store.tail import Tail
from rms_jupyter.store.upkeep.forged import read_record
from rms_jupyter.store.upkeep.holdings import Holdings
from rms_jupyter.store.upkeep.recover import at_work, recover, remove_left_behind, seal_dead, under_way, update_index
from rms_jupyter.store.upkeep.rejected import reject
from rms_jupyter.store.upkeep.rollcall import call_the_roll
from rms_jupyter.store.upkeep.trust import distrust, is_trusted, trust
from rms_jupyter.version import __version__

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")
R = TypeVar("R", bound=Record)
Marks = Sequence[int]

# What a check finds is for asking only: every use looks at the file itself.
SEEN_ON_DISK = frozenset({"missing", "altered", "unreadable"})

MADE_ELSEWHERE = (
    "was made elsewhere: numbers, text, arrays and tables are read from it, but no pickles, as to read one can run "
    "anything. If you trust all that have written to it: %rms trust"
)

_open_stores: weakref.WeakSet[Store] = weakref.WeakSet()


_HERE = "another run of this kernel"


class Store:
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
        self.project = project_around(str(root))
        self.problems: list[str] = []
        self.warn: Callable[[str], None] = self.problems.append
        self._told: set[str] = set()
        if not self.is_trusted:
            self.problems.append(f"{root} {MADE_ELSEWHERE}")
        self.running = RunningTasks(self.layout.running)
        self._notebook = notebook
        self._register = Register(self.layout.journal)
        self._journal = Journal(self.layout.journal, self._writer_line, register=self._register)
        self._journals = self._reading(self._journal)
        self.claims = Claims(self.layout.claims)
        self.database = Database(self.layout)
        self._lock = threading.RLock()
        self._own = 0
        self.written = 0  # Times that something was appended, by any thread.
        self._obsolete: tuple[int, set[int]] = (-1, set())
        self._read_last: tuple[int, int, Any] = (0, -1, None)
        self._waits = False  # Whether something could not be written yet.
        self._missed: set[int] = set()
        self._changed: set[int] = set()
        self._index = Index(self.layout.root)
        self.origins = Origins(self.record, self.pipe_name)
        self.known = Known(self._index, self.project, self._mend)
        self._tail = Tail(self._journals, self.known, self.project, self._reject)
        self._to_ingest = self._reading()
        self._upkeep = threading.Lock()
        self._call_the_roll()
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
        with self._lock:
            ids = self._journal.append([model.encode(to_disk(record, self.project)) for record in records])
            self.written += 1
            trouble = self._journal.trouble
            for ident, record, own in zip(ids, records, marks):  # noqa: B905 - marks may go on for ever.
                if own:
                    self.known.point(own, ident)
                else:
                    self.known.absorb(ident, record)
            if self._journal.number != self._own:
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
            with self._lock:
                self._journal.begin()
                self._follow_journal()

    def _follow_journal(self) -> None:
        """Another journal was begun."""
        self._own = self._journal.number
        self._tail.skip(self._own)
        self.running.follow(self._own)

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
        with self._lock:
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
        return self._journals.are_where_they_were()

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
            with self._lock:
                return self._tail.read()
        finally:
            if begins:
                let_go()

    def record(self, ident: int) -> tuple[int, Record]:
        """Read the record that an id (of a record, or of a resource in it) stands for, with its own id.

        Raises
        ------
        LookupError
            If there is none.
        """
        place, last, record = self._read_last
        if place <= ident <= last:
            return place, record
        with self._lock:
            place, json = self._journals.record(ident)
        record = from_disk(read_record(json, self.is_trusted), self.project)
        last = place + len(record.out) + len(record.given) if isinstance(record, TaskRecord) else place
        self._read_last = place, last, record  # A call of a thousand files asks for each of them.
        return place, record

    def pipe_of(self, task: TaskRecord) -> PipeRecord | None:
        """Return the pipe of a task as it was then; None if it cannot be read any more."""
        return self._readable(task.pipe, PipeRecord)

    def run_of(self, task: TaskRecord) -> Run | None:
        """Return the run of a task; None if it had none, or it cannot be read any more."""
        return self._readable(task.run, Run) if task.run else None

    def _readable(self, ident: int, kind: type[R]) -> R | None:
        try:
            record = self.record(ident)[1]
        except LookupError:
            return None
        return record if isinstance(record, kind) else None

    def resource(self, ident: int) -> ResourceRecord:
        """Read a resource by its id."""
        place, record = self.record(ident)
        if isinstance(record, ResourceRecord):
            return record
        if isinstance(record, TaskRecord) and 0 < ident - place <= len(record.out) + len(record.given):
            return (*record.out, *record.given)[ident - place - 1]
        raise LookupError(f"no resource {ident}")

    def find(self, key: str) -> tuple[int, TaskRecord] | None:
        """Find the task with a cache key, done or failed; the key is checked in full."""
        return self._task_at(key_mark(key), lambda task: key in (task.key, task.traced))

    def find_site(self, site: int) -> tuple[int, TaskRecord] | None:
        """Find the latest task of a site."""
        return self._task_at(site_mark(site), lambda task: task.site == site)

    def latest_id(self, pipe_name: str) -> int:
        """Give the id of the latest task of a pipe, 0 if there is none."""
        return self.known.get(pipe_mark(pipe_name)) or 0

    def find_latest(self, pipe_name: str) -> tuple[int, TaskRecord] | None:
        """Find the latest task of a pipe."""
        return self._task_at(pipe_mark(pipe_name), lambda task: True)

    def find_path(self, path: str) -> tuple[int, ResourceRecord] | None:
        """Find the file last recorded at an absolute path."""
        for spelled in dict.fromkeys((self.project.place(path), path)):  # Earlier versions wrote all paths absolute.
            ident = self.known.get(path_mark(spelled))
            if ident is None:
                continue
            try:
                resource = self.resource(ident)
            except LookupError:
                self._tell_of_lost(ident)
                continue
            if resource.path == path:
                return ident, resource
        return None

    def find_environment(self, digest: str) -> model.Environment | None:
        """Find an environment by its digest."""
        ident = self.known.get(environment_mark(digest))
        found = self._readable(ident, model.Environment) if ident is not None else None
        return found if found is not None and found.digest == digest else None

    def status(self, ident: int) -> str:
        """Tell the status that a record was given since: ``overwritten``, ``deprecated``, ``deleted`` or ''."""
        status = self.known.facts.statuses.get(ident, "")
        return "" if status in SEEN_ON_DISK else status

    def seen(self, ident: int) -> str:
        """Tell what the last check found of a file: ``missing``, ``altered``, ``unreadable`` or ''."""
        status = self.known.facts.statuses.get(ident, "")
        return status if status in SEEN_ON_DISK else ""

    def under_way(self) -> list[tuple[Note, SoFar]]:
        """List the calls that have run for a while, in any process, and what they have printed."""
        found = under_way(self.layout)
        if found:
            self.refresh()  # The names of their pipes.
        return found

    def who_computes(self, mark: int) -> str:
        """Say which call has a key's fingerprint, and who is at it."""
        self.refresh()
        for number, notes in at_work(self.layout).items():
            for note in notes:
                if key_mark(note.key) == mark:
                    return f"{self.noted_call(note)} in {self._process_of(number)}"
        return f"a call in {_HERE if self.claims.is_held_here(mark) else 'another process'}"

    def _process_of(self, number: int) -> str:
        writer = self._readable(number << 32, model.Writer)
        if writer is None:
            return "another process"
        if (writer.host, writer.pid) == (socket.gethostname(), os.getpid()):
            return _HERE
        notebook = f" ({os.path.basename(writer.notebook)})" if writer.notebook else ""
        return f"kernel {writer.pid}{notebook} on {writer.host}"

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

    def pipe_id(self, version: str, name: str) -> int | None:
        """Find the record of a pipe's code version; other pipes may have the same code."""
        return self.known.pipe_ids.get((version, name))

    def accepted(self, version: str) -> tuple[str, ...]:
        """Give the older code versions whose results count for one."""
        return self.known.facts.accepted.get(version, ())

    def pipe_name(self, ident: int) -> str:
        """Give the name of a pipe by the id of its record."""
        pipe = self.known.facts.pipes.get(ident)
        return pipe[1] if pipe else "?"

    def call_text(self, task: TaskRecord) -> str:
        """Write a recorded call as the user would."""
        return call_name(self.origins.of_task(task))

    def noted_call(self, note: Note) -> str:
        """Write an unfinished call as the user would."""
        return call_name(Called(self.pipe_name(note.pipe), note.args))

    def _task_at(self, mark: int, fits: Any) -> tuple[int, TaskRecord] | None:
        ident = self.known.get(mark)
        if ident is None:
            return None
        try:
            place, record = self.record(ident)
        except LookupError:
            self._tell_of_lost(ident)
            return None
        return (place, record) if isinstance(record, TaskRecord) and fits(record) else None

    def _tell_of_lost(self, ident: int) -> None:
        """Tell that what is on record cannot be read, once for a journal."""
        self.tell(f"journal {ident >> 32} holds records that cannot be read any more: their calls run again")

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
        if self.layout.database.parent != self.layout.root:  # What was believed of the journals until now was less.
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
        """Bring the database up to date; return the number of records that were new to it."""
        self.refuse_moved()
        changed, self._changed = self._changed, set()
        try:
            report = ingest(self.database, self.layout, self._to_ingest, self._register, self.project.folder, changed)
        except BaseException:
            self._changed |= changed
            raise
        for problem in report.problems:
            self.tell(problem)
        return report.rows

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
            self._update_index(Index(self.layout.root))
            if self.layout.database.exists():
                self.ingest()
        except DamagedIndex as damage:
            self._mend(str(damage))
        except (StoreError, OSError) as error:
            self.tell(
                error.message if isinstance(error, StoreError) else f"the index is not up to date: {reason(error)}"
            )
        finally:
            self._upkeep.release()

    def _update_index(self, index: Index, rebuild: bool = False) -> None:
        update_index(self._reading(), index, self.project, self._register, self._missed, rebuild)

    def _reading(self, own: Journal | None = None) -> Journals:
        objects = self.objects
        return Journals(self.layout.journal, self._register, self.tell, own, lambda: objects.is_trusted)

    def _call_the_roll(self) -> None:
        """See whether journals and index are what they were."""
        facts = self.known.facts
        self._register.remember(facts.identities)
        folder = self.layout.journal
        self._missed, self._changed = call_the_roll(folder, self._register, facts, self._journals, self.tell)
        if self._index.damage:
            self._mend(self._index.damage)
        elif self._changed:
            self._make_index_new()

    def _mend(self, damage: str) -> None:
        """Make the index new that was found damaged."""
        self.tell(f"the index was damaged ({damage}); it was made again from the journals")
        self._make_index_new()

    def _make_index_new(self) -> None:
        """Make the index new, or do without one, and take in all journals."""
        with self._lock:
            is_made = not self.read_only
            try:
                if is_made:
                    self._update_index(self._index, rebuild=True)
            except (OSError, DamagedIndex):
                is_made = False
            self.known.begin_again(self._journal.number, is_made)
            self._tail = Tail(self._journals, self.known, self.project, self._reject)
            self._tail.read()
            if self._own:
                self._tail.skip(self._own)

    def _reject(self, number: int, offset: int, span: bytes) -> None:
        self.tell(reject(self.layout.rejected, number, offset, span))

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
        self._journals.close()
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

    def _writer_line(self) -> bytes:
        return model.encode(
            model.Writer(
                host=socket.gethostname(),
                pid=os.getpid(),
                python=platform.python_version(),
                version=__version__,
                started=time.time_ns() // 1000,
                notebook=self._notebook,
                unique=secrets.token_hex(8),
            )
        )


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
        store._tail.follow(store._own)
        store._own = 0
        store._journal.abandon()
        store.running.abandon()
        store.claims.abandon()
        store._lock = threading.RLock()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
