"""What becomes of bytes in a journal that are no record?  They stay where they are, a copy is kept, and it is told."""

from __future__ import annotations

from pathlib import Path

from rms_jupyter.store.full import reason
from rms_jupyter.store.modes import make_folder


def reject(folder: Path, number: int, offset: int, span: bytes) -> str:
    """Keep a copy of damaged bytes; return what a user must hear."""
    try:
        copy = f"a copy is {set_aside(folder, number, offset, span)}"
    except OSError as error:
        copy = f"no copy can be kept: {reason(error)}"
    return f"{len(span)} damaged bytes in journal {number} at {offset} were skipped; {copy}"


def set_aside(folder: Path, number: int, offset: int, data: bytes) -> Path:
    """Keep a copy of what is no record in a journal."""
    make_folder(folder)
    place = folder / f"{number}-{offset}"
    place.write_bytes(data)
    return place
