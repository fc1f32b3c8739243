"""What have other notebooks done since we last looked?"""

from __future__ import annotations

from collections.abc import Callable

from rms_jupyter.fingerprint.project import Project
from rms_jupyter.store.chronicle import entries
from rms_jupyter.store.places import from_disk
from rms_jupyter.store.reader import Journals, Unreadable
from rms_jupyter.store.recent_index import Known

Reject = Callable[[int, int, bytes], None]


class Tail:
    """Reads the other writers' journals from where it stopped.

    Parameters
    ----------
    journals : Journals
    known : Known
        Takes in what is read; its index says from where reading begins.
    project : Project
    reject : callable
        Told of damaged lines: the number of the journal, the offset, and what is there.
    """

    def __init__(self, journals: Journals, known: Known, project: Project, reject: Reject) -> None:
        self._journals, self._known, self._project, self._reject = journals, known, project, reject
        self._offsets = dict(known.facts.journals)
        self._finished = set(known.facts.finished)
        self._open = journals.numbers() - self._finished

    def skip(self, number: int) -> None:
        """Leave out a journal that this process writes itself."""
        self._finished.add(number)

    def follow(self, number: int) -> None:
        """Read a journal on that this process wrote before it was forked, and its parent still writes."""
        self._finished.discard(number)
        self._open.add(number)

    def read(self) -> bool:
        """Take in all complete lines that are new, and tell whether there were any."""
        if not self._open and not self._journals.have_changed():
            return False
        self._open = self._journals.numbers() - self._finished
        starts = {number: self._offsets.get(number, 0) for number in list(self._open) if self._has_grown(number)}
        found = False
        for entry in entries(self._journals, starts) if starts else ():
            found = True
            self._offsets[entry.number] = entry.end
            if entry.record is not None:
                self._known.absorb(entry.ident, from_disk(entry.record, self._project))
            elif entry.is_damaged:
                self._reject(entry.number, entry.offset, entry.line)
        return found

    def _has_grown(self, number: int) -> bool:
        """Whether a journal is longer than when it was read; one that is sealed then is done with."""
        try:
            if self._journals.size(number) > self._offsets.get(number, 0):
                return True
        except (Unreadable, OSError):
            return False
        if number in self._journals.sealed():
            self._finished.add(number)
            self._open.discard(number)
        return False
