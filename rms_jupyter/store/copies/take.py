"""How does what a copy holds come into a store?  Journals as they are; content when it is used, or at once.

A journal keeps its number, so that what its records say of each other stays right. What came is checked line by line
before it is taken in, and objects and files by their seals and digests.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rms_jupyter.store.ask.beside import forget_databases_elsewhere
from rms_jupyter.store.copies.known_places import remember, remembered
from rms_jupyter.store.copies.place import CopyPlace
from rms_jupyter.store.copies.send import texts_at
from rms_jupyter.store.copies.texts import Text, extent, is_sound, text_of, two_of_a_number
from rms_jupyter.store.copies.trusting import is_trusted
from rms_jupyter.store.full import writing_to
from rms_jupyter.store.journal import LIVE, SEALED, lock_if_dead
from rms_jupyter.store.layout import Layout
from rms_jupyter.store.modes import open_file, share
from rms_jupyter.store.reader import Journals
from rms_jupyter.store.register import Register
from rms_jupyter.store.sealed import seal
from rms_jupyter.store.store import Store

OTHERS = (
    "others have made this copy: of what is pickled nothing is read, and calls run instead; "
    "if you trust all who push there: %rms trust"
)


class Taken(NamedTuple):
    """What was new: how many tasks and journals, and what could not be taken in; and whether anyone has pushed."""

    tasks: int
    journals: int
    problems: list[str]
    is_begun: bool


def take(store: Store, place: CopyPlace) -> Taken:
    """Take in the journals of a copy, as far as they go beyond what is here.

    Raises
    ------
    StoreError
        If the place cannot be used, or it holds another journal of the same number: nothing was taken in then. If the
        store cannot be written any more: what was taken in until then stays.
    """
    layout, problems, tasks, count = store.layout, list[str](), 0, 0
    with writing_to(layout.root), _alone(layout):
        journals = Journals(layout.journal)
        try:
            new = list(texts_to_take(journals, place))
            is_begun = bool(new or texts_at(place))
            if new and store.is_trusted and not is_trusted(place):
                store.distrust()
                problems.append(OTHERS)
            growing = set(remembered(layout.root).growing)
            for text, size in new:
                if problem := _take_in(layout, journals, place, text, size):
                    problems.append(problem)
                    continue
                Register(layout.journal).add(text.number, text.identity)
                growing.discard(text.number) if text.ended else growing.add(text.number)
                remember(layout.root, place.address, growing)
                count += 1
                tasks += _tasks_beyond(text, journals, size)
        finally:
            journals.close()
        if is_begun:
            remember(layout.root, place.address)
    store.refresh()
    return Taken(tasks, count, problems, is_begun)


def texts_to_take(journals: Journals, place: CopyPlace) -> Iterator[tuple[Text, int]]:
    """List the texts of a copy that go beyond what is here, each with how far it goes here.

    Raises
    ------
    StoreError
        If two journals have one number.
    """
    numbers = journals.numbers()
    for number, text in sorted(texts_at(place).items()):
        here = extent(journals, number) if number in numbers else None
        if here is not None and here[0] != text.identity:
            raise two_of_a_number(number, place.address)
        size = here[1] if here is not None else 0
        if text.size > size or (text.ended and text.size == size and number not in journals.sealed()):
            yield text, size


def read_text(place: CopyPlace, said: Text) -> bytes | None:
    """Read a text of a copy; None where it is not what its name says."""
    import zstandard

    try:
        unpack = zstandard.ZstdDecompressor().decompressobj()
        packed = place.read(f"journal/{said.name}")
        text = unpack.decompress(packed) if zstandard.get_frame_parameters(packed).content_size == said.size else b""
    except (zstandard.ZstdError, FileNotFoundError, ValueError):
        return None
    return text if text and is_sound(text, said) else None


@contextlib.contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """Wait until no other process takes anything in."""
    fd = open_file(layout.root / "copies.lock", os.O_RDWR)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _take_in(layout: Layout, journals: Journals, place: CopyPlace, said: Text, here: int) -> str:
    """Take a text in; what a user must hear of, if that is not possible."""
    text = read_text(place, said)
    if text is None:
        return f"journal {said.number} of {place.address} is damaged and was not taken in"
    live, sealed = layout.journal / f"{said.number}{LIVE}", layout.journal / f"{said.number}{SEALED}"
    if here and text_of(journals, said.number) != text[:here]:
        return f"journal {said.number} of {place.address} says something else than the one here, and was not taken in"
    if sealed.exists() and not live.exists():
        return _lengthen_sealed(layout, said, text, sealed)
    if not live.exists():
        staged = _staged(layout, said, text)
        if said.ended:
            seal(staged, sealed)
        else:
            staged.rename(live)
        return ""
    fd = lock_if_dead(live)
    if fd is None:
        return (
            ""
            if len(text) == here
            else f"journal {said.number} is being written here, and {place.address} has more of it"
        )
    try:
        os.lseek(fd, 0, os.SEEK_END)
        os.ftruncate(fd, here)
        os.pwrite(fd, text[here:], here)
        os.fsync(fd)
        if said.ended:
            seal(live, sealed)
    finally:
        os.close(fd)
    return ""


def _lengthen_sealed(layout: Layout, said: Text, text: bytes, sealed: Path) -> str:
    """Put a longer text in place of what was taken for the end, as in a project that was copied while it was used.

    Whoever has read it to its end looks at it again when it is opened: index and database are made new.
    """
    staged = _staged(layout, said, text)
    seal(staged, sealed)
    for path in (
        layout.root / "index.json",
        layout.root / "index",
        layout.root / layout.database.name,
        layout.database,
    ):
        path.unlink(missing_ok=True)
    forget_databases_elsewhere(layout)
    return f"journal {said.number} was thought to be at its end: close this store and open it again"


def _staged(layout: Layout, said: Text, text: bytes) -> Path:
    staged = layout.arriving / f"{said.number}.{os.getpid()}.taken"
    with staged.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    share(staged)
    return staged


def _tasks_beyond(text: Text, journals: Journals, size: int) -> int:
    if not size:
        return text.tasks
    before = sum(b'{"record":"task"' in line for offset, line, _ in journals.lines(text.number, 0) if offset < size)
    return text.tasks - before
