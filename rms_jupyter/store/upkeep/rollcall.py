"""Are the journals there that the store has had, and are they what they were?

Asked when a store is opened. What the index took from a journal that is gone, or is another or damaged, it must forget.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from rms_jupyter.store.index import Covered
from rms_jupyter.store.journal import LIVE, SEALED, is_locked, names_in
from rms_jupyter.store.reader import Journals, Unreadable
from rms_jupyter.store.register import Register

_READ_AT_MOST = 16 * 1024 * 1024  # Bytes of sealed journals that are read again because they look new: a copied store.

Tell = Callable[[str], None]


class Roll(NamedTuple):
    """What a roll call finds: numbers of journals that are missing, and of those that the index has read otherwise."""

    missing: set[int]
    changed: set[int]


def call_the_roll(folder: Path, register: Register, facts: Covered, journals: Journals, tell: Tell) -> Roll:
    """Tell of journals that are missing, others' or damaged, and of what only looks like one.

    Parameters
    ----------
    folder : Path
        The store's ``journal`` directory.
    register : Register
    facts : Covered
        What the index holds.
    journals : Journals
        Tells of those that it cannot read.
    tell : callable

    Returns
    -------
    Roll
    """
    names = names_in(folder)
    for name in names.foreign:
        tell(f"journal/{name} is not a journal of this store: it is left out; move it elsewhere")
    there = names.live | names.sealed
    missing = register.numbers() - there - facts.gone
    for number in sorted(missing):
        tell(f"journal {number} is missing: what it recorded is not known any more")
    read = facts.journals.keys() | facts.finished
    doubtful = [number for number in sorted(there) if number not in facts.finished]
    doubtful += _looking_new(folder, facts, names.sealed & facts.finished)
    changed = {number for number in doubtful if not _is_as_read(folder, journals, number, facts)}
    for number in sorted(read - missing):
        if facts.identities.get(number, "") not in ("", register.identity(number)):
            tell(f"the index knows another journal {number}; it was made again from the journals")
            changed.add(number)
    return Roll(missing, read & (missing | changed))


def seal_state(folder: Path, number: int) -> tuple[int, int]:
    """Return what a sealed journal looks like from outside: its size, and when it was written (ns)."""
    found = os.stat(folder / f"{number}{SEALED}")
    return found.st_size, found.st_mtime_ns


def _looking_new(folder: Path, facts: Covered, finished: set[int]) -> list[int]:
    """List sealed journals that were written to since they were read; of a store that was copied, some of them."""
    found, size = [], 0
    for number in sorted(finished, reverse=True):
        try:
            state = seal_state(folder, number)
        except OSError:
            state = 0, 0
        known = facts.seals.get(number)
        if state == known or (known and state[0] == known[0] and size > _READ_AT_MOST):
            continue
        found.append(number)
        size += state[0]
    return found


def _is_as_read(folder: Path, journals: Journals, number: int, facts: Covered) -> bool:
    """Whether a journal holds what the index has read; while its writer lives, it is not read again for that."""
    read = facts.journals.get(number, 0)
    try:
        if number not in facts.finished and (not read or is_locked(folder / f"{number}{LIVE}")):
            return journals.size(number) >= read
        return journals.size(number) >= read and journals.is_whole(number)
    except (Unreadable, OSError):
        return False
