"""Which journals does a store or a copy have, and how far do they go?

A journal is told from all others by its number and by its first line. Of two texts of one journal the longer one says
all that the shorter one does. So copies are brought together by taking the longest text of each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from rms_jupyter.errors import StoreError
from rms_jupyter.store.lines import json_of, lines_of
from rms_jupyter.store.reader import Journals
from rms_jupyter.store.register import identity_of

_NAME = re.compile(r"(\d{1,10})\.([0-9a-f]{16})\.(\d{1,10})\.(\d{1,10})\.(open|ended)\.zst")
_LONGEST = 1 << 32
_TASK = b'{"record":"task"'


class Text(NamedTuple):
    """What is known of a journal without reading it: `tasks` is how many it holds, `ended` that it will not grow."""

    number: int
    identity: str
    size: int
    tasks: int
    ended: bool

    @property
    def name(self) -> str:
        """How a copy names it."""
        state = "ended" if self.ended else "open"
        return f"{self.number}.{self.identity}.{self.size}.{self.tasks}.{state}.zst"


def text_named(name: str) -> Text | None:
    """Read the name of a text in a copy; None for any other name.

    Examples
    --------
    >>> text_named("70001.00112233445566ff.1200.3.ended.zst").tasks
    3
    >>> text_named("../70001.zst")
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    number, size, tasks = int(found[1]), int(found[3]), int(found[4])
    ok = 0 < number < 1 << 31 and 0 < size < _LONGEST
    return Text(number, found[2], size, tasks, found[5] == "ended") if ok else None


def longest(texts: Iterable[Text], where: str) -> dict[int, Text]:
    """Choose the longest text of each journal.

    Raises
    ------
    StoreError
        If two journals have one number.
    """
    found: dict[int, Text] = {}
    for text in texts:
        other = found.get(text.number, text)
        if other.identity != text.identity:
            raise two_of_a_number(text.number, where)
        found[text.number] = max(other, text, key=lambda text: (text.size, text.ended))
    return found


def two_of_a_number(number: int, where: str) -> StoreError:
    """Word that two journals have one number, as those of earlier versions may."""
    return StoreError(
        f"two different journals have the number {number}, one of them in {where}",
        hint="stores made by earlier versions cannot be brought together; results of the one can be exported",
    )


def extent(journals: Journals, number: int) -> tuple[str, int] | None:
    """Return the identity of a journal and the size of its text; None for what cannot be read, or holds nothing yet.

    Of one that grows still the size counts up to its last whole line.
    """
    try:
        _, first = journals.record(number << 32)
        if number in journals.sealed():
            return identity_of(first), journals.size(number)
    except (LookupError, OSError, ValueError):
        return None
    return identity_of(first), len(text_of(journals, number))


def text_of(journals: Journals, number: int) -> bytes:
    """Return the text of a journal up to its last whole line."""
    return b"".join(line for _, line, _ in journals.lines(number, 0))


def described(number: int, text: bytes, ended: bool) -> Text:
    """Describe a text that was read."""
    return Text(number, _identity_in(text), len(text), text.count(_TASK), ended)


def is_sound(text: bytes, said: Text) -> bool:
    """Whether a text that came from elsewhere is what its name says, line by line."""
    is_whole = len(text) == said.size and text.endswith(b"\n") and _identity_in(text) == said.identity
    return is_whole and all(json_of(line) is not None for _, line, _ in lines_of(text))


def _identity_in(text: bytes) -> str:
    return identity_of(json_of(text[: text.index(b"\n")]) or b"")
