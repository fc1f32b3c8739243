"""Which notebook cell is being run, and how does one talk to the user there?"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

from rms_jupyter import model
from rms_jupyter.errors import RmsWarning
from rms_jupyter.run.answer import Answer
from rms_jupyter.store.store import Store


@dataclass(eq=False)
class Cell:
    """A cell being run, or (without a notebook) the whole of a script.

    Attributes
    ----------
    notebook, ident, code : str
    count : int
        The number in ``In [count]``.
    answers : list of (str, Answer)
        Calls answered in it so far: the pipe's name, and the answer.
    headline : str
        What its run came to as a whole.
    """

    notebook: str = ""
    ident: str = ""
    count: int = 0
    code: str = ""
    answers: list[tuple[str, Answer]] = field(default_factory=list)
    headline: str = ""
    run: int = 0


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""  # It was deleted.


def warn(message: str) -> None:
    """Tell the user outside of notebooks."""
    warnings.warn(message, RmsWarning, stacklevel=2)


class Place:
    """Where calls happen: the current cell, its run on record, and the way to tell the user something.

    Parameters
    ----------
    store : Store
    say : callable
        Shows a message, in a notebook at the end of the cell.

    Attributes
    ----------
    announce : callable
        Shows a message at once.
    """

    def __init__(self, store: Store, say: Callable[[str], None] = warn) -> None:
        self._store, self.say = store, say
        self.announce: Callable[[str], None] = warn
        self.cell = Cell()
        self.epoch: object = self.cell
        self._said: set[str] = set()

    def enter(self, cell: Cell) -> None:
        """Begin a cell."""
        self.cell = self.epoch = cell

    def run_id(self, kind: model.RunKind = "calls") -> int:
        """Give the run on record that the cell's calls belong to; a plan is a run of its own."""
        if kind == "plan" or not self.cell.run:
            cell = self.cell
            record = model.Run(
                kind=kind,
                notebook=cell.notebook,
                cell=cell.ident,
                count=cell.count,
                code=cell.code,
                started=time.time_ns() // 1000,
                folder=_folder(),
                k=self._store.next_k(),
            )
            cell.run = self._store.append(record)
        return self.cell.run

    def fixed(self, kind: model.RunKind) -> Fixed:
        """Give the surroundings of a run that begins in this cell, and may go on in later ones."""
        return Fixed(self, self.cell, self.epoch, self.run_id(kind))

    def note(self, pipe_name: str, answer: Answer) -> None:
        """Remember an answer for the line under the cell; scripts have none."""
        if self.cell.count:
            self.cell.answers.append((pipe_name, answer))

    def headline(self, text: str) -> None:
        """Word what the cell's run came to, for the line under the cell."""
        self.cell.headline = text

    def tell(self, message: str, once: str = "") -> None:
        """Let the user know something; a message with the same `once` is not repeated."""
        if once and once in self._said:
            return
        self._said.add(once)
        self.say(message)


@dataclass(eq=False)
class Fixed:
    """Where a run belongs: the cell that began it."""

    place: Place
    cell: Cell
    epoch: object
    run: int

    def run_id(self) -> int:
        """The run on record."""
        return self.run

    def note(self, pipe_name: str, answer: Answer) -> None:
        """Remember an answer for the line under the cell."""
        if self.cell.count:
            self.cell.answers.append((pipe_name, answer))

    def tell(self, message: str, once: str = "") -> None:
        """Let the user know something."""
        self.place.tell(message, once)
