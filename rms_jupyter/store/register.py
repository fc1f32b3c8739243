"""Which journals has this store ever had, and is a file that bears the name of one the same?

A journal is known by its first line, which is like no other. For each that is born, its number and identity are a line
of ``journal/numbers``, and the index remembers them too: so a number is not used again when its journal is deleted, and
a journal that is missing, renamed, doubled or another's is noticed.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from xxhash import xxh3_64_hexdigest

from rms_jupyter.store.modes import open_file

_LINE = re.compile(r"^([1-9][0-9]{0,9}) ([0-9a-f]{16})$", re.MULTILINE)


def identity_of(first_line: bytes) -> str:
    """Return the identity of a journal, from the JSON of its first line."""
    return xxh3_64_hexdigest(first_line)


class Register:
    """The identities of a store's journals by number, of those that are gone too.

    Parameters
    ----------
    folder : Path
        The store's ``journal`` directory.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "numbers"
        self._identities: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self.remember(self._read())

    def numbers(self) -> set[int]:
        """Return the numbers of all journals that there ever were."""
        return set(self._identities)

    def identities(self) -> dict[int, str]:
        """Return the identities of all journals that there ever were."""
        return dict(self._identities)

    def identity(self, number: int) -> str:
        """Return the identity of a journal; '' if it is not known."""
        return self._identities.get(number, "")

    def remember(self, identities: Mapping[int, str]) -> None:
        """Take in what is known from elsewhere; what was known before stands."""
        for number, identity in identities.items():
            if number not in self._identities:
                self._identities[number] = identity
                self._numbers.setdefault(identity, number)

    def number_of(self, identity: str) -> int | None:
        """Return the number of the journal with an identity."""
        return self._numbers.get(identity)

    def admits(self, number: int, identity: str) -> bool:
        """Whether a file is the journal that its name says; one that was never heard of is."""
        self.remember({number: identity} if identity not in self._numbers else {})
        return self._identities.get(number) == identity

    def add(self, number: int, identity: str) -> None:
        """Write a journal down that is born; where the disk is full, the index will know it."""
        self.remember({number: identity})
        with contextlib.suppress(OSError):
            file = open_file(self._path, os.O_WRONLY | os.O_APPEND)
            try:
                os.write(file, f"\n{number} {identity}\n".encode())  # What was torn before it ends there.
            finally:
                os.close(file)

    def _read(self) -> dict[int, str]:
        try:
            text = self._path.read_text("ascii", "replace")
        except OSError:
            return {}
        return {int(number): identity for number, identity in _LINE.findall(text)}
