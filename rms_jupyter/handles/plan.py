"""What does the user hold while calls are collected, and after they have run?"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Protocol

from msgspec.structs import replace

from rms_jupyter import model
from rms_jupyter.errors import NotComputedYet, PlanFailed, PlanStopped, RmsError, RmsWarning, users_frames
from rms_jupyter.figures.styles import FigureSettings
from rms_jupyter.fingerprint.nesting import everything, unwrap
from rms_jupyter.fingerprint.values import SCALARS
from rms_jupyter.handles.background import Background
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.handles.plan_report import PlanReport, plan_failed, plan_stopped
from rms_jupyter.handles.virtual_resource import VirtualResource
from rms_jupyter.interrupts import unbroken
from rms_jupyter.model import Reference
from rms_jupyter.naming import Called, short_id
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.cell_runtime import Cell
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.plan.draft import Draft
from rms_jupyter.run.plan.in_progress import RunInProgress
from rms_jupyter.run.plan.needs import UnrunTask, connect, upstream
from rms_jupyter.run.plan.options import RunOptions
from rms_jupyter.run.plan.planned import Planned
from rms_jupyter.run.plan.progress import Snapshot, Watch
from rms_jupyter.views.wording import exception_line


class PlanHost(Protocol):
    """What a plan asks of the session."""

    def begin_run(self, plan: Plan) -> Callable[[RunOptions], dict[str, int]]:
        """Put a run on record; gives what carries it out."""

    def explain_plan(self, plan: Plan) -> list[dict[str, Any]]:
        """Say of each task what would happen to it."""

    def result_of(self, answer: Answer) -> Any:
        """Make the resource of an answer."""

    def given_by(self, definition: Definition, answer: Answer) -> Any:
        """Give what a direct call would have given."""

    def maker_of(self, value: Any) -> Called | None:
        """Return the recorded call that a value came from."""

    def failed_task(self, planned: Planned) -> tuple[int, model.TaskRecord] | None:
        """Find the record of a call that did not succeed."""

    def note(self, message: str) -> None:
        """Say something under the cell that is being run, if one is."""


class Plan:
    """Calls collected to run together.

    Used as ``with s.plan() as plan:``; in the block, pipes give placeholders and nothing runs.

    Parameters
    ----------
    host : Host
        The session.
    enter, leave : callable
        Make pipes add their calls to this plan, and make them answer again.
    name : str
        What its run is called.

    Attributes
    ----------
    tasks : list of Planned
        The calls, and what became of them.
    draft : Draft
        The same with what each waits for; it may grow while it runs.
    in_progress : RunInProgress
        The run, once it has begun.
    is_watched : bool
        Whether a watcher shows what its run has to say.
    figures : FigureSettings
        How figures are saved where the session saves none.
    rule : (str, Cell), optional
        The rule whose calls these are, and the cell that it was made in.
    """

    until = "the cell ends", "read it in the next cell"  # When its results are there, and what is done until then.
    _was_run = True  # What an interrupt has kept from being made.

    def __init__(self, host: PlanHost, enter: Callable[[Plan], None], leave: Callable[[Plan], None], name: str) -> None:
        self._host, self._enter, self._leave = host, enter, leave
        self._maker_of = host.maker_of
        self.draft = Draft()
        self.in_progress = RunInProgress()
        self._results: dict[int, Any] = {}
        self._given: dict[int, Any] = {}
        self._tracebacks: dict[int, TracebackType | None] = {}
        self._was_run = self.has_ended = False
        self._pruned: dict[int, str] = {}
        self._background: Background[PlanReport] | None = None
        self.name, self.is_watched = name, False
        self.rule: tuple[str, Cell] | None = None
        self.figures = FigureSettings()

    def __enter__(self) -> Plan:
        self._enter(self)
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        self._leave(self)
        self._was_run = self._was_run or kind is not None

    def __len__(self) -> int:
        return len(self.draft)

    @property
    def tasks(self) -> list[Planned]:
        """The calls, and what became of them."""
        return self.draft.tasks

    @property
    def run_id(self) -> int:
        """Its run on record; 0 before it has begun."""
        return self.in_progress.run_id

    def is_named(self, name: str) -> bool:
        """Whether the run is meant by what somebody typed: ``run 6``, ``run6`` and ``6`` are one."""
        return bool(name) and _bare(name) == _bare(self.name)

    def stop(self) -> None:
        """Let the run end soon: what has finished is kept."""
        self.in_progress.stop()

    def snapshot(self) -> Snapshot | None:
        """Say how far the run is, from any thread; None before it has begun."""
        return self.in_progress.snapshot()

    def add(self, pipe: Pipe[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Add a call; gives the placeholder of its result."""
        definition = pipe._definition
        number = self.draft.add(definition, definition.binder.bind(*args, **kwargs))
        self.tasks[number].made_by = self._maker_of
        return VirtualResource(self, number)

    @unbroken
    def run(
        self,
        n_jobs: int | None = None,
        executor: Any = None,
        on_error: str = "continue",
        only: Any = None,
        watch: Watch | None = None,
        background: bool = False,
    ) -> PlanReport | None:
        """Run what the store does not answer.

        Parameters
        ----------
        n_jobs : int, optional
            Processes; all cores by default, 1 runs in this process.
        executor : str, concurrent.futures.Executor, distributed.Client or Dask cluster, optional
            Where to run instead: ``"threads"``, ``"dask://host:port"``, ...; see `run.workers.executors`.
        on_error : {"continue", "stop"}
            After a failure, finish what does not depend on it, or start nothing new.
        only : VirtualResource or list of them, optional
            Run these and what they need, nothing else.
        watch : callable, optional
            Gets a `Snapshot` of the progress at most ten times a second.
        background : bool
            Return at once and go on in a thread: reading a result waits for it, `wait` for all, `stop` ends the run.

        Returns
        -------
        Report
            None in the background; `wait` gives it.

        Raises
        ------
        PlanFailed
            After all that can finish has finished; ``.report`` has the account, the first failure is the cause.
        PlanStopped
            If it was stopped after something had failed; with ``.report``, too.
        CycleError, ContractError
            Before anything runs.
        """
        __tracebackhide__ = True
        self._was_run = True
        if on_error not in ("continue", "stop"):
            raise RmsError(f"on_error is {on_error!r}", hint="use 'continue' or 'stop'")
        unrun = self.unrun()
        wanted = None if only is None else upstream(unrun, _numbers(self, only))
        del unrun
        options = RunOptions(n_jobs, executor, on_error == "stop", watch, wanted, self._pruned)
        carry_out = self._host.begin_run(self)
        if not background:
            try:
                return self._run(carry_out, options)
            except KeyboardInterrupt as stop:
                raise stop.with_traceback(users_frames(stop)) from None
        self._background = Background(lambda: self._run_and_tell(carry_out, options))
        self._background.start()  # Only now: a run that ends at once asks whether it is in the background.
        return None

    def _run(self, carry_out: Callable[[RunOptions], dict[str, int]], options: RunOptions) -> PlanReport:
        try:
            counts = carry_out(options)
        finally:
            self.has_ended = True
        failures = [(t.label, t.error) for n, t in enumerate(self.tasks) if t.error and n not in self._pruned]
        report = PlanReport(
            counts, [(label, error) for label, error in failures if not isinstance(error, NotComputedYet)]
        )
        if report.failures:
            raise (plan_stopped if self.in_progress.is_stopped else plan_failed)(report)
        return report

    def _run_and_tell(self, carry_out: Callable[[RunOptions], dict[str, int]], options: RunOptions) -> PlanReport:
        """Run in the background, where nobody sees what keeps it from running at all."""
        try:
            return self._run(carry_out, options)
        except RmsError as error:
            if not isinstance(error, (PlanFailed, PlanStopped)):
                self._host.note(str(error))
            raise

    def wait(self, timeout: float | None = None) -> PlanReport:
        """Wait for a run in the background to end; gives its report, or raises as `run` does.

        Raises
        ------
        TimeoutError
            If it has not ended after `timeout` seconds.
        RmsError
            If nothing runs in the background.
        """
        if self._background is None:
            raise RmsError("nothing runs in the background", hint="plan.run(background=True)")
        return self._background.wait(timeout)

    def raise_what_kept_it_from_running(self) -> None:
        """Raise the error of ours that has ended a run in the background, if one has."""
        if self._background is not None:
            self._background.raise_what_kept_it_from_running()

    def stop_and_wait(self) -> None:
        """End a run in the background, whatever comes of it."""
        if self._background is not None and self._background.is_running:
            self.stop()
            self._background.join()

    @property
    def is_running(self) -> bool:
        """Whether it runs in the background."""
        return self._background is not None and self._background.is_running

    def put_off(self) -> None:
        """Take it as meant that it is not run now."""
        self._was_run = True

    def prune(self, what: Any, reason: str = "") -> None:
        """Leave calls out of the run, with all that depends on them.

        Parameters
        ----------
        what : VirtualResource, Pipe, or list of them
            A pipe stands for all its calls in this plan.
        reason : str
            Shown to whoever reads what was left out.
        """
        for item in what if type(what) in (list, tuple) else [what]:
            if isinstance(item, Pipe):
                numbers = [n for n, planned in enumerate(self.tasks) if planned.definition.name == item.name]
            else:
                numbers = _numbers(self, item)
            self._pruned |= dict.fromkeys(numbers, reason)

    def explain(self) -> Any:
        """Say of each task whether it would be a hit or run, why, and how long it may take; runs and writes nothing.

        Returns
        -------
        pandas.DataFrame or list of dict
            Columns ``task``, ``status``, ``reason``, ``seconds``, ``earlier``, and ``files`` if any declares to write
            some; a list where pandas is not installed.
        """
        self.unrun()
        self._was_run = True
        rows = self._host.explain_plan(self)
        table = as_table([row | {"earlier": short_id(row["earlier"]) if row["earlier"] else ""} for row in rows])
        return table if isinstance(table, list) or table.empty else table.astype({"seconds": float})

    def unrun(self) -> list[UnrunTask]:
        """Describe the calls and what each must wait for.

        Raises
        ------
        CycleError, ContractError
        """
        unrun = [UnrunTask(number, planned.definition.name) for number, planned in enumerate(self.tasks)]
        for task, planned in zip(unrun, self.tasks, strict=True):
            given, named = self.draft.needs[task.number], _needs(self, planned.values)
            task.needs = given | named if named else given  # Most plans need no set a task.
            task.writes = planned.declared_files()
        if any(task.writes for task in unrun):
            for task, planned in zip(unrun, self.tasks, strict=True):
                task.reads, task.label = _named_files(planned.values), planned.label
        connect(unrun)
        self.draft.needs[:] = [task.needs for task in unrun]
        return unrun

    def awaits(self, number: int) -> bool:
        """Tell whether a call is still to end, in the background."""
        planned = self.tasks[number]
        return self.is_running and planned.answer is None and planned.error is None

    def settled(self, number: int) -> Planned:
        """Give a call; if the plan runs in the background, once it is known what came of it."""
        planned = self.tasks[number]
        if self._background is not None:
            self._background.wait_until(lambda: bool(planned.answer or planned.error))
        return planned

    def result(self, number: int) -> Any:
        """Give the resource of a task that has run."""
        __tracebackhide__ = True
        planned = self._done(number)
        if planned.further:
            results = [self.result(child) for child in planned.further]
            return results if planned.is_list else results[0]
        if number not in self._results:
            assert planned.answer is not None
            self._results[number] = self._host.result_of(planned.answer)
        return self._results[number]

    def given(self, number: int) -> Any:
        """Give what the call of a task that has run would have given directly, the same object each time."""
        __tracebackhide__ = True
        planned = self._done(number)
        if number not in self._given:
            if planned.further:
                results = [self.given(child) for child in planned.further]
                self._given[number] = results if planned.is_list else results[0]
            elif planned.definition.gives_resource:
                self._given[number] = self.result(number)
            else:
                assert planned.answer is not None
                self._given[number] = self._host.given_by(planned.definition, planned.answer)
        return self._given[number]

    def _done(self, number: int) -> Planned:
        """Return a task that has run; raise why it has not."""
        __tracebackhide__ = True
        planned = self.settled(number)
        if planned.error is not None:
            trace = self._tracebacks.setdefault(number, planned.error.__traceback__)
            raise planned.error.with_traceback(trace)
        if planned.answer is None:
            self.raise_what_kept_it_from_running()
            raise self._why_not(number)
        return planned

    def _why_not(self, number: int) -> NotComputedYet:
        """Word why there is no result of a call that has not failed itself."""
        label = self.tasks[number].label
        if not self.has_ended:
            when, hint = self.until
            return NotComputedYet(f"{label} is not computed until {when}", hint=hint)
        failed = sorted(n for n in upstream(self.unrun(), [number]) if self.tasks[n].error is not None)
        if not failed:
            why = "the run was of other calls, or was stopped"
            return NotComputedYet(f"{label} was not run: {why}", hint="run the cell again")
        first = self.tasks[failed[0]]
        assert first.error is not None
        more = f" (and {len(failed) - 1:,} more)" if len(failed) > 1 else ""
        return NotComputedYet(
            f"{label} did not run: it needs {first.label}{more}, which failed: {exception_line(first.error)}",
            hint="%rms logs --failed shows where; or go on without: rms.done(...)",
        )

    def release(self, number: int) -> None:
        """Let go of a value that was not kept and has served; it is made again if it is asked for."""
        planned = self.tasks[number]
        if planned.answer is not None:
            planned.answer = replace(planned.answer, value=None, has_value=False)
        made = self._results.get(number, ())
        for resource in made if isinstance(made, tuple) else (made,):
            resource._rms.release()

    def __del__(self) -> None:
        if not self._was_run and self.tasks:
            warnings.warn(f"a plan of {len(self.tasks)} calls was left without run()", RmsWarning, stacklevel=2)


def _bare(name: str) -> str:
    return name.replace(" ", "").removeprefix("run")


def as_table(rows: Sequence[dict[str, Any]]) -> Any:
    """Make a data frame of rows, or leave them a list where pandas is not installed."""
    try:
        import pandas as pd
    except ImportError:
        return list(rows)
    return pd.DataFrame(list(rows))


_NOTHING: frozenset[int] = frozenset()


def _needs(plan: Plan, values: Iterable[Any]) -> frozenset[int]:
    """Numbers of the tasks of this plan whose placeholders are among the arguments."""
    if SCALARS.issuperset(map(type, values)):
        return _NOTHING
    needs: set[int] = set()

    def note(reference: Reference) -> Reference:
        if isinstance(reference, VirtualResource) and reference._rms_plan is plan:
            needs.add(reference._rms_number)
        return reference

    for value in values:
        if type(value) not in SCALARS:
            unwrap(value, note)
    return frozenset(needs)


def _named_files(values: Iterable[Any]) -> list[str]:
    return [os.path.abspath(v) for v in everything(list(values)) if _is_path(type(v))]


def _is_path(kind: type) -> bool:
    return issubclass(kind, (str, os.PathLike)) and not issubclass(kind, Reference)


def _numbers(plan: Plan, what: Any) -> list[int]:
    """Numbers of the calls of a plan that placeholders stand for."""
    placeholders = what if isinstance(what, (list, tuple, set)) else [what]
    if not all(isinstance(item, VirtualResource) and item._rms_plan is plan for item in placeholders):
        raise RmsError("this takes placeholders of this plan", hint="b = pipe(a) in its block, then plan.run(only=b)")
    return [item._rms_number for item in placeholders]
