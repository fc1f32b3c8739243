"""Which notebook cell is being run, and how does one talk to the user there?"""

from __future__ import annotations

import time
import warnings
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, Protocol

from rms_jupyter import model
from rms_jupyter.errors import PlanStopped, RmsError, RmsWarning, words_of
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.checkout import Checkouts, Commit
from rms_jupyter.run.call.environment import Environments
from rms_jupyter.store.store import Store
from rms_jupyter.working_folder import working_folder


@dataclass(eq=False)
class Cell:
    """A cell being run, or (without a notebook) the whole of a script.

    Attributes
    ----------
    notebook, ident, code : str
    count : int
        The number in ``In [count]``.
    answers : list of (str, Answer)
        Calls answered in it so far, until it ends: the pipe's name, and the answer.
    asked : array of int
        Ids of the tasks that answered.
    headline : str
        What its run came to as a whole.
    found : dict of str to object
        What the variables that it reads held when it began, where that can be compared.
    started, ended : float
        Seconds; `ended` is 0 while it runs.
    draws : dict of str to int
        How often each call that draws random numbers was made in it, by key.
    outcome, error : str
        What became of it, if it or a run that it began did not succeed.
    """

    notebook: str = ""
    ident: str = ""
    count: int = 0
    code: str = ""
    answers: list[tuple[str, Answer]] = field(default_factory=list)
    asked: array[int] = field(default_factory=partial(array, "q"))
    headline: str = ""
    run: int = 0
    found: dict[str, Any] = field(default_factory=dict)
    started: float = field(default_factory=time.time)
    ended: float = 0.0
    outcome: Literal["", "failed", "cancelled"] = ""
    error: str = ""
    draws: dict[str, int] = field(default_factory=dict)

    def note(self, pipe_name: str, answer: Answer) -> None:
        """Remember an answer; scripts have no line under the cell."""
        if self.count:
            self.asked.append(answer.id)
            if not self.ended:
                self.answers.append((pipe_name, answer.without_value()))

    def end(self) -> None:
        """It has ended: let go of what it computed."""
        self.ended = time.time()
        self.answers.clear()

    def fail(self, error: BaseException) -> None:
        """It, or a run that it began, did not succeed."""
        stopped = isinstance(error, (KeyboardInterrupt, PlanStopped))
        self.outcome = "cancelled" if stopped else "failed"
        words = error.message if isinstance(error, RmsError) else f"{type(error).__name__}: {words_of(error)}"
        self.error = words.removesuffix(": ")


def warn(message: str) -> None:
    """Tell the user outside of notebooks."""
    warnings.warn(message, RmsWarning, stacklevel=2)


class Voice(Protocol):
    """Whoever lets the user know something.

    Attributes
    ----------
    namespace : mapping
        The notebook's variables.
    """

    @property
    def namespace(self) -> Mapping[str, Any]:
        """The notebook's variables."""

    def say(self, message: str) -> None:
        """Show a message, in a notebook at the end of the cell."""

    def announce(self, message: str) -> None:
        """Show a message at once."""


class CallPlace:
    """Where calls happen: the current cell, its run on record, and the way to tell the user something.

    Parameters
    ----------
    store : Store
    voice : Voice

    Attributes
    ----------
    cell : Cell
        The one that runs, or ran last.
    called : Cell
        The last one in which a pipe was called.
    cells : dict of str to Cell
        All that have run here, by id: how each ran last.
    """

    def __init__(self, store: Store, voice: Voice) -> None:
        self._store, self.voice = store, voice
        self.cell = self.called = Cell()
        self.cells: dict[str, Cell] = {}
        self.epoch: object = self.cell
        self._said: set[str] = set()
        self._environments = Environments(store)
        self._checkouts = Checkouts(store.layout.root.parent, self._write_commit)

    def close(self) -> None:
        """Finish what is noted in the background."""
        self._checkouts.close()

    def enter(self, cell: Cell) -> None:
        """Begin a cell."""
        self.cell = self.epoch = cell
        if cell.ident:
            self.cells[cell.ident] = cell

    def run_id(self, kind: model.RunKind = "calls") -> int:
        """Give the run on record that the cell's calls belong to; a plan is a run of its own."""
        if kind == "plan" or not self.cell.run:
            self.cell.run = self._begin_run(kind, self.cell)
        return self.cell.run

    def _begin_run(self, kind: model.RunKind, cell: Cell, rule: str = "") -> int:
        record = model.Run(
            kind=kind,
            notebook=cell.notebook,
            cell=cell.ident,
            count=cell.count,
            code=cell.code,
            rule=rule,
            started=time.time_ns() // 1000,
            folder=working_folder(),
            environment=self._environments.now(),
            k=self._store.next_k(),
        )
        run = self._store.append(record)
        self._checkouts.note(run)
        return run

    def _write_commit(self, runs: Sequence[int], commit: Commit) -> None:
        self._store.append_all([model.Checkout(run, *commit, k=self._store.next_k()) for run in runs])

    def fixed(self, kind: model.RunKind) -> Fixed:
        """Give the surroundings of a run that begins in this cell, and may go on in later ones."""
        return Fixed(self, self.cell, self.epoch, self.run_id(kind))

    def of_rule(self, rule: str, cell: Cell) -> Fixed:
        """Give the surroundings of a run of a rule that was made in a cell, which has ended long ago."""
        return Fixed(self, cell, cell, self._begin_run("plan", cell, rule))

    def note(self, pipe_name: str, answer: Answer) -> None:
        """Remember an answer for the line under the cell."""
        self.called = self.cell
        self.cell.note(pipe_name, answer)

    def headline(self, text: str) -> None:
        """Word what the cell's run came to, for the line under the cell."""
        self.cell.headline = text

    @property
    def namespace(self) -> Mapping[str, Any]:
        """The notebook's variables."""
        return self.voice.namespace

    def tell(self, message: str, once: str = "") -> None:
        """Let the user know something; a message with the same `once` is not repeated."""
        if once and once in self._said:
            return
        self._said.add(once)
        self.voice.say(message)

    def announce(self, message: str) -> None:
        """Let the user know something at once."""
        self.voice.announce(message)


@dataclass(eq=False)
class Fixed:
    """Where a run belongs: the cell that began it."""

    place: CallPlace
    cell: Cell
    epoch: object
    run: int

    def run_id(self) -> int:
        """The run on record."""
        return self.run

    def note(self, pipe_name: str, answer: Answer) -> None:
        """Remember an answer for the line under the cell."""
        self.cell.note(pipe_name, answer)

    def tell(self, message: str, once: str = "") -> None:
        """Let the user know something."""
        self.place.tell(message, once)
