"""What is done with journals whose writer is gone?

A line cut in its middle is put aside and reported, and calls that were cut off become records; later the file is
compressed. The index is brought up to date on the same occasion.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from rms_jupyter import interrupts
from rms_jupyter.fingerprint.project import Project
from rms_jupyter.model import Record, TaskRecord
from rms_jupyter.store.chronicle import entries
from rms_jupyter.store.copies.known_places import remembered
from rms_jupyter.store.full import reason
from rms_jupyter.store.index import Index
from rms_jupyter.store.journal import LIVE, SEALED, is_locked, lock_if_dead, names_in, remove_unborn
from rms_jupyter.store.layout import Layout
from rms_jupyter.store.live import SoFar, remove_texts, texts
from rms_jupyter.store.objects import UNFINISHED
from rms_jupyter.store.reader import Journals, Unreadable
from rms_jupyter.store.recent_index import absorb
from rms_jupyter.store.register import Register
from rms_jupyter.store.running import Note, cut_off, notes_in
from rms_jupyter.store.sealed import seal
from rms_jupyter.store.upkeep.rejected import set_aside
from rms_jupyter.store.upkeep.rollcall import seal_state
from rms_jupyter.store.upkeep.unfinished import remove_unfinished

NOT_RESTORED = "{0} is not whole: its restore was killed, or still goes on; to finish it: %rms restore SOURCE {0}"

AppendAll = Callable[[Sequence[Record]], list[int]]


def recover(
    layout: Layout, append_all: AppendAll, recorded: Callable[[str], bool]
) -> tuple[list[str], list[TaskRecord]]:
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
    problems = [NOT_RESTORED.format(layout.root)] if layout.is_being_restored else []
    tasks: list[TaskRecord] = []
    remove_unborn(layout.journal)
    remove_left_behind(layout)
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


def remove_left_behind(layout: Layout) -> None:
    """Remove the content that processes were writing when they were killed."""
    for folder in (layout.objects / UNFINISHED, layout.staging):
        remove_unfinished(folder)


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


def seal_dead(layout: Layout, register: Register, tell: Callable[[str], None]) -> None:
    """Compress the journals of writers that are gone."""
    remove_unborn(layout.journal)
    journals = Journals(layout.journal, register, tell)
    with _dead_journals(layout) as dead:
        growing = set(remembered(layout.root).growing)
        for number, fd in dead:
            try:
                if journals.is_live(number) and number not in growing:
                    for problem in _drop_torn_line(layout, number, fd):
                        tell(problem)
                    seal(layout.journal / f"{number}{LIVE}", layout.journal / f"{number}{SEALED}")
            except Unreadable:
                continue  # What is told of by its reader stays as it is.
            except OSError as error:
                tell(f"a finished journal cannot be compressed: {reason(error)}")
    journals.close()


def update_index(
    journals: Journals,
    index: Index,
    project: Project,
    register: Register,
    missed: Collection[int] = (),
    rebuild: bool = False,
) -> None:
    """Bring the index up to date with the journals, unless another process is at it; or make it new.

    Parameters
    ----------
    journals : Journals
        Closed here.
    index, project, register
    missed : collection of int
        The numbers of journals that the user was told are missing.
    rebuild : bool
        Begin with an empty one.

    Raises
    ------
    OSError
        If the disk is full, or not writable; then it is as it was.
    """
    with contextlib.closing(journals), index.growing(rebuild) as facts:
        if facts is None:
            return
        there = journals.numbers()
        starts = {number: facts.journals.get(number, 0) for number in there - facts.finished}
        for entry in entries(journals, starts) if starts else ():
            facts.journals[entry.number] = entry.end
            if entry.record is not None:
                for mark, place, wins in absorb(facts, entry.ident, entry.record, project):
                    index.put(mark, place, wins)
        for number in journals.sealed() & starts.keys():
            if journals.is_finished(number, facts.journals.get(number, 0)):
                facts.finished.add(number)
                facts.journals.pop(number, None)
                facts.seals[number] = seal_state(journals.folder, number)
        facts.identities = register.identities()
        facts.gone = facts.gone.union(missed) - there


@contextmanager
def _dead_journals(layout: Layout) -> Iterator[list[tuple[int, int]]]:
    """Hold the journals of dead writers, as (number, file descriptor), for the time of a block."""
    held: list[tuple[int, int]] = []
    try:
        with interrupts.held():  # A lock that is lost sight of would pass for a living writer's.
            for number in sorted(names_in(layout.journal).live):
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
    try:
        place = set_aside(layout.rejected, number, size - len(torn), torn)
        os.ftruncate(fd, size - len(torn))
    except OSError as error:
        return [f"a record was cut off in its middle when its kernel died; it cannot be put aside: {reason(error)}"]
    return [f"a record was cut off in its middle when its kernel died; what is left of it is {place}"]
