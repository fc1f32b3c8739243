"""How is the provenance asked in SQL while other notebooks use the same store?

The lease is DuckDB's own lock on the file: each use attaches the database to this process's in-memory engine and
detaches it again (5 ms at a million tasks), so the lock is held only while something is read or written. Whoever
finds it locked tries again for ten seconds, then names the process that holds it. Results are held in memory, so they
outlive the lease. The engine can open no other file, whatever SQL it is given.
"""

from __future__ import annotations

import importlib.resources
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from rms_jupyter.errors import RmsError, StoreError
from rms_jupyter.store.layout import Layout

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")

PATIENCE = 10.0
_BLOCK_SIZE = 65536  # A quarter of DuckDB's own: a new database of few tasks is mostly unfilled blocks.
_RETRY = (0.002, 0.015)
_SUFFIXES = ("", ".wal", ".wal.checkpoint", ".wal.recovery", ".checkpoint", ".tmp")
_READS = {"SELECT", "EXPLAIN", "MULTI"}


class DamagedDatabase(Exception):
    """The database file cannot be read; the journals can rebuild it."""


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
        self._lock = threading.RLock()
        self._engine: duckdb.DuckDBPyConnection | None = None
        self._asker: duckdb.DuckDBPyConnection | None = None
        self._depth = 0

    @contextmanager
    def lease(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Hold the database for the time of a block, as catalog ``rms``.

        Raises
        ------
        StoreError
            If another process holds it for more than ten seconds.
        DamagedDatabase
            If the file cannot be read.
        """
        with self._lock:
            engine = self._started()
            if self._depth == 0:
                self._attach(engine)
            self._depth += 1
            try:
                yield engine
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._detach(engine)

    def use(self, ask: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Run queries of our own, in one lease."""
        import duckdb

        with self.lease() as engine:
            try:
                return ask(engine)
            except _damage(duckdb) as error:
                raise DamagedDatabase(_short(error)) from None

    def ask(self, query: str, parameters: Any = None, frames: dict[str, Any] | None = None) -> duckdb.DuckDBPyRelation:
        """Run a user's query; the result outlives the lease.

        Parameters
        ----------
        query : str
            One statement that only reads.
        parameters : sequence or dict, optional
            Values for ``?`` or ``$name``.
        frames : dict, optional
            Data frames that the query may name.

        Raises
        ------
        RmsError
            If it is not one reading statement, or DuckDB refuses it.
        """
        import duckdb

        with self.lease() as engine:
            _refuse_writing(engine, query)
            if self._asker is None:
                self._asker = engine.cursor()
            asker = self._asker
            asker.execute("USE rms")
            try:
                for name, frame in (frames or {}).items():
                    asker.register(name, frame)
                return asker.sql(query, params=parameters).materialize()
            except _damage(duckdb) as error:
                raise DamagedDatabase(_short(error)) from None
            except duckdb.Error as error:
                raise RmsError(f"SQL: {_short(error)}", hint=_hint(error)) from None
            finally:
                asker.execute("USE memory")
                for name in frames or {}:
                    asker.unregister(name)

    def close(self) -> None:
        """Let the engine go; results that are still held keep it alive."""
        with self._lock:
            self._engine = self._asker = None

    def abandon(self) -> None:
        """After a fork, in the child: the inherited engine is the parent's and is not touched."""
        self._lock = threading.RLock()
        self._leaked = self._engine, self._asker
        self._engine, self._asker, self._depth = None, None, 0

    def before_fork(self) -> None:
        """Wait until no thread holds the database, so that a child does not inherit its lock."""
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Let other threads use the database again."""
        self._lock.release()

    def _started(self) -> duckdb.DuckDBPyConnection:
        if self._engine is None:
            import duckdb

            engine = duckdb.connect()
            allowed = [str(self._layout.database) + suffix for suffix in _SUFFIXES]
            engine.execute("SET allowed_paths = ?", [allowed])
            engine.execute("SET allowed_directories = ?", [[f"{self._layout.staging}/"]])
            engine.execute("SET enable_external_access = false")
            engine.execute("SET TimeZone = 'UTC'")
            engine.execute(f"SET default_block_size = {_BLOCK_SIZE}")
            engine.execute("SET lock_configuration = true")
            self._engine = engine
        return self._engine

    def _detach(self, engine: duckdb.DuckDBPyConnection) -> None:
        import duckdb

        try:
            engine.execute("USE memory; DETACH rms")
        except duckdb.Error:
            # The checkpoint that goes with it may fail on a damaged file; a new engine begins without it.
            engine.close()
            self._engine = self._asker = None

    def _attach(self, engine: duckdb.DuckDBPyConnection) -> None:
        import duckdb

        path = str(self._layout.database).replace("'", "''")
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                engine.execute(f"ATTACH '{path}' AS rms")
                break
            except duckdb.IOException as error:
                if "lock" not in str(error).lower():
                    raise DamagedDatabase(_short(error)) from None
                if time.monotonic() > give_up:
                    raise _held_by(str(error)) from None
                time.sleep(random.uniform(*_RETRY))
            except duckdb.Error as error:
                raise DamagedDatabase(_short(error)) from None
        engine.execute("USE rms")


def _damage(duckdb: Any) -> tuple[type[Exception], ...]:
    """The exceptions that DuckDB raises when its file cannot be read."""
    return duckdb.IOException, duckdb.SerializationException, duckdb.InternalException, duckdb.FatalException


def _refuse_writing(engine: duckdb.DuckDBPyConnection, query: str) -> None:
    import duckdb

    try:
        statements = engine.extract_statements(query)
    except duckdb.Error as error:
        raise RmsError(f"SQL: {_short(error)}", hint=_hint(error)) from None
    if len(statements) != 1:
        raise RmsError("SQL: one statement at a time", hint="put each in a cell or a line of its own")
    kind = statements[0].type.name
    if kind not in _READS:
        raise RmsError(
            f"SQL: the provenance can only be read, and this is {kind}",
            hint="use SELECT; statuses are changed with %rms mark",
        )


def _short(error: Exception) -> str:
    return str(error).split("\n\nLINE")[0].removeprefix("Invalid Error: ").strip()


def _hint(error: Exception) -> str:
    text = str(error)
    if "Permission Error" in text:
        return "SQL sees the provenance and the notebook's data frames only, no other files"
    if "Catalog Error" in text or "Binder Error" in text:
        return (
            "views: tasks, resources, files, params, edges, pipes, runs, marks, logs, figures; see notebooks/sql.ipynb"
        )
    return "see notebooks/sql.ipynb for examples"


def _held_by(message: str) -> StoreError:
    holder = re.search(r"held in (.+?) \(PID (\d+)\)", message)
    who = f"process {holder[2]} ({holder[1]})" if holder else "another process"
    return StoreError(
        f"the provenance database has been held by {who} for {PATIENCE:.0f} s",
        hint="close it there (a DuckDB command line, perhaps); calls and hits go on meanwhile",
    )
