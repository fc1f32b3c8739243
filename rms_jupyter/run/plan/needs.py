"""What would run, in which order?  Calls that have not run, and what each must wait for; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from graphlib import CycleError as _Cycle
from graphlib import TopologicalSorter

from rms_jupyter.errors import ContractError, CycleError


@dataclass(slots=True)
class UnrunTask:
    """A call of a plan.

    Attributes
    ----------
    number : int
        Its place in the plan.
    label : str
        The call in words.
    needs : set of int
        Numbers of the tasks whose results it uses.
    reads, writes : sequence of str
        Absolute paths that it names as plain text, and those that it declares to write.
    """

    number: int
    label: str
    needs: AbstractSet[int] = frozenset()
    reads: Sequence[str] = ()
    writes: Sequence[str] = ()


def connect(tasks: Sequence[UnrunTask]) -> None:
    """Let each task wait for those that write the files it names, and check that the plan can run.

    Raises
    ------
    ContractError
        If two tasks declare to write one file.
    CycleError
        If tasks wait for each other; the message names them.

    Examples
    --------
    >>> tasks = [UnrunTask(0, "b('a.txt')", reads=["/a.txt"]), UnrunTask(1, "a()", writes=["/a.txt"])]
    >>> connect(tasks)
    >>> tasks[0].needs
    frozenset({1})
    """
    writers: dict[str, UnrunTask] = {}
    for task in tasks:
        for path in task.writes:
            other = writers.setdefault(path, task)
            if other is not task:
                raise ContractError(
                    f"two calls declare to write {path}: {other.label} and {task.label}",
                    hint="give them different output paths",
                )
    if writers:
        for task in tasks:
            more = {writers[path].number for path in task.reads if path in writers} - {task.number}
            task.needs = frozenset(task.needs | more)
    _refuse_cycles(tasks)


def upstream(tasks: Sequence[UnrunTask], wanted: Iterable[int]) -> set[int]:
    """Numbers of the wanted tasks and of all that they need.

    Examples
    --------
    >>> sorted(upstream([UnrunTask(0, "a"), UnrunTask(1, "b", {0}), UnrunTask(2, "c")], [1]))
    [0, 1]
    """
    found: set[int] = set()
    open_ends = list(wanted)
    while open_ends:
        number = open_ends.pop()
        if number not in found:
            found.add(number)
            open_ends += tasks[number].needs
    return found


def _refuse_cycles(tasks: Sequence[UnrunTask]) -> None:
    if all(need < task.number for task in tasks for need in task.needs):
        return
    try:
        TopologicalSorter({task.number: task.needs for task in tasks}).prepare()
    except _Cycle as cycle:
        names = " → ".join(tasks[number].label for number in reversed(cycle.args[1]))
        raise CycleError(
            f"these calls wait for each other: {names}", hint="let one of them write to another file"
        ) from None
