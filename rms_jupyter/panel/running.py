"""How far are the runs of this kernel?  In words that any view draws."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from msgspec import UNSET, Struct, UnsetType

from rms_jupyter.handles.plan import Plan
from rms_jupyter.harmless import cut, one_line
from rms_jupyter.run.plan.progress import UNFINISHED, Snapshot, together
from rms_jupyter.run.plan.scheduler import TaskState
from rms_jupyter.views.wording import duration

if TYPE_CHECKING:
    from rms_jupyter.session import Session

Phase = Literal["starting", "running", "stopping", "stopped", "failed", "done"]
PARTS = {
    "hit": (TaskState.HIT,),
    "done": (TaskState.DONE,),
    "running": (TaskState.RUNNING,),
    "failed": (TaskState.FAILED, TaskState.TIMED_OUT),
    "not run": (TaskState.UPSTREAM_FAILED, TaskState.CANCELLED, TaskState.PRUNED),
    "waiting": UNFINISHED,
}
_MOST_PIPES = 100
LONGEST_DIFF = 5000


class PipeCounts(Struct, frozen=True, rename={"not_run": "not run"}):
    """How many calls of a pipe there are, and how many of them in which part, see `PARTS`; none is left out."""

    name: str
    total: int
    hit: int | UnsetType = UNSET
    done: int | UnsetType = UNSET
    running: int | UnsetType = UNSET
    failed: int | UnsetType = UNSET
    not_run: int | UnsetType = UNSET
    waiting: int | UnsetType = UNSET

    def parts(self) -> dict[str, int]:
        """Return the counts by part, in the order of `PARTS`."""
        counts = {part: getattr(self, _field(part)) for part in PARTS}
        return {part: count for part, count in counts.items() if count is not UNSET}


class FailedCall(Struct, frozen=True):
    """A call that failed, and the id of its task on record; '' where it has none."""

    call: str
    error: str
    task: str


class RunState(Struct, frozen=True):
    """How far a run is; all text is short and harmless.

    `headline` and `diff` are what was to be known before it, `more` counts the pipes and `failed` the calls that are
    not all among `pipes` and `failures`.
    """

    run: str
    store: str
    name: str
    phase: Phase
    headline: str
    diff: str
    title: str
    pipes: list[PipeCounts]
    more: int
    failed: int
    failures: list[FailedCall]


class GoingOn(Struct, frozen=True):
    """The runs that go on now, and the time of the store's clock, which moves with every record."""

    tick: int
    runs: list[RunState]


def answer(session: Session, question: dict[str, Any]) -> GoingOn:
    """Say what goes on in this kernel."""
    return GoingOn(session.tick(), [state_of(plan, str(session.path)) for plan in session.going_on().values()])


def state_of(plan: Plan, store: str) -> RunState:
    """Say how far a run is."""
    snapshot = plan.snapshot() or Snapshot({})
    counts = snapshot.counts
    begun = min(1.0, snapshot.busy / (counts[TaskState.RUNNING] or 1))
    return RunState(
        run=str(plan.run_id),
        store=store,
        name=one_line(plan.name, 40),
        phase=phase_of(snapshot),
        headline=one_line(snapshot.headline, 400),
        diff=cut(snapshot.diff, LONGEST_DIFF),
        title=title(snapshot) if snapshot.total else "starting",
        pipes=[
            PipeCounts(one_line(pipe, 60), each.total(), **_parts(each, begun))
            for pipe, each in list(snapshot.pipes.items())[:_MOST_PIPES]
        ],
        more=max(0, len(snapshot.pipes) - _MOST_PIPES),
        failed=together(counts, PARTS["failed"]),
        failures=[
            FailedCall(one_line(call, 120), one_line(error, 200), str(task or ""))
            for call, error, task in snapshot.failures
        ],
    )


def phase_of(snapshot: Snapshot) -> Phase:
    """Return where a run is."""
    if not snapshot.finished:
        return "stopping" if snapshot.stopping else "running" if snapshot.total else "starting"
    counts = snapshot.counts
    return "stopped" if counts[TaskState.CANCELLED] else "failed" if snapshot.failures else "done"


def title(snapshot: Snapshot) -> str:
    """Word how far a run is, and how long it may take.

    Examples
    --------
    >>> from collections import Counter
    >>> title(Snapshot({"qc": Counter(done=600, hit=12, waiting=186, failed=3)}, 15, 4.2, 41, 8, 8))
    '615 of 801 · 3 failed · 41/s · about 4.2 s left · 8 of 8 workers'
    >>> title(Snapshot({"qc": Counter(done=600, hit=201)}, 20, saved=240, finished=True))
    '801 of 801 · in 20 s · 4 min saved'
    """
    failed, left_out = (together(snapshot.counts, PARTS[part]) for part in ("failed", "not run"))
    parts = [f"{snapshot.ended - left_out:,} of {snapshot.total:,}", f"{failed:,} failed" if failed else ""]
    if snapshot.finished:
        parts += [f"in {duration(snapshot.elapsed)}", _saved(snapshot)]
    else:
        parts += [_rate(snapshot.rate), f"about {duration(snapshot.left)} left" if snapshot.left >= 1 else ""]
        workers = f"{snapshot.busy} of {snapshot.workers} worker{'s' * (snapshot.workers > 1)}"
        parts.append("starting workers" if snapshot.starting else workers)
    return " · ".join(filter(None, parts))


def closing(name: str, snapshot: Snapshot) -> str:
    """Word what a run came to."""
    failure = f" · first failure: {one_line(snapshot.first_failure, 300)}" if snapshot.failures else ""
    parts = f"{snapshot.text()}, in {duration(snapshot.elapsed)}", _saved(snapshot)
    return f"{one_line(name, 40)} · {' · '.join(filter(None, parts))}{failure}"


def _parts(counts: Mapping[TaskState, int], begun: float) -> dict[str, int]:
    """Count by part; of the tasks that are with workers, those wait that others of their batch go before."""
    parts = {part: together(counts, states) for part, states in PARTS.items()}
    running = math.ceil(parts["running"] * begun)
    parts |= {"running": running, "waiting": parts["waiting"] + parts["running"] - running}
    return {_field(part): count for part, count in parts.items() if count}


def _field(part: str) -> str:
    return part.replace(" ", "_")


def _saved(snapshot: Snapshot) -> str:
    return f"{duration(snapshot.saved)} saved" if snapshot.saved else ""


def _rate(rate: float) -> str:
    if rate >= 10:
        return f"{rate:,.0f}/s"
    return f"{rate:.1f}/s" if rate >= 1 else f"{rate * 60:.0f}/min" if rate * 60 >= 1 else ""
