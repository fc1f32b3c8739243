"""How does the database become small again?  It is made once more from the journals, beside the old one."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rms_jupyter.errors import StoreError
from rms_jupyter.store.ask.database import Database
from rms_jupyter.store.ask.ingest import ingest
from rms_jupyter.store.full import reason
from rms_jupyter.store.layout import Layout
from rms_jupyter.store.reader import Journals
from rms_jupyter.store.register import Register
from rms_jupyter.store.store import Store
from rms_jupyter.store.upkeep.unfinished import name_while_written

_SMALL = 16_000_000
_HOLES = 0.25


def is_worthwhile(store: Store) -> bool:
    """Whether much of the database is not used any more."""
    if store.layout.database.stat().st_size < _SMALL:
        return False
    [(total, free)] = store.fetch(
        "SELECT total_blocks, free_blocks FROM pragma_database_size() WHERE database_name = 'rms'"
    )
    return bool(free > _HOLES * total)


def compact(store: Store) -> int:
    """Make the database again, and put it in the place of the old one; others use that until then.

    Returns
    -------
    int
        Bytes by which it is smaller.

    Raises
    ------
    StoreError
        If the disk is full, or not writable; it is as it was then.
    """
    try:
        return _made_again(store)
    except OSError as error:
        raise StoreError(
            f"the database cannot be made again: {reason(error)}", hint="free some disk space or check the permissions"
        ) from None


def _made_again(store: Store) -> int:
    before = store.layout.database.stat().st_size
    with tempfile.TemporaryDirectory(prefix=name_while_written("compact-"), dir=store.layout.staging) as folder:
        beside = Layout(store.layout.root)
        beside.build_database_in(Path(folder))
        beside.rejected = Path(folder, "rejected")
        register = Register(beside.journal)
        database, journals = Database(beside), Journals(beside.journal, register, is_trusted=lambda: store.is_trusted)
        try:
            ingest(database, beside, journals, register, store.project.folder)
        finally:
            database.close()
            journals.close()
        if not store.database.take(beside.database):
            return 0
    return before - store.layout.database.stat().st_size
