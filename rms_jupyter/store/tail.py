"""What have other notebooks done since we last looked?"""

from __future__ import annotations

import contextlib

import msgspec

from rms_jupyter import model
from rms_jupyter.fingerprint.project import Project
from rms_jupyter.store.known import Known
from rms_jupyter.store.places import from_disk
from rms_jupyter.store.reader import Journals


class Tail:
    """Reads the other writers' journals from where it stopped.

    Parameters
    ----------
    journals : Journals
    known : Known
        Takes in what is read; its index says from where reading begins.
    project : Project
    """

    def __init__(self, journals: Journals, known: Known, project: Project) -> None:
        self._journals, self._known, self._project = journals, known, project
        self._offsets = dict(known.facts.journals)
        self._finished = set(known.facts.finished)
        self._open: set[int] = set()

    def skip(self, number: int) -> None:
        """Leave out a journal that this process writes itself."""
        self._finished.add(number)

    def read(self) -> bool:
        """Take in all complete lines that are new, and tell whether there were any.

        Damaged ones are left to the ingest, which reports them.
        """
        if not self._open and not self._journals.have_changed():
            return False
        found = False
        self._open = self._journals.numbers() - self._finished
        for number in list(self._open):
            start = self._offsets.get(number, 0)
            try:
                size = self._journals.size(number)
            except (OSError, ValueError):
                continue
            if size > start:
                self._offsets[number] = self._take_in(number, start)
                found = found or self._offsets[number] > start
            elif number in self._journals.sealed():
                self._finished.add(number)
                self._open.discard(number)
        return found

    def _take_in(self, number: int, start: int) -> int:
        for offset, line, json in self._journals.lines(number, start):
            start = offset + len(line)
            if json is None:
                continue
            # What a newer version has written is left out here; the database keeps what it understands of it.
            with contextlib.suppress(msgspec.MsgspecError):
                self._known.absorb(number << 32 | offset, from_disk(model.decode(json), self._project))
        return start
