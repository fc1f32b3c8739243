"""How does what a store holds come to a copy?  Content first, then the journals that speak of it.

So whoever reads the copy at any moment finds all that its journals promise; and what was cut off is taken up again by
doing the same once more: what is there already is not sent.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.store.copies.place import CopyPlace
from rms_jupyter.store.copies.texts import (
    Text,
    described,
    extent,
    is_sound,
    longest,
    text_named,
    text_of,
    two_of_a_number,
)
from rms_jupyter.store.reader import Journals
from rms_jupyter.store.store import Store
from rms_jupyter.store.upkeep.holdings import Held

_OBJECT = re.compile(r"[0-9a-f]{32}\.[a-z.]{1,20}")
_DIGEST = re.compile(r"[0-9a-f]{32}")

Wants = Callable[[str], bool]


class SentCounts(NamedTuple):
    """How many tasks, objects and files were sent that the copy had not, their bytes, and what could not be."""

    tasks: int
    objects: int
    files: int
    bytes: int
    problems: list[str]


def send(
    store: Store, digests: FileDigests, place: CopyPlace, files: Iterable[Held] = (), wants: Wants = lambda name: True
) -> SentCounts:
    """Bring a copy up to date with a store.

    Parameters
    ----------
    store, digests, place
    files : iterable of Held
        The files of the project that are sent.
    wants : callable
        Chooses objects by their names.

    Raises
    ------
    StoreError
        If the place cannot be used, or holds another journal of the same number.
    """
    store.refresh()
    journals = Journals(store.layout.journal)
    try:
        texts = list(texts_to_send(journals, place))  # Before anything is sent: two journals of one number are told.
        problems: list[str] = []
        objects, size = _send_objects(store.layout.objects, place, wants)
        sent, more = _send_files(files, digests, place, problems)
        tasks = 0
        for number, there in texts:
            text = text_of(journals, number)
            said = described(number, text, number in journals.sealed())
            if not is_sound(text, said):
                problems.append(f"journal {number} is damaged and was not sent; `check` tells more")
                continue
            tasks += said.tasks - (there.tasks if there else 0)
            place.write(f"journal/{said.name}", compressed(text))
            for older in _names_of(place, said):
                place.remove(f"journal/{older.name}")
    finally:
        journals.close()
    return SentCounts(tasks, objects, sent, size + more, problems)


def texts_to_send(journals: Journals, place: CopyPlace) -> Iterator[tuple[int, Text | None]]:
    """List the journals of which a copy has less than the store, each with what is there of it.

    Raises
    ------
    StoreError
        If two journals have one number.
    """
    there = texts_at(place)
    for number in sorted(journals.numbers()):
        other, here = there.get(number), extent(journals, number)
        if here is None:
            continue
        identity, size = here
        if other is not None and other.identity != identity:
            raise two_of_a_number(number, place.address)
        ends = number in journals.sealed()
        if other is None or size > other.size or (size == other.size and ends and not other.ended):
            yield number, other


def texts_at(place: CopyPlace) -> dict[int, Text]:
    """List the longest text of each journal in a copy."""
    return longest(filter(None, map(text_named, place.names("journal"))), place.address)


def compressed(text: bytes) -> bytes:
    """Pack a text."""
    import zstandard

    return zstandard.ZstdCompressor(level=3).compress(text)


def _names_of(place: CopyPlace, longer: Text) -> list[Text]:
    """List shorter texts of a journal, that a longer one has made superfluous."""
    texts = filter(None, map(text_named, place.names("journal")))
    same = [text for text in texts if (text.number, text.identity) == (longer.number, longer.identity)]
    return [text for text in same if (text.size, text.ended) < (longer.size, longer.ended)]


def _send_objects(folder: Path, place: CopyPlace, wants: Wants) -> tuple[int, int]:
    count = size = 0
    for start in sorted(os.listdir(folder)):
        inside = folder / start
        if len(start) != 2 or not inside.is_dir():
            continue
        names = [name for name in sorted(os.listdir(inside)) if _OBJECT.fullmatch(name) and wants(name)]
        there = set(place.names(f"objects/{start}")) if names else set()
        for name in names:
            source = inside / name
            if name not in there and source.is_file():
                place.write(f"objects/{start}/{name}", source)
                count, size = count + 1, size + source.stat().st_size
    return count, size


def _send_files(files: Iterable[Held], digests: FileDigests, place: CopyPlace, problems: list[str]) -> tuple[int, int]:
    count = size = 0
    there: dict[str, set[str]] = {}
    for _, resource in files:
        name, start = resource.digest, resource.digest[:2]
        if not _DIGEST.fullmatch(name) or (resource.state is not None and resource.state.stats):
            problems.append(f"{resource.path} is a folder, or has files beside it, and was not sent")
            continue
        if start not in there:
            there[start] = set(place.names(f"files/{start}"))
        if name in there[start]:
            continue
        if digests.flaw(resource.path, resource.digest, resource.state):
            problems.append(f"{resource.path} is not as it was recorded, and was not sent")
            continue
        place.write(f"files/{start}/{name}", Path(resource.path))
        there[start].add(name)
        count, size = count + 1, size + resource.size
    return count, size
