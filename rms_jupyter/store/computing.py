"""Who is at which call, in this process and in others?"""

from __future__ import annotations

import os
import socket

from rms_jupyter.store.live import SoFar
from rms_jupyter.store.recent_index import key_mark
from rms_jupyter.store.running import Note
from rms_jupyter.store.store import Store
from rms_jupyter.store.upkeep import recover

_HERE = "another run of this kernel"


def under_way(store: Store) -> list[tuple[Note, SoFar]]:
    """List the calls that have run for a while, in any process, and what they have printed."""
    found = recover.under_way(store.layout)
    if found:
        store.refresh()  # The names of their pipes.
    return found


def who_computes(store: Store, mark: int) -> str:
    """Say which call has a key's fingerprint, and who is at it."""
    store.refresh()
    for number, notes in recover.at_work(store.layout).items():
        for note in notes:
            if key_mark(note.key) == mark:
                return f"{store.noted_call(note)} in {_process(store, number)}"
    return f"a call in {_HERE if store.claims.is_held_here(mark) else 'another process'}"


def _process(store: Store, number: int) -> str:
    """Word which process writes a journal."""
    writer = store.writer_of(number)
    if writer is None:
        return "another process"
    if (writer.host, writer.pid) == (socket.gethostname(), os.getpid()):
        return _HERE
    notebook = f" ({os.path.basename(writer.notebook)})" if writer.notebook else ""
    return f"kernel {writer.pid}{notebook} on {writer.host}"
