"""How do journal lines become rows, each exactly once?

Every journal is read from the offset that the database remembers to its last newline. Lines are checked here, and
DuckDB is given only good ones; the offsets move in the same transaction as the rows. Damaged spans are copied to
``journal/rejected`` and reported. A database that cannot be read is put aside and made again from the journals.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rms_jupyter.odd_text import escaped
from rms_jupyter.store.database import DamagedDatabase, Database, sql_text
from rms_jupyter.store.layout import Layout
from rms_jupyter.store.reader import Journals

if TYPE_CHECKING:
    import duckdb

SCHEMA = 6
_BATCH = 50_000
_QUOTE = "'"


@dataclass
class Report:
    """What an ingest did, and what a user must hear of."""

    rows: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass
class _Batch:
    lines: list[bytes] = field(default_factory=list)
    offsets: dict[int, int] = field(default_factory=dict)
    finished: set[int] = field(default_factory=set)
    rejected: list[tuple[int, int, bytes]] = field(default_factory=list)


def ingest(database: Database, layout: Layout, journals: Journals, project: str) -> Report:
    """Bring the database up to date with the journals.

    Parameters
    ----------
    database, layout, journals
        Of one store.
    project : str
        The folder where the places of files begin.

    Returns
    -------
    Report
    """
    report = Report()
    try:
        _ingest(database, layout, journals, project, report)
    except DamagedDatabase as damage:
        report.problems.append(put_aside(layout, damage))
        _ingest(database, layout, journals, project, report)
    return report


def _ingest(database: Database, layout: Layout, journals: Journals, project: str, report: Report) -> None:
    with database.lease() as engine:
        migrate(engine, project)
        done = _offsets(engine)
    for batch in _batches(journals, done):
        with database.lease() as engine:
            _load(engine, layout, batch)
        for number, offset, span in batch.rejected:
            report.problems.append(_reject(layout, number, offset, span))
        report.rows += len(batch.lines)


def migrate(engine: duckdb.DuckDBPyConnection, project: str) -> None:
    """Make the tables new if they are of another version (the journals fill them), and the views if they changed.

    The views make the places of files absolute, so they change when the project was moved.
    """
    views = sql_text("views.sql").replace("$project", f"'{escaped(project).replace(_QUOTE, 2 * _QUOTE)}'")
    stamp = f"{SCHEMA}:{hash_of(views)}"
    comment = "SELECT any_value(comment) FROM duckdb_tables() WHERE database_name = 'rms' AND table_name = 'ingested'"
    found = str(_one(engine, comment) or "")
    if found == stamp:
        return
    with _transaction(engine):  # Each statement alone would be synced to the disk: three times as slow.
        if found.partition(":")[0] != str(SCHEMA):
            engine.execute("DROP SCHEMA IF EXISTS raw CASCADE")
            engine.execute(sql_text("tables.sql"))
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
        engine.execute("ROLLBACK")
        raise


def hash_of(text: str) -> str:
    """Describe a text by 16 hex digits."""
    from xxhash import xxh3_64_hexdigest

    return xxh3_64_hexdigest(text.encode())


def _batches(journals: Journals, done: dict[int, tuple[int, bool]]) -> Iterator[_Batch]:
    batch = _Batch()
    for number in sorted(journals.numbers()):
        start, finished = done.get(number, (0, False))
        if finished:
            continue
        for offset, line, json in journals.lines(number, start):
            if json is None:
                batch.rejected.append((number, offset, line))
            else:
                batch.lines.append(b'{"id":%d,%b' % (number << 32 | offset, json[1:]))
            batch.offsets[number] = offset + len(line)
            if len(batch.lines) >= _BATCH:
                yield batch
                batch = _Batch()
        if number in journals.sealed():
            batch.offsets.setdefault(number, start)
            batch.finished.add(number)
    if batch.offsets:
        yield batch


def _offsets(engine: duckdb.DuckDBPyConnection) -> dict[int, tuple[int, bool]]:
    rows = engine.execute('SELECT journal, "offset", finished FROM rms.raw.ingested').fetchall()
    return {number: (offset, finished) for number, offset, finished in rows}


def _load(engine: duckdb.DuckDBPyConnection, layout: Layout, batch: _Batch) -> None:
    staged = layout.staging / f"{os.getpid()}.ndjson"
    staged.write_bytes(b"\n".join(batch.lines))
    try:
        engine.execute(sql_text("queries/stage.sql"), [str(staged)])
    finally:
        staged.unlink(missing_ok=True)
    with _transaction(engine):
        done = _offsets(engine)
        for number, (offset, _) in done.items():
            if number in batch.offsets:
                engine.execute(
                    "DELETE FROM staged WHERE id BETWEEN ? AND ?", [number << 32, (number << 32) + offset - 1]
                )
        engine.execute(sql_text("queries/ingest.sql"))
        if _one(engine, "SELECT count(*) FROM staged WHERE record IN ('status', 'resource')"):
            engine.execute(sql_text("queries/obsolete.sql"))
        for number, offset in batch.offsets.items():
            before = done.get(number, (0, False))[0]
            engine.execute("DELETE FROM rms.raw.ingested WHERE journal = ?", [number])
            row = [number, max(offset, before), number in batch.finished]
            engine.execute("INSERT INTO rms.raw.ingested VALUES (?, ?, ?)", row)
        for number, offset, span in batch.rejected:
            engine.execute("INSERT INTO rms.raw.rejected VALUES (?, ?, ?, 'damaged')", [number, offset, len(span)])
    engine.execute("DROP TABLE staged")


def _reject(layout: Layout, number: int, offset: int, span: bytes) -> str:
    layout.rejected.mkdir(exist_ok=True)
    place = layout.rejected / f"{number}-{offset}"
    place.write_bytes(span)
    return f"{len(span)} damaged bytes in journal {number} at {offset} were skipped; a copy is {place}"


def put_aside(layout: Layout, damage: DamagedDatabase) -> str:
    """Rename a damaged database, so that the next ingest makes another; gives what the user must hear."""
    aside = layout.database.with_name(f"provenance.damaged-{time.strftime('%Y%m%d-%H%M%S')}.duckdb")
    for suffix in ("", ".wal", ".wal.checkpoint", ".wal.recovery"):
        leftover = layout.database.with_name(layout.database.name + suffix)
        if leftover.exists():
            leftover.rename(aside.with_name(aside.name + suffix))
    return f"the database could not be read ({damage}); it was made again from the journals, the old one is {aside}"


def _one(engine: duckdb.DuckDBPyConnection, query: str) -> object:
    row = engine.execute(query).fetchone()
    return row[0] if row else None
