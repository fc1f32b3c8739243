"""How do journal lines become rows, each exactly once?

Every journal is read from the offset that the database remembers to its last newline. Lines are checked here, and
DuckDB is given only good ones; the offsets move in the same transaction as the rows. Damaged spans are copied to
``journal/rejected`` and reported. A database that cannot be read is put aside and made again from the journals, and so
is one that holds rows of journals that are not there any more.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from rms_jupyter.odd_text import escaped
from rms_jupyter.store.ask.closures import closure_macros
from rms_jupyter.store.ask.database import CannotWriteDatabase, DamagedDatabase, Database, sql_text
from rms_jupyter.store.ask.staging import stage
from rms_jupyter.store.full import reason
from rms_jupyter.store.layout import Layout
from rms_jupyter.store.modes import make_folder
from rms_jupyter.store.reader import Journals
from rms_jupyter.store.register import Register
from rms_jupyter.store.upkeep.rejected import reject

if TYPE_CHECKING:
    import duckdb

SCHEMA = 6
_BATCH = 50_000
_QUOTE = "'"


@dataclass
class IngestReport:
    """What an ingest did, and what a user must hear of."""

    rows: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass
class _Batch:
    lines: list[bytes] = field(default_factory=list)
    offsets: dict[int, int] = field(default_factory=dict)
    finished: set[int] = field(default_factory=set)
    rejected: list[tuple[int, int, bytes]] = field(default_factory=list)


class _Ingested(NamedTuple):
    """How far a journal is in the database."""

    offset: int = 0
    finished: bool = False
    identity: str = ""


def ingest(
    database: Database,
    layout: Layout,
    journals: Journals,
    register: Register,
    project: str,
    changed: Collection[int] = (),
) -> IngestReport:
    """Bring the database up to date with the journals.

    Parameters
    ----------
    database, layout, journals, register
        Of one store.
    project : str
        The folder where the places of files begin.
    changed : collection of int
        The numbers of journals that are known not to be what they were.

    Returns
    -------
    Report

    Raises
    ------
    CannotWriteDatabase
        If the disk is full, or not writable.
    """
    report = IngestReport()
    try:
        make_folder(layout.staging)
        try:
            _ingest(database, layout, journals, register, project, changed, report)
        except DamagedDatabase as damage:
            report.problems.append(put_aside(layout, damage))
            _ingest(database, layout, journals, register, project, changed, report)
    except (DamagedDatabase, OSError) as error:
        raise CannotWriteDatabase(
            f"the database cannot be brought up to date: {reason(error)}",
            hint="free some disk space or check the permissions, then ask again; calls go on meanwhile",
        ) from None
    return report


def _ingest(
    database: Database,
    layout: Layout,
    journals: Journals,
    register: Register,
    project: str,
    changed: Collection[int],
    report: IngestReport,
) -> None:
    with database.lease() as engine:
        migrate(engine, project)
        done = _offsets(engine)
        if other := _others(done, journals, register, changed):
            report.problems.append(
                f"the database held records of {_listed(other)} as it is not any more; it was made again"
            )
            migrate(engine, project, anew=True)
            done = {}
    for batch in _batches(journals, done):
        with database.lease() as engine:
            _load(engine, layout, register, batch)
        for number, offset, span in batch.rejected:
            report.problems.append(reject(layout.rejected, number, offset, span))
        report.rows += len(batch.lines)


def _others(done: dict[int, _Ingested], journals: Journals, register: Register, changed: Collection[int]) -> list[int]:
    """List the journals in the database that are missing, or others than were read."""
    there = journals.numbers()
    register.remember({number: found.identity for number, found in done.items() if found.identity})

    def is_other(number: int) -> bool:
        offset, is_finished, identity = done[number]
        if number not in there or number in changed or register.identity(number) != identity:
            return True
        return not is_finished and not journals.reaches(number, offset)

    return sorted(filter(is_other, done))


def _listed(numbers: list[int]) -> str:
    return f"journal{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers[:5]))}{', …' * (len(numbers) > 5)}"


def migrate(engine: duckdb.DuckDBPyConnection, project: str, anew: bool = False) -> None:
    """Make the tables new if they or what fills them changed (the journals fill them), and the views if they changed.

    The views make the places of files absolute, so they change when the project was moved.
    """
    text = sql_text("views.sql") + closure_macros()
    views = text.replace("$project", f"'{escaped(project).replace(_QUOTE, 2 * _QUOTE)}'")
    tables = sql_text("tables.sql")
    shape = f"{SCHEMA}.{hash_of(tables + sql_text('queries/ingest.sql'))}"
    stamp = f"{shape}:{hash_of(views)}"
    comment = "SELECT any_value(comment) FROM duckdb_tables() WHERE database_name = 'rms' AND table_name = 'ingested'"
    found = str(_one(engine, comment) or "")
    if found == stamp and not anew:
        return
    with _transaction(engine):  # Each statement alone would be synced to the disk: three times as slow.
        if anew or found.partition(":")[0] != shape:
            engine.execute("DROP SCHEMA IF EXISTS raw CASCADE")
            engine.execute(tables)
        engine.execute(views)
        engine.execute(f"COMMENT ON TABLE raw.ingested IS '{stamp}'")


@contextmanager
def _transaction(engine: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Write all that a block writes, or nothing."""
    engine.execute("BEGIN")
    try:
        yield
        engine.execute("COMMIT")
    except BaseException:
        with suppress(Exception):  # Where it could not commit, DuckDB has done that.
            engine.execute("ROLLBACK")
        raise


def hash_of(text: str) -> str:
    """Describe a text by 16 hex digits."""
    from xxhash import xxh3_64_hexdigest

    return xxh3_64_hexdigest(text.encode())


def _batches(journals: Journals, done: dict[int, _Ingested]) -> Iterator[_Batch]:
    batch = _Batch()
    for number in sorted(journals.numbers()):
        start, finished, _ = done.get(number, _Ingested())
        if finished:
            continue
        for offset, line, json in journals.lines(number, start):
            if json is None or journals.refuses(json):
                batch.rejected.append((number, offset, line))
            else:
                batch.lines.append(b'{"id":%d,%b' % (number << 32 | offset, json[1:]))
            batch.offsets[number] = offset + len(line)
            if len(batch.lines) >= _BATCH:
                yield batch
                batch = _Batch()
        if journals.is_finished(number, batch.offsets.get(number, start)):
            batch.offsets.setdefault(number, start)
            batch.finished.add(number)
    if batch.offsets:
        yield batch


def _offsets(engine: duckdb.DuckDBPyConnection) -> dict[int, _Ingested]:
    rows = engine.execute('SELECT journal, "offset", finished, identity FROM rms.raw.ingested').fetchall()
    return {number: _Ingested(*found) for number, *found in rows}


def _load(engine: duckdb.DuckDBPyConnection, layout: Layout, register: Register, batch: _Batch) -> None:
    for line in stage(engine, layout, batch.lines):
        ident = int(line[len(b'{"id":') : line.index(b",")])
        batch.rejected.append((ident >> 32, ident & 0xFFFFFFFF, line))
    with _transaction(engine):
        done = _offsets(engine)
        for number, (offset, _, _) in done.items():
            if number in batch.offsets:
                engine.execute(
                    "DELETE FROM staged WHERE id BETWEEN ? AND ?", [number << 32, (number << 32) + offset - 1]
                )
        engine.execute(sql_text("queries/ingest.sql"))
        if _one(engine, "SELECT count(*) FROM staged WHERE record IN ('status', 'resource')"):
            engine.execute(sql_text("queries/obsolete.sql"))
        for number, offset in batch.offsets.items():
            before = done.get(number, _Ingested()).offset
            engine.execute("DELETE FROM rms.raw.ingested WHERE journal = ?", [number])
            row = [number, max(offset, before), number in batch.finished, register.identity(number)]
            engine.execute("INSERT INTO rms.raw.ingested VALUES (?, ?, ?, ?)", row)
        if batch.rejected:
            numbers, offsets, spans = map(list, zip(*batch.rejected, strict=True))
            rows = "SELECT unnest(?::INTEGER[]), unnest(?::BIGINT[]), unnest(?::BIGINT[]), 'damaged'"
            engine.execute(f"INSERT INTO rms.raw.rejected {rows}", [numbers, offsets, list(map(len, spans))])
    engine.execute("DROP TABLE staged")


def put_aside(layout: Layout, damage: DamagedDatabase) -> str:
    """Rename a damaged database, so that the next ingest makes another; gives what the user must hear."""
    aside = layout.database.with_name(f"provenance.damaged-{time.strftime('%Y%m%d-%H%M%S')}.duckdb")
    for suffix in ("", ".wal", ".wal.checkpoint", ".wal.recovery"):
        leftover = layout.database.with_name(layout.database.name + suffix)
        if os.path.lexists(leftover):
            leftover.rename(aside.with_name(aside.name + suffix))
    return f"the database could not be read ({damage}); it was made again from the journals, the old one is {aside}"


def _one(engine: duckdb.DuckDBPyConnection, query: str) -> object:
    row = engine.execute(query).fetchone()
    return row[0] if row else None
