"""What is to run, and what must each call wait for?  Calls that have not run, and their needs; anyone can write one."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from rms_jupyter.model import Ref
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.plan.planned import Planned

_NOTHING: frozenset[int] = frozenset()


@dataclass
class Draft:
    """Calls that have not run, by their numbers: 0, 1, 2, ...

    A draft may grow while it runs: what is added to it when a task has ended, or in `more`, joins the run.

    Attributes
    ----------
    tasks : list of Planned
        The calls, and what became of them.
    needs : list of sets of int
        For each, the numbers of those it waits for.
    refused : dict of int to exception
        Why calls cannot be made: they fail with this when their turn comes, and the rest goes on.
    more : callable, optional
        Asked again and again while the run goes on: it may add calls, and returns whether more may come. The run ends
        when all calls have ended and no more come.
    to_come : list of callables
        Each names the calls of which it is not known yet how many there will be, and says what that depends on.
    """

    tasks: list[Planned] = field(default_factory=list)
    needs: list[AbstractSet[int]] = field(default_factory=list)
    refused: dict[int, BaseException] = field(default_factory=dict)
    more: Callable[[], bool] | None = None
    to_come: list[Callable[[], list[tuple[str, str]]]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.tasks)

    def add(
        self,
        definition: Definition,
        values: tuple[Any, ...],
        needs: AbstractSet[int] = _NOTHING,
        origin: Ref | None = None,
        on_done: Callable[[int], None] | None = None,
    ) -> int:
        """Add a call.

        Parameters
        ----------
        definition : Definition
            The pipe.
        values : tuple
            The bound arguments; placeholders among them are of calls that it needs.
        needs : set of int
            Numbers of the calls that it waits for.
        origin : Ref, optional
            The task that has asked for it.
        on_done : callable, optional
            Gets the number of the call when it has ended well, a hit or done, before those that need it go on; where
            it has asked for further calls, the numbers of these instead. It runs in the thread that carries out the
            run, and may add to the draft.

        Returns
        -------
        int
            Its number.
        """
        self.tasks.append(Planned(definition, values, origin=origin, on_done=on_done))
        self.needs.append(needs)
        return len(self.tasks) - 1
