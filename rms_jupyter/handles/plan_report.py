"""How did a plan end, and which error says so?"""

from __future__ import annotations

from dataclasses import dataclass, field

from rms_jupyter.errors import PlanFailed, PlanStopped, words_of
from rms_jupyter.harmless import cut
from rms_jupyter.run.plan.scheduler import TaskState

_LONGEST = 2000


@dataclass
class PlanReport:
    """How a plan ended.

    Attributes
    ----------
    counts : dict of str to int
        Number of tasks by what became of them: ``done``, ``hit``, ``failed``, ``upstream_failed``, ``cancelled``.
    failures : list of (str, BaseException)
        Each failed call, in words, and its exception.
    """

    counts: dict[str, int]
    failures: list[tuple[str, BaseException]] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [f"{count:,} {TaskState(state).words}" for state, count in self.counts.items()]
        return ", ".join(parts) or "nothing to run"


def plan_stopped(report: PlanReport) -> PlanStopped:
    """Return the error of a run that somebody has stopped; what had failed before is its cause."""
    stopped = PlanStopped(f"stopped by you: {report}", hint="what has finished is kept: run the cell again to go on")
    stopped.report = report
    stopped.__cause__ = report.failures[0][1] if report.failures else None
    return stopped


def plan_failed(report: PlanReport) -> PlanFailed:
    """Return the error of a run in which calls have failed; the first of them is its cause."""
    label, error = report.failures[0]
    more = f" (and {len(report.failures) - 1} more)" if len(report.failures) > 1 else ""
    failed = PlanFailed(
        f"{label} failed: {type(error).__name__}: {cut(words_of(error), _LONGEST)}{more}",
        hint=f"{report}; what finished is kept: mend and run again. What they printed, and where: %rms logs --failed",
    )
    failed.report = report
    failed.__cause__ = error
    return failed
