"""What is done with journals whose writer is gone?

A line cut in its middle is put aside and reported, and calls that were cut off become records; later the file is
compressed. The index is brought up to date on the same occasion.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from rms_jupyter import model
from rms_jupyter.fingerprint.project import Project
from rms_jupyter.model import Record, Task
from rms_jupyter.store.index import Index
from rms_jupyter.store.journal import LIVE, SEALED, is_locked, journal_numbers, lock_if_dead
from rms_jupyter.store.known import absorb
from rms_jupyter.store.layout import Layout
from rms_jupyter.store.live import SoFar, remove_texts, texts
from rms_jupyter.store.reader import Journals
from rms_jupyter.store.running import Note, cut_off, notes_in
from rms_jupyter.store.sealed import seal

AppendAll = Callable[[Sequence[Record]], list[int]]


def recover(layout: Layout, append_all: AppendAll, recorded: Callable[[str], bool]) -> tuple[list[str], list[Task]]:
    """Set right what kernels left that died.

    Parameters
    ----------
    layout : Layout
    append_all : callable
        Writes records.
    recorded : callable
        Tells whether the call with a key is on record.

    Returns
    -------
    (list of str, list of Task)
        What a user must hear of, and the calls that were cut off, now on record.
    """
    problems: list[str] = []
    tasks: list[Task] = []
    with _dead_journals(layout) as dead:
        for number, fd in dead:
            problems += _drop_torn_line(layout, number, fd)
    gone = [number for number in _noting(layout) if not _is_at_work(layout, number)]
    printed = {so_far.key: so_far.text for so_far in texts(layout.running)} if gone else {}
    for number in gone:
        tasks += cut_off(layout.running / str(number), recorded, printed)
    unfinished = {note.key for note in _notes(layout)}
    remove_texts(layout.running, lambda key: key not in unfinished)
    if tasks:
        append_all(tasks)
    return problems, tasks


def under_way(layout: Layout) -> list[tuple[Note, SoFar]]:
    """List the calls that run in any process, and have done so for a while, with what they have printed."""
    printed = texts(layout.running)
    notes = {note.key: note for note in _notes(layout)} if printed else {}
    return [(notes[so_far.key], so_far) for so_far in printed if so_far.key in notes]


def at_work(layout: Layout) -> dict[int, list[Note]]:
    """Read the unfinished calls of all writers that are at work, by the numbers of their journals."""
    numbers = [number for number in _noting(layout) if _is_at_work(layout, number)]
    return {number: notes_in(layout.running / str(number)) for number in numbers}


def _notes(layout: Layout) -> list[Note]:
    return [note for notes in at_work(layout).values() for note in notes]


def _noting(layout: Layout) -> list[int]:
    """List the writers that have left notes."""
    return [int(name) for name in os.listdir(layout.running) if name.isdigit()]


def _is_at_work(layout: Layout, number: int) -> bool:
    return is_locked(layout.journal / f"{number}{LIVE}")


def seal_dead(layout: Layout) -> None:
    """Compress the journals of writers that are gone."""
    with _dead_journals(layout) as dead:
        for number, _ in dead:
            source = layout.journal / f"{number}{LIVE}"
            if source.exists():
                seal(source, layout.journal / f"{number}{SEALED}")


def update_index(layout: Layout, index: Index, project: Project) -> None:
    """Bring the index up to date with the journals, unless another process is at it."""
    journals = Journals(layout.journal)
    with index.growing() as facts:
        if facts is None:
            return
        names = dict(facts.pipes.values())
        for number in sorted(journals.numbers() - facts.finished):
            for offset, line, json in journals.lines(number, facts.journals.get(number, 0)):
                facts.journals[number] = offset + len(line)
                try:
                    record = model.decode(json or b"")
                except msgspec.MsgspecError:
                    continue
                for mark, place, wins in absorb(facts, names, number << 32 | offset, record, project):
                    if wins or index.get(mark) is None:
                        index.put(facts, mark, place)
            if number in journals.sealed():
                facts.finished.add(number)
                facts.journals.pop(number, None)
    journals.close()


@contextmanager
def _dead_journals(layout: Layout) -> Iterator[list[tuple[int, int]]]:
    """Hold the journals of dead writers, as (number, file descriptor), for the time of a block."""
    held: list[tuple[int, int]] = []
    try:
        for number in sorted(journal_numbers(layout.journal)[0]):
            fd = lock_if_dead(layout.journal / f"{number}{LIVE}")
            if fd is not None:
                held.append((number, fd))
        yield held
    finally:
        for _, fd in held:
            os.close(fd)


def _drop_torn_line(layout: Layout, number: int, fd: int) -> list[str]:
    size = os.fstat(fd).st_size
    tail = os.pread(fd, size, 0)[-(1 << 20) :] if size < 1 << 26 else os.pread(fd, 1 << 20, size - (1 << 20))
    torn = tail[tail.rfind(b"\n") + 1 :]
    if not torn:
        return []
    place = _aside(layout.rejected, f"{number}-{size - len(torn)}", torn)
    os.ftruncate(fd, size - len(torn))
    return [f"a record was cut off in its middle when its kernel died; what is left of it is {place}"]


def _aside(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    place = folder / name
    place.write_bytes(data)
    return place
