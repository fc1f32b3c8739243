"""How are calls collected, explained, run together and stopped?"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

from rms_jupyter.errors import NotComputedYet, PlanStopped, RmsError
from rms_jupyter.handles.plan import Plan
from rms_jupyter.handles.virtual_resource import VirtualResource
from rms_jupyter.model import Reference
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.cell_runtime import Cell, Fixed
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.plan.driver import Driver
from rms_jupyter.run.plan.dry_run import explain
from rms_jupyter.run.plan.in_progress import RunInProgress
from rms_jupyter.run.plan.options import RunOptions
from rms_jupyter.run.plan.repeats import Repeated
from rms_jupyter.run.task.further import Asked
from rms_jupyter.run.workers.executors import LOKY, executor_for
from rms_jupyter.run.workers.pool import Pool
from rms_jupyter.session.core import Core, OngoingRun
from rms_jupyter.views.wording import repeated_work


class Planning:
    """Plans and runs."""

    def __init__(self, core: Core) -> None:
        self._core, self._store, self._calls = core, core.store, core.calls
        self._running: dict[str, Plan] = {}
        self._last_plan: tuple[Plan | None, Cell] = (None, core.place.cell)

    def plan(self) -> Plan:
        """Collect calls, to run them together: ``with s.plan() as plan: ...``, then ``plan.run()``.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> @s.pipe
        ... def double(x):
        ...     return 2 * x
        >>> with s.plan() as plan:
        ...     total = double(double(1))
        >>> plan.run(n_jobs=1).counts, double(double(1))
        ({'done': 2}, 4)
        >>> s.close()
        """
        core, count = self._core, self._core.place.cell.count
        return Plan(core.as_host, core.enter_plan, core.leave_plan, f"run {count}" if count else "run")

    def begin_run(self, plan: Plan) -> Callable[[RunOptions], dict[str, int]]:
        """Put a run of the current cell on record; gives what carries it out. See `Plan.run`."""
        self._core.refuse_closed()
        here = self._core.place.of_rule(*plan.rule) if plan.rule else self._core.place.fixed("plan")
        plan.in_progress = RunInProgress(here.run)
        self._core.ongoing[here.run] = OngoingRun(plan, here.cell)
        return lambda options: self._carry_out(plan, here, options)

    def _carry_out(self, plan: Plan, here: Fixed, options: RunOptions) -> dict[str, int]:
        try:
            return self._run_plan(plan, here, options)
        finally:
            del self._core.ongoing[here.run]

    def _run_plan(self, plan: Plan, here: Fixed, options: RunOptions) -> dict[str, int]:
        self._core.refuse_closed()
        executor, workers = executor_for(options.n_jobs, options.executor)

        def renew() -> Executor:
            return executor_for(options.n_jobs, None)[0] or executor  # type: ignore[return-value]

        ours = options.executor is None or options.executor == LOKY
        pool = Pool(self._store, executor, workers, renew if ours else None)
        holder = _PlanHolder(plan, self._core.bind_asked, self._foretell, plan.is_watched or options.watch is not None)
        calls = replace(self._calls, surroundings=here, figures=self._calls.figures or plan.figures)
        driver = Driver(calls, plan.draft, pool, holder, options)
        plan.in_progress.begin(driver)
        try:
            counts = driver.run()
            if plan.is_running:  # In the background: its cell has ended.
                _tell_cell(here.cell, plan, counts)
            return counts
        finally:
            plan.in_progress.end()
            if plan.rule is None:
                self._last_plan = plan, here.cell
            for task in plan.tasks:
                if task.answer is not None:
                    here.note(task.definition.name, task.answer)

    def last_run(self) -> list[Any]:
        """Return what stands for each call of the last run: of a plan, or of the last cell that called pipes."""
        plan, cell = self._last_plan
        called = self._core.place.called
        if plan is not None and (not called.asked or called.started <= cell.started):
            return [VirtualResource(plan, number) for number in range(len(plan.tasks))]
        return [self._core.home.resource(ident + 1) for ident in dict.fromkeys(called.asked)]

    def _foretell(self, repeats: list[Repeated], is_watched: bool) -> str:
        """Word the finished work that a run repeats, and how to keep it; say so where no watcher does."""
        accepts = " ".join(f"--accept {one.pipe}" for one in repeats)
        if not self._core.place.cell.count:
            accepts = ", ".join(f"s.accept({one.pipe!r})" for one in repeats)
        headline = f"{repeated_work(repeats)}; to keep them: stop, then {accepts}"
        if not is_watched:
            self._core.place.announce(headline)
        return headline

    def keep_running(self, plan: Plan, name: str = "") -> str:
        """Remember a plan that runs in the background, under a name; gives the name."""
        self._running = {n: p for n, p in self._running.items() if p.is_running}
        name = name or next(n for n in _names(plan.name) if n not in self._running)
        if name in self._running:
            raise RmsError(f"{name} is running already", hint=f"%rms stop {name}, or choose another name")
        self._running[name] = plan
        plan.name = name
        return name

    def stop(self, name: str = "") -> list[str]:
        """Stop the runs in the background, or the one of a name: what has finished is kept.

        Returns
        -------
        list of str
            Names of those stopped.

        Raises
        ------
        RmsError
            If none runs, or none of that name.
        """
        all_running = {n: plan for n, plan in self._running.items() if plan.is_running}
        running = {n: plan for n, plan in all_running.items() if not name or plan.is_named(name)}
        if not running:
            there = ", ".join(all_running)
            what = f"no run {name!r} is going on" if name else "no run is going on in the background"
            raise RmsError(what, hint=f"there are: {there}" if there else "%%rms run --background begins one")
        for plan in running.values():
            plan.stop()
        return list(running)

    def stop_runs(self, run: int = 0, cell: str = "") -> list[int]:
        """Stop runs from another thread, also those that a cell waits for: what has finished is kept.

        Parameters
        ----------
        run : int
            Only the one with this id on record.
        cell : str
            Only those that the cell with this id began.

        Returns
        -------
        list of int
            Ids of those stopped.

        Raises
        ------
        RmsError
            If none of these is going on.
        """
        going_on = list(self._core.ongoing.items())
        runs = [(ident, own) for ident, own in going_on if run in (0, ident) and cell in ("", own.cell.ident)]
        if not runs:
            raise RmsError("this run is not going on", hint="it has ended, or has not begun; %rms runs lists them")
        for _, own in runs:
            own.plan.stop()
        return [ident for ident, _ in runs]

    def going_on(self) -> dict[int, Plan]:
        """Give the plans that run now, in this cell or in the background, by the ids of their runs."""
        return {ident: going.plan for ident, going in list(self._core.ongoing.items())}

    def end(self) -> None:
        """Stop what runs in the background, and wait for that."""
        for plan in self._running.values():
            plan.stop_and_wait()

    def explain_plan(self, plan: Plan) -> list[dict[str, Any]]:
        """Say of each task what would happen to it; see `Plan.explain`."""

        def bind(reference: Any, answers: dict[int, Answer]) -> Any:
            if isinstance(reference, VirtualResource):
                result = self._core.home.result_of(answers[reference._rms_number])
                return result if reference._rms_slot is None else result[reference._rms_slot]
            return reference

        return explain(self._calls, plan.draft, bind)

    def result_of(self, answer: Answer) -> Any:
        """Make the resource of an answer."""
        return self._core.home.result_of(answer)

    def given_by(self, definition: Definition, answer: Answer) -> Any:
        """Give what a call gives: its value, or a handle if the pipe is to give handles."""
        return self._core.home.result_of(answer) if definition.gives_resource else self._core.home.value_of(answer)

    def note(self, message: str) -> None:
        """Say something under the cell that is being run; scripts have none."""
        if self._core.place.cell.count:
            self._core.place.tell(message)


def _names(first: str) -> Iterator[str]:
    """Names for runs of one cell."""
    return itertools.chain([first], (f"{first}.{number}" for number in itertools.count(2)))


class _PlanHolder:
    """The results of a plan, for the driver that runs it."""

    def __init__(
        self,
        plan: Plan,
        bind: Callable[[Asked], tuple[Definition, tuple[Any, ...]]],
        foretell: Callable[[list[Repeated], bool], str],
        is_watched: bool,
    ) -> None:
        self.bind, self.release = bind, plan.release
        self._foretell, self._is_watched = foretell, is_watched

    def resolve(self, reference: Reference) -> Any:
        """Return the resource that a placeholder stands for."""
        return reference.replacement if isinstance(reference, VirtualResource) else reference

    def foretell(self, repeats: list[Repeated]) -> str:
        """Word the finished work that is repeated."""
        return self._foretell(repeats, self._is_watched)


def _tell_cell(cell: Cell, plan: Plan, counts: dict[str, int]) -> None:
    """Let the cell that began a run know that not all of it succeeded."""
    errors = [task.error for task in plan.tasks if task.error and not isinstance(task.error, NotComputedYet)]
    if counts.get("cancelled") and plan.in_progress.is_stopped:
        cell.fail(PlanStopped("stopped by you; what has finished is kept"))
    elif errors:
        cell.fail(errors[0])
