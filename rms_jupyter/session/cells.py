"""How do the cells of the notebook stand: never run, up to date, changed since, running, failed, cancelled?

Of a cell that ran in this kernel the kernel knows what it asked for; of others the record knows what they ran. Whether
that would run again is asked of the same look-ups that answer a call, for what it was made from, too; nothing is run.
"""

from __future__ import annotations

import ast
import contextlib
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.edits import edited
from rms_jupyter.fingerprint.nesting import Lookup
from rms_jupyter.fingerprint.values import SCALARS
from rms_jupyter.flows.cells.shape import shape_of
from rms_jupyter.handles.resource import Resource
from rms_jupyter.model import TaskRecord
from rms_jupyter.run.call.cell_runtime import CallPlace, Cell
from rms_jupyter.store.ask.overview import runs_of_cells
from rms_jupyter.store.store import Store
from rms_jupyter.tend.why import Account

State = Literal["never_run", "defines", "current", "stale", "running", "failed", "cancelled"]

_MOST_TASKS = 200  # of a cell that are looked at
_DEEPEST = 100
_LONGEST_TEXT = 1000
_PATIENCE = 0.25  # seconds, for all cells


@dataclass(frozen=True, slots=True)
class Standing:
    """How a cell stands: in one word, why, and when it ran last (as ``[count]``, seconds).

    Where there was no time to look, it stands as it stood before, and `looked` is false: ask again.
    """

    state: State
    why: str = ""
    count: int = 0
    at: float = 0.0
    looked: bool = True


@dataclass(frozen=True, slots=True)
class _Ran:
    """How a cell ran last."""

    code: str
    count: int
    at: float
    outcome: Literal["", "failed", "cancelled"]
    error: str
    tasks: Sequence[int]
    found: Mapping[str, Any]


class Cells:
    """Knows how the cells of a notebook stand.

    Parameters
    ----------
    store : Store
    place : Place
        Knows the cells that have run here.
    again : callable
        Says what the call of a recorded task would do now; None where that cannot be told.
    status : callable
        The status of a record.
    lookup : callable
        Gives the resource whose content an object is; else None.
    """

    def __init__(
        self,
        store: Store,
        place: CallPlace,
        again: Callable[[int, TaskRecord], Account | None],
        status: Callable[[int], str],
        lookup: Lookup,
    ) -> None:
        self._lookup = lookup
        self._store, self._place, self._again, self._status = store, place, again, status
        self._recorded: dict[str, list[_Ran]] = {}
        self._looks: dict[str, tuple[float, float, str]] = {}  # When a cell was looked at, when it had run, why again.

    def standings(self, notebook: str, codes: Mapping[str, str], going_on: Collection[str]) -> dict[str, Standing]:
        """Tell how cells stand.

        Parameters
        ----------
        notebook : str
        codes : mapping of str to str
            The text of each cell as it is now, by the cell's id.
        going_on : collection of str
            The cells whose runs go on.
        """
        self._look_up(notebook, [ident for ident in codes if ident not in self._place.cells])
        looks = _Looks(self._store, self._again, self._status)
        longest_ago = sorted(codes, key=lambda ident: self._looks.get(ident, _NEVER)[0])
        return {ident: self._standing(ident, codes[ident], ident in going_on, looks) for ident in longest_ago}

    def _standing(self, ident: str, code: str, goes_on: bool, looks: _Looks) -> Standing:
        cell = self._place.cells.get(ident)
        if cell is not None and (goes_on or (cell is self._place.cell and not cell.ended)):
            return Standing("running", "", cell.count, cell.started)
        ran = _ran_here(cell) if cell is not None else self._ran_before(ident, code)
        if ran is None:
            return Standing("never_run")
        if edits := edited(ran.code, code):
            return Standing("stale", edits, ran.count, ran.at)
        if ran.outcome:
            return Standing(ran.outcome, ran.error, ran.count, ran.at)
        if why := self._other_variables(ran.found):
            return Standing("stale", why, ran.count, ran.at)
        if not ran.tasks and (names := defined_by(code)):
            return Standing("defines", self._used_by(names), ran.count, ran.at)
        if looked := looks.has_time:
            self._looks[ident] = time.monotonic(), ran.at, looks.why_again(ran.tasks)
        _, when, why = self._looks.get(ident, _NEVER)
        why = why if when == ran.at else ""
        return Standing("stale" if why else "current", why, ran.count, ran.at, looked)

    def _look_up(self, notebook: str, idents: list[str]) -> None:
        new = [ident for ident in idents if ident not in self._recorded]
        self._recorded |= {ident: [] for ident in new}
        for cell, code, count, at, tasks, status, error in runs_of_cells(self._store, notebook, new) if new else ():
            outcome = _OUTCOMES.get(status, "cancelled")
            why = error or status.replace("_", " ")
            self._recorded[cell].append(_Ran(code, count, at, outcome, why, tasks, {}))

    def _ran_before(self, ident: str, code: str) -> _Ran | None:
        """How a cell ran before this kernel: its code as it is now, if it ever did, else the latest."""
        runs = self._recorded[ident]
        same = [ran for ran in runs if not edited(ran.code, code)]
        ran = same or runs
        return ran[-1] if ran else None

    def _used_by(self, names: Sequence[str]) -> str:
        """Word which pipes a cell defines, and which cells of this kernel have called them."""
        users = [cell for cell in list(self._place.cells.values()) if self._pipes_of(cell).intersection(names)]
        counts = ", ".join(f"[{count}]" for count in sorted({cell.count for cell in users}))
        return f"{', '.join(names)}; {f'used by {counts}' if counts else 'not used yet'}"

    def _pipes_of(self, cell: Cell) -> set[str]:
        """The names of the pipes that a cell has called, as far as its first calls tell."""
        found = set()
        for ident in list(cell.asked)[:_MOST_TASKS]:
            with contextlib.suppress(LookupError):
                record = self._store.record(ident)[1]
                found |= {self._store.pipe_name(record.pipe)} if isinstance(record, TaskRecord) else set()
        return found

    def _other_variables(self, found: Mapping[str, Any]) -> str:
        now = {name: comparable(self._place.namespace.get(name), self._lookup) for name in found}
        changed = [name for name, value in found.items() if now[name] not in (None, value)]
        return ", ".join(f"{name} {_change(found[name], now[name])}" for name in changed)


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_NEVER = (0.0, 0.0, "")
_OUTCOMES: dict[str, Literal["", "failed", "cancelled"]] = {"": "", "failed": "failed", "timed_out": "failed"}


class _Looks:
    """Looks at recorded tasks: would they run again?  Each is looked at once."""

    def __init__(
        self, store: Store, again: Callable[[int, TaskRecord], Account | None], status: Callable[[int], str]
    ) -> None:
        self._store, self._again, self._status = store, again, status
        self._seen: dict[int, tuple[str, TaskRecord]] = {}
        self._until = time.monotonic() + _PATIENCE

    @property
    def has_time(self) -> bool:
        """Whether there is time to look at more."""
        return time.monotonic() < self._until

    def why_again(self, tasks: Sequence[int]) -> str:
        """Say why one of these tasks would run again; '' where none would, as far as can be told."""
        for ident in tasks[:: max(1, len(tasks) // _MOST_TASKS)]:
            try:
                if why := self._look(ident, 0)[0]:
                    return why
            except LookupError:
                continue  # Its journal is gone.
        return ""

    def _look(self, ident: int, depth: int) -> tuple[str, TaskRecord]:
        """Look at a task: why it or one that it was made from would run again, and the task that answers it now."""
        if ident not in self._seen:
            task = self._store.record(ident)[1]
            assert isinstance(task, TaskRecord)
            self._seen[ident] = "", task
            self._seen[ident] = self._why(ident, task, depth), self._seen[ident][1]
        return self._seen[ident]

    def _why(self, ident: int, task: TaskRecord, depth: int) -> str:
        again = self._again(ident, task)
        if again is not None and again.reason:
            always = again.reason.startswith("not_cached")
            return "" if always else f"{self._store.pipe_name(task.pipe)}: {again.reason}"
        if self._status(ident + 1) == "obsolete":
            return f"{self._store.pipe_name(task.pipe)}: an input was overwritten"
        if again is not None:
            self._seen[ident] = "", self._store.record(again.ident)[1]  # type: ignore[assignment]
        return next(filter(None, (self._why_input(target, depth) for target, _ in task.used)), "")

    def _why_input(self, target: int, depth: int) -> str:
        if not target >> 32 or depth > _DEEPEST:
            return ""
        place, made_by = self._store.record(target)
        slot = target - place - 1
        if not isinstance(made_by, TaskRecord) or slot >= len(made_by.out):
            return ""
        why, answer = self._look(place, depth + 1)
        changed = slot < len(answer.out) and answer.out[slot].digest != made_by.out[slot].digest
        return why or (f"{self._store.call_text(made_by)} gives another value" if changed else "")


def _ran_here(cell: Cell) -> _Ran:
    return _Ran(cell.code, cell.count, cell.started, cell.outcome, cell.error, cell.asked, cell.found)


def defined_by(code: str) -> list[str]:
    r"""List the pipes that a cell defines, where it only defines.

    Examples
    --------
    >>> defined_by("%%rms\nCUTOFF = 30\ndef late(x):\n    return x > CUTOFF"), defined_by("%%rms\nlate(3)")
    (['late'], [])
    """
    if not re.match(r"%%rms(\s+pipe\b.*)?[ \t]*\n", code):
        return []
    try:
        body = ast.parse(code.partition("\n")[2]).body
    except (SyntaxError, ValueError):
        return []
    return [one.name for one in body if isinstance(one, _FUNCTIONS) and not one.name.startswith("_")]


def found_by(code: str, namespace: Mapping[str, Any], lookup: Lookup = lambda value: None) -> dict[str, Any]:
    r"""Note what the variables hold that a ``%%rms`` cell reads and does not assign, where that can be compared.

    Examples
    --------
    >>> found_by("%%rms\nx = late(n, 30)", {"n": 5, "late": print})
    {'n': (<class 'int'>, 5)}
    """
    if not code.startswith("%%rms"):
        return {}
    try:
        shape = shape_of(code.partition("\n")[2])
    except (SyntaxError, ValueError, RmsError):
        return {}
    found = {name: comparable(namespace[name], lookup) for name in shape.reads if name in namespace}
    return {name: value for name, value in found.items() if value is not None and name not in shape.writes}


def comparable(value: Any, lookup: Lookup) -> Any:
    """What a variable holds, if that can be compared at no cost: a result by its digest, a scalar; None for others."""
    if isinstance(value, Resource):
        return value._rms.record.digest
    is_long = isinstance(value, (str, bytes)) and len(value) > _LONGEST_TEXT
    if type(value) in SCALARS and value is not None and not is_long:
        return type(value), value
    ref = lookup(value)
    return ref.digest if ref else None


def _change(before: Any, now: Any) -> str:
    if isinstance(before, tuple) and isinstance(now, tuple):
        return f"{before[1]!r:.40} → {now[1]!r:.40}"
    return "changed"
