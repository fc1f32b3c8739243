"""How are the calls of a rule run?  In plans in the background, as they are released; each is made by one kernel."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rms_jupyter.errors import NotComputedYet, RmsError
from rms_jupyter.flows.rules.joining import Match
from rms_jupyter.flows.rules.ledger import CompleteCall
from rms_jupyter.flows.rules.naming import numbered
from rms_jupyter.handles.plan import Plan
from rms_jupyter.model import TaskRecord
from rms_jupyter.run.call.cell_runtime import Cell
from rms_jupyter.service.actions import CallHost, Underway
from rms_jupyter.service.doing import Doing, make_folders
from rms_jupyter.views.wording import exception_line

AT_ONCE = 256
_PLANS, _PAUSE = 4, 0.2
_ASK_AGAIN = 0.5  # Seconds after which it is asked again whether another kernel has ended a call.


class Host(CallHost, Protocol):
    """What a rule asks of the session."""

    def plan_of_rule(self, rule: str, cell: Cell) -> Plan:
        """Begin a plan of a rule that was made in a cell."""

    def claim_call(self, call: Any) -> bool:
        """Claim a call for this rule, if no other kernel has it."""

    def let_go_of_call(self, call: Any) -> None:
        """Give the claim back."""

    def pipe_that_wrote(self, path: str) -> str:
        """Name the pipe whose call has written a file; '' if none has."""

    def refresh(self) -> None:
        """Take in what other kernels have done."""

    def result(self, ident: int) -> Any:
        """Make the resource that a task has made."""


@dataclass(frozen=True)
class EndedCall:
    """What became of a call: its tasks on record that have made its results, the files written, why it has failed."""

    call: CompleteCall
    tasks: tuple[int, ...] = ()
    files: tuple[str, ...] = ()
    why: str = ""
    has_run: bool = True


@dataclass(eq=False)
class _Begun:
    """A call that is ready to run: its arguments, and the call that they identify."""

    call: CompleteCall
    arguments: Mapping[str, Any]
    identified: Any


@dataclass(eq=False)
class _Batch:
    """Calls that run in one plan, each with its tasks."""

    plan: Plan
    left: list[tuple[_Begun, Underway]] = field(default_factory=list)


class Batches:
    """Runs the calls of one rule.

    Parameters
    ----------
    host : Host
    rule : str
        Its name.
    cell : Cell
        In which it was made.
    doing : Doing
    numbers_outputs : bool
        Whether to write beside what has the name already.
    options : mapping
        Those of `Plan.run`.
    """

    def __init__(
        self, host: Host, rule: str, cell: Cell, doing: Doing, numbers_outputs: bool, options: Mapping[str, Any]
    ) -> None:
        self._host, self._rule, self._cell, self._doing = host, rule, cell, doing
        self._numbers_outputs, self._options = numbers_outputs, options
        shares_workers = options.get("executor") in (None, "loky") and options.get("n_jobs") != 1
        self._most = _PLANS if shares_workers else 1
        self._batches: list[_Batch] = []
        self._began = 0.0
        self._written: dict[str, Match] = {}  # By which call each output is written.
        self._elsewhere: dict[CompleteCall, float] = {}
        self._forgiven: set[CompleteCall] = set()

    @property
    def elsewhere(self) -> int:
        """How many calls another kernel does."""
        return len(self._elsewhere)

    @property
    def are_running(self) -> bool:
        """Whether any goes on."""
        return bool(self._batches)

    @property
    def have_room(self) -> bool:
        """Whether more can begin now."""
        is_early = bool(self._batches) and time.monotonic() - self._began < _PAUSE
        return len(self._batches) < self._most and not is_early

    def have_written(self, path: str) -> bool:
        """Whether a call of this pipe has written a file, be it long ago."""
        return self._host.pipe_that_wrote(path) in self._doing.action.writes_as()

    def forgive(self, calls: Iterable[CompleteCall]) -> None:
        """Let calls run although they have failed."""
        self._forgiven.update(calls)

    def choose(self, calls: Iterable[CompleteCall]) -> list[CompleteCall]:
        """Choose those to begin next; not those that another kernel has just been seen to do."""
        now, chosen = time.monotonic(), []
        for call in calls:
            if now - self._elsewhere.get(call, -_ASK_AGAIN) >= _ASK_AGAIN:
                chosen.append(call)
            if len(chosen) == AT_ONCE:
                break
        return chosen

    def begin(self, calls: Sequence[CompleteCall]) -> tuple[list[CompleteCall], list[EndedCall]]:
        """Begin calls; return those that run now, and what became of those that need not run or cannot."""
        ended: list[EndedCall] = []
        claimed = list(self._claim(calls, ended))
        self._host.refresh()
        ready = []
        for begun in claimed:
            known = self._doing.action.outcome(self._host, begun.identified)
            if known is None or (known[1].status != "done" and begun.call in self._forgiven):
                self._forgiven.discard(begun.call)
                ready.append(begun)
            else:
                self._host.let_go_of_call(begun.identified)
                ended.append(_as_recorded(begun.call, *known))
        running = self._run(ready, ended) if ready else []
        return [begun.call for begun in running], ended

    def collect(self) -> list[EndedCall]:
        """What has ended since it was asked last.

        Raises
        ------
        RmsError
            What kept the calls from running at all.
        """
        ended: list[EndedCall] = []
        for batch in self._batches:
            is_over = not batch.plan.is_running
            left = []
            for begun, underway in batch.left:
                if (one := _become(begun.call, batch.plan, underway, is_over)) is None:
                    left.append((begun, underway))
                else:
                    self._host.let_go_of_call(begun.identified)
                    ended.append(one)
            batch.left = left
            if is_over:
                batch.plan.raise_what_kept_it_from_running()
        self._batches = [batch for batch in self._batches if batch.left]
        return ended

    def stop(self) -> list[EndedCall]:
        """End what goes on; what has finished is kept."""
        for batch in self._batches:
            batch.plan.stop_and_wait()
        return self.collect()

    def _claim(self, calls: Sequence[CompleteCall], ended: list[EndedCall]) -> Iterable[_Begun]:
        for call in calls:
            try:
                begun = self._ready(call)
            except Exception as error:
                ended.append(EndedCall(call, why=exception_line(error)))
                continue
            if self._host.claim_call(begun.identified):
                self._elsewhere.pop(call, None)
                yield begun
            else:
                self._elsewhere[call] = time.monotonic()

    def _ready(self, call: CompleteCall) -> _Begun:
        """Make the arguments of a call, and find out which it is."""
        arguments, outputs = self._doing.arguments(call.match), self._doing.outputs(call.match)
        if not outputs:
            return _Begun(call, arguments, self._doing.action.identify(self._host, arguments))
        make_folders(outputs)
        begun = self._beside(call, arguments, outputs) if self._numbers_outputs else None
        if begun is None:
            arguments = {**arguments, **outputs}
            begun = _Begun(call, arguments, self._doing.action.identify(self._host, arguments))
        for name in outputs:
            path = begun.arguments[name]
            other = self._written.setdefault(path, call.match)
            if other != call.match:
                raise RmsError(f"{path} is written for {' '.join(other.key)} already", hint="add a wildcard to outputs")
        return begun

    def _beside(self, call: CompleteCall, arguments: Mapping[str, Any], outputs: Mapping[str, str]) -> _Begun:
        """Number the outputs until they have been written by this very call, or nothing has their names."""
        for names in zip(*(numbered(path) for path in outputs.values()), strict=False):
            begun = _Begun(call, {**arguments, **dict(zip(outputs, names, strict=True))}, None)
            begun.identified = self._doing.action.identify(self._host, begun.arguments)
            is_free = not any(name in self._written or _is_there(name) for name in names)
            is_ours = all(self._written.get(name, call.match) == call.match for name in names)
            if is_ours and (is_free or self._doing.action.outcome(self._host, begun.identified) is not None):
                return begun
        raise AssertionError("there is always another number")

    def _run(self, ready: Sequence[_Begun], ended: list[EndedCall]) -> list[_Begun]:
        """Run calls in a plan; those that cannot be made have ended by that."""
        batch = _Batch(self._host.plan_of_rule(self._rule, self._cell))
        begin = self._doing.action.beginning(batch.plan)
        for begun in ready:
            try:
                batch.left.append((begun, begin(begun.arguments)))
            except Exception as error:
                self._host.let_go_of_call(begun.identified)
                ended.append(EndedCall(begun.call, why=exception_line(error)))
        self._batches.append(batch)
        self._began = time.monotonic()
        running = [begun for begun, _ in batch.left]
        batch.plan.run(background=True, **self._options)
        return running


def _as_recorded(call: CompleteCall, ident: int, task: TaskRecord) -> EndedCall:
    files = tuple(out.path for out in task.out if out.kind == "file")
    why = "" if task.status == "done" else f"{task.error.type}: {task.error.message}" if task.error else task.status
    return EndedCall(call, (ident,), files, why)


def _become(call: CompleteCall, plan: Plan, underway: Underway, is_over: bool) -> EndedCall | None:
    """What has become of a call that runs; None while it does."""
    if underway.grows and not is_over:
        return None
    tasks = [plan.tasks[number] for number in underway.numbers]
    if underway.problem is None and all(task.answer is not None for task in tasks):
        return _as_made(call, plan, underway)
    if any(task.answer is None and task.error is None for task in tasks) and not is_over:
        return None
    errors = [task.error for task in tasks if task.error is not None and not isinstance(task.error, NotComputedYet)]
    errors += [underway.problem] if underway.problem is not None else []
    return EndedCall(call, why=exception_line(errors[0])) if errors else EndedCall(call, has_run=False)


def _as_made(call: CompleteCall, plan: Plan, underway: Underway) -> EndedCall:
    answers = [answer for number in underway.numbers if (answer := plan.tasks[number].answer) is not None]
    made = tuple(answer.id for number in underway.made if (answer := plan.tasks[number].answer) is not None)
    return EndedCall(call, made, tuple(out.path for one in answers for out in one.task.out if out.kind == "file"))


def _is_there(path: str) -> bool:
    from os.path import lexists

    return lexists(path)
