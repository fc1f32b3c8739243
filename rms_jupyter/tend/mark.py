"""How is something marked as wrong, with all that was made from it, and the mark taken back?"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from rms_jupyter.model import StatusChange
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.ask.lineage import walk
from rms_jupyter.store.store import Store


def deprecate(store: Store, roots: Sequence[int], note: str = "") -> int:
    """Mark records, the tasks that made them, and all that was made from them as deprecated.

    Returns
    -------
    int
        How many tasks and resources are marked.
    """
    marked = 0
    for root in roots:
        below = [ident for ident in walk(store, root, up=False).nodes if ident != root]
        place, _ = store.record(root)
        ids = dict.fromkeys([root, place, *below])
        store.append(_status(store, ids, "deprecated", note, cause=root))
        marked += len(ids)
    return marked


def restore(store: Store, roots: Sequence[int], note: str = "") -> int:
    """Take deprecation back: of the records, and of what was deprecated because of them and of nothing else.

    Returns
    -------
    int
        How many are current again.
    """
    restored = 0
    for root in roots:
        ids = [row[0] for row in store.fetch(sql_text("queries/deprecated_by.sql"), {"root": root})]
        if ids:
            store.append(_status(store, ids, "current", note, cause=root))
        restored += len(ids)
    return restored


def annotate(store: Store, roots: Sequence[int], tag: str, note: str) -> None:
    """Give records a tag or a note; searches find both."""
    store.append(_status(store, roots, "", note, tag=tag))


def replaced(store: Store, ids: Iterable[int], note: str) -> None:
    """Mark records as obsolete: newer ones have taken their place."""
    store.append(_status(store, ids, "obsolete", note))


def _status(store: Store, ids: Iterable[int], status: str, note: str, cause: int = 0, tag: str = "") -> StatusChange:
    changed = time.time_ns() // 1000
    return StatusChange(tuple(ids), status, note=note, tag=tag, cause=cause, changed=changed, k=store.next_k())
