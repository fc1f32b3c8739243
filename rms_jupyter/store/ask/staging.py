"""How do lines of journals become a table?  Those that are no records, whatever their checksums say, are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.layout import Layout
from rms_jupyter.store.upkeep.unfinished import name_while_written

if TYPE_CHECKING:
    import duckdb


def stage(engine: duckdb.DuckDBPyConnection, layout: Layout, lines: list[bytes]) -> list[bytes]:
    """Make the table of lines; return those that do not fit into it, as someone has written what is no record."""
    import duckdb

    try:
        _stage(engine, layout, lines)
    except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.OutOfRangeException):
        misfits = _misfits(engine, layout, lines)
        _stage(engine, layout, [line for line in lines if line not in misfits])
        return misfits
    return []


def _misfits(engine: duckdb.DuckDBPyConnection, layout: Layout, lines: list[bytes]) -> list[bytes]:
    """Find the lines that do not fit, by halves."""
    import duckdb

    try:
        _stage(engine, layout, lines)
    except duckdb.Error:
        half = len(lines) // 2
        return [*_misfits(engine, layout, lines[:half]), *_misfits(engine, layout, lines[half:])] if half else lines
    return []


def _stage(engine: duckdb.DuckDBPyConnection, layout: Layout, lines: list[bytes]) -> None:
    staged = layout.staging / name_while_written("staged.ndjson")
    try:
        staged.write_bytes(b"\n".join(lines))
        engine.execute(sql_text("queries/stage.sql"), [str(staged)])
    finally:
        staged.unlink(missing_ok=True)
