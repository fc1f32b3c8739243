"""What becomes of bytes in a journal that are no record?  They stay where they are, a copy is kept, and it is told.

Of a journal with many such places, the first are copied and told of one by one: somebody may have written millions.
"""

from __future__ import annotations

import os
from pathlib import Path

from rms_jupyter.store.full import reason
from rms_jupyter.store.modes import make_folder

_MOST_COPIES = 20  # Of a journal.


def reject(folder: Path, number: int, offset: int, span: bytes) -> str:
    """Keep a copy of damaged bytes; return what a user must hear."""
    if len(_copies(folder, number) - {f"{number}-{offset}"}) >= _MOST_COPIES:
        return f"more damaged bytes in journal {number} were skipped"
    try:
        copy = f"a copy is {set_aside(folder, number, offset, span)}"
    except OSError as error:
        copy = f"no copy can be kept: {reason(error)}"
    return f"{len(span)} damaged bytes in journal {number} at {offset} were skipped; {copy}"


def _copies(folder: Path, number: int) -> set[str]:
    try:
        return {name for name in os.listdir(folder) if name.startswith(f"{number}-")}
    except OSError:
        return set()


def set_aside(folder: Path, number: int, offset: int, data: bytes) -> Path:
    """Keep a copy of what is no record in a journal."""
    make_folder(folder)
    place = folder / f"{number}-{offset}"
    place.write_bytes(data)
    return place
