"""How is a small file of a store read, whatever it holds by now?"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from rms_jupyter.odd_text import decoder
from rms_jupyter.store.modes import read_file

T = TypeVar("T")


def read_json(path: Path, kind: type[T]) -> T:
    """Read a file of JSON.

    Raises
    ------
    OSError, ValueError
        If it cannot be read, or holds something else.
    """
    return decoded(read_file(path), kind)


def decoded(data: bytes | msgspec.Raw, kind: type[T]) -> T:
    """Read JSON of a type.

    Raises
    ------
    ValueError
        If it is none; so is what is nested too deep.
    """
    try:
        return decoder(lambda data: msgspec.json.decode(data, type=kind))(data)
    except RecursionError:
        raise ValueError("nested too deep") from None
