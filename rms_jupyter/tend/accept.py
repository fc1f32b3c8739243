"""Which code changes do not matter?  The user's word that older results count for the code as it is now."""

from __future__ import annotations

import time

from rms_jupyter.errors import RmsError
from rms_jupyter.model import Accept
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.call.older_code import OlderCode, older_code
from rms_jupyter.store.store import Store


def accept(store: Store, definition: Definition, epoch: object) -> OlderCode | None:
    """Let the results of the code that ran last count for the code as it is now; None if there are none.

    What had been accepted for that code counts as well.
    """
    older = older_code(store, definition, epoch)
    if older is None:
        return None
    version = definition.version(epoch).digest.hex()
    versions = (older.version, *store.accepted(older.version), *store.accepted(version))
    _write(store, definition.name, version, tuple(dict.fromkeys(versions)))
    return older


def take_back(store: Store, definition: Definition, epoch: object) -> None:
    """Let older results count no more for the code as it is now.

    Raises
    ------
    RmsError
        If nothing was accepted.
    """
    version = definition.version(epoch).digest.hex()
    if not store.accepted(version):
        raise RmsError(f"nothing was accepted for {definition.name} as it is now", hint="see %rms accept")
    _write(store, definition.name, version, (), undone=True)


def _write(store: Store, name: str, version: str, older: tuple[str, ...], undone: bool = False) -> None:
    changed = time.time_ns() // 1000
    store.append(Accept(name, version, older, undone=undone, changed=changed, k=store.next_k()))
