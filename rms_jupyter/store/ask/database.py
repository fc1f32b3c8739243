"""How is the provenance asked in SQL while other notebooks use the same store?

The lease is DuckDB's own lock on the file: each use attaches the database to this process's in-memory engine and
detaches it again (5 ms at a million tasks), so the lock is held only while something is read or written. Whoever
finds it locked tries again for ten seconds, then names the process that holds it. Results are held in memory, so they
outlive the lease. The engine can open no other file, and users' SQL runs in read-only transactions, whatever it says.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.resources
import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rms_jupyter import interrupts
from rms_jupyter.errors import RmsError, StoreError
from rms_jupyter.odd_text import escaped
from rms_jupyter.store.ask.frames import Frames
from rms_jupyter.store.ask.parameters import bound
from rms_jupyter.store.ask.sources import refuse_files
from rms_jupyter.store.ask.statement import cannot_write, hint, reading_statement, short
from rms_jupyter.store.ask.turn import Turn
from rms_jupyter.store.full import number_in, reason
from rms_jupyter.store.layout import Layout
from rms_jupyter.store.modes import share
from rms_jupyter.working_folder import working_folder

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")

PATIENCE = 10.0
_BLOCK_SIZE = 65536  # A quarter of DuckDB's own: a new database of few tasks is mostly unfilled blocks.
_RETRY = (0.002, 0.015)
_JITTER = random.Random()  # Its own: the stream of the module belongs to the notebook.
_TO_MAKE_ONE = 0.05  # seconds
_SUFFIXES = ("", ".wal", ".wal.checkpoint", ".wal.recovery", ".checkpoint", ".tmp")
_HERE = "another session in this process"
_HELD = "Could not set lock", "Unique file handle conflict"  # By another process, or by what else this one does.
_DETACHED = "Detached database"  # As DuckDB begins to say that it could not write all of it.
_ALL_ROWS = 2**62  # Of a column of objects, before it is given a type: of a sample, 1.5 may be read as 2.


class DamagedDatabase(Exception):
    """The database file cannot be read; the journals can rebuild it."""


class CannotWriteDatabase(StoreError):
    """The disk that the database is on is full, or cannot be written or read now."""


def columns_of_views(engine: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """List what SQL may ask, with its columns."""
    return dict(engine.execute(sql_text("queries/columns.sql")).fetchall())


def sql_text(name: str) -> str:
    """Read one of the SQL files of this package: ``queries/ingest.sql``."""
    return (importlib.resources.files(__package__) / name).read_text(encoding="utf-8")


class Database:
    """The DuckDB file of a store, attached only while it is used.

    Parameters
    ----------
    layout : Layout
        Where the store keeps its files.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._turn = Turn(layout.database.parent)
        self._lock = threading.RLock()
        self._engine: duckdb.DuckDBPyConnection | None = None
        self._depth = 0
        self._is_new = False

    @contextmanager
    def lease(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Hold the database for the time of a block, as catalog ``rms``.

        Raises
        ------
        StoreError
            If another process holds it for more than ten seconds, or the disk is full or not writable.
        DamagedDatabase
            If the file is not what was written.
        """
        with self._lock, interrupts.held() as borders:
            import duckdb

            if os.path.lexists(self._layout.database) and not os.path.isfile(self._layout.database):
                raise DamagedDatabase("it is not a file")
            engine = self._started()
            if self._depth == 0:
                self._attach(engine)
            self._depth += 1
            is_sound = True
            try:
                with borders.heard():
                    yield engine
            except duckdb.Error as error:
                if not _is_of_the_file(error):
                    raise
                is_sound = False
                raise self._trouble(error) from None
            except RuntimeError as error:
                if "interrupted" not in str(error).lower():
                    raise
                raise KeyboardInterrupt from None  # As DuckDB says it.
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._detach(engine, is_sound)

    def use(self, ask: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Run queries of our own, in one lease."""
        with self.lease() as engine:
            return ask(engine)

    def ask(
        self, query: str, parameters: Any = None, frames: Mapping[str, Any] | None = None
    ) -> duckdb.DuckDBPyRelation:
        """Run a user's query on a connection of its own; the result outlives the lease.

        Parameters
        ----------
        query : str
            One SELECT, or EXPLAIN of one.
        parameters : sequence or mapping, optional
            Values for ``?`` or ``$name``.
        frames : mapping, optional
            Data frames that the query may name; one that has the name of a view is not seen.

        Raises
        ------
        RmsError
            If it is not one reading statement, or DuckDB refuses it.
        """
        import duckdb

        query = escaped(query)
        with self.lease() as engine:
            statement = reading_statement(engine, query)
            refuse_files(engine, query, frames or ())
            values = bound(statement.named_parameters, query, parameters)
            asker = engine.cursor()
            with _in_catalog(asker), Frames(asker, frames or {}) as seen, _reading(asker):
                try:
                    return asker.sql(query, params=values).materialize()
                except duckdb.Error as error:
                    if _is_of_the_file(error) and not self._is_of_another_file(error):
                        raise
                    if isinstance(error, duckdb.TransactionException):
                        raise cannot_write() from None
                    seen.complain(error)
                    what_to_do = hint(error, query, lambda: columns_of_views(engine))
                    raise RmsError(f"SQL: {short(error)}", hint=what_to_do) from None

    def _is_of_another_file(self, error: Exception) -> bool:
        """Whether a query has named a file beside the database, where the store writes what is to be taken in."""
        return "No files found" in str(error) or f"{self._layout.staging}/" in str(error)

    def take(self, file: Path) -> bool:
        """Put another file in the place of the database while nobody has it open; tells whether that could be done."""
        with self.lease():
            pass  # What a process left beside it that died goes into the file.
        with self.lease():
            if self._layout.database.with_name(f"{self._layout.database.name}.wal").exists():
                return False
            file.replace(self._layout.database)
            return True

    def close(self) -> None:
        """Let the engine go; results that are still held keep it alive."""
        with self._lock:
            self._engine = None

    def abandon(self) -> None:
        """After a fork, in the child: the inherited engine is the parent's and is not touched."""
        self._lock = threading.RLock()
        self._leaked = self._engine
        self._engine, self._depth = None, 0
        self._turn.abandon()

    def before_fork(self) -> None:
        """Wait until no thread holds the database, so that a child does not inherit its lock."""
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Let other threads use the database again."""
        self._lock.release()

    def _started(self) -> duckdb.DuckDBPyConnection:
        if self._engine is None:
            import duckdb

            if not working_folder():
                raise StoreError("the database cannot be asked: the working directory is gone", hint="%cd elsewhere")
            if escaped(str(self._layout.database)) != str(self._layout.database):
                what = f"{self._layout.database} has signs in its name that UTF-8 cannot hold"
                raise StoreError(f"the database cannot be asked: {what}", hint="rename its folders")
            engine = duckdb.connect()
            allowed = [str(self._layout.database) + suffix for suffix in _SUFFIXES]
            engine.execute("SET allowed_paths = ?", [allowed])
            engine.execute("SET allowed_directories = ?", [[f"{self._layout.staging}/"]])
            engine.execute("SET enable_external_access = false")
            engine.execute("SET GLOBAL TimeZone = 'UTC'")
            engine.execute("SET enable_progress_bar = false")
            engine.execute("SET GLOBAL python_enable_replacements = false")
            engine.execute(f"SET GLOBAL pandas_analyze_sample = {_ALL_ROWS}")
            engine.execute(f"SET default_block_size = {_BLOCK_SIZE}")
            engine.execute("SET lock_configuration = true")
            self._engine = engine
        return self._engine

    def _detach(self, engine: duckdb.DuckDBPyConnection, is_sound: bool) -> None:
        """Let the file go; after a failure, and where even that fails, a new engine begins without it.

        What was answered goes with an engine. So it stays where the file was let go of, and only what was written could
        not be put in its place there, for want of room: it is beside the file, and is put there another time.

        Raises
        ------
        StoreError, DamagedDatabase
            If nothing was wrong until then.
        """
        import duckdb

        was_sound, is_sound = is_sound, False
        try:
            engine.execute("USE memory; DETACH rms")
            is_sound = was_sound
        except duckdb.Error as error:
            trouble = self._trouble(error)
            is_sound = was_sound and _DETACHED in str(error) and not isinstance(trouble, DamagedDatabase)
            if was_sound and not is_sound:
                raise trouble from None
        finally:
            if not is_sound:
                engine.close()
                self._engine = None
                self._remove_if_new()
            self._is_new = False
            self._turn.give_up()

    def _remove_if_new(self) -> None:
        """Remove a file that could not be written for the first time: the next would take it for damaged."""
        if self._is_new:
            for suffix in _SUFFIXES:
                with contextlib.suppress(OSError):
                    self._layout.database.with_name(self._layout.database.name + suffix).unlink()

    def _attach(self, engine: duckdb.DuckDBPyConnection) -> None:
        give_up = time.monotonic() + PATIENCE
        while held := self._held_by_others(engine):
            if time.monotonic() > give_up:
                raise _held_by(held)
            interrupts.hear()
            time.sleep(_JITTER.uniform(*_RETRY))
        engine.execute("USE rms")
        with contextlib.suppress(OSError):
            share(self._layout.database)

    def _held_by_others(self, engine: duckdb.DuckDBPyConnection) -> str:
        """Attach the file, unless it is held; what is said then of who holds it."""
        import duckdb

        if not self._turn.take():
            return _HERE
        is_attached = False
        try:
            self._is_new = not self._layout.database.exists()
            self._refuse_empty()
            path = str(self._layout.database).replace("'", "''")
            engine.execute(f"ATTACH IF NOT EXISTS '{path}' AS rms")
            is_attached = True
        except duckdb.Error as error:
            if any(words in str(error) for words in _HELD):
                return str(error)
            if isinstance(error, duckdb.IOException):
                self._remove_if_new()
            raise self._trouble(error) from None
        finally:
            if not is_attached:
                self._turn.give_up()
        return ""

    def _refuse_empty(self) -> None:
        """Refuse a file of no size, which DuckDB takes for a new one, unless another process is making it."""
        path = self._layout.database
        with contextlib.suppress(OSError):
            if path.stat().st_size:
                return
            time.sleep(_TO_MAKE_ONE)
            with path.open("r+b") as file:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not os.fstat(file.fileno()).st_size:
                    raise DamagedDatabase("it is empty")

    def _trouble(self, error: Exception) -> Exception:
        """Return what to raise: a file that cannot be written, or read now, is not damaged."""
        if number_in(str(error)) is None:
            return DamagedDatabase(short(error))
        return CannotWriteDatabase(
            f"the database {self._layout.database} cannot be used: {reason(error)}",
            hint="free some disk space or check the permissions, then ask again; calls and hits go on meanwhile",
        )


def _is_of_the_file(error: Exception) -> bool:
    """Whether DuckDB has raised an exception because it cannot read or write its file."""
    import duckdb

    kinds = duckdb.IOException, duckdb.SerializationException, duckdb.InternalException, duckdb.FatalException
    cannot_commit = isinstance(error, duckdb.TransactionException) and number_in(str(error)) is not None
    return isinstance(error, kinds) or type(error) is duckdb.Error or cannot_commit


@contextmanager
def _in_catalog(asker: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Make the provenance what names without a catalog mean, and let it go."""
    asker.execute("USE rms")
    try:
        yield
    finally:
        asker.execute("USE memory")


@contextmanager
def _reading(asker: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let nothing be written, whatever SQL is given."""
    asker.execute("BEGIN TRANSACTION READ ONLY")
    try:
        yield
    finally:
        asker.execute("ROLLBACK")


def _held_by(message: str) -> StoreError:
    holder = re.search(r"held in (.+?) \(PID (\d+)\)", message)
    here = "another process" if _HELD[0] in message else _HERE
    who = f"process {holder[2]} ({holder[1]})" if holder else here
    return StoreError(
        f"the provenance database has been held by {who} for {PATIENCE:.0f} s",
        hint="close it there (a DuckDB command line, perhaps); calls and hits go on meanwhile",
    )
