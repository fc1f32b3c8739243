"""How does a rule stand?  One snapshot, whoever shows it."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from rms_jupyter.flows.rules.ledger import RuleCounts
from rms_jupyter.harmless import fits_console, one_line

Phase = Literal["not started", "watching", "finishing", "done", "stopped", "failed", "held back", "on record"]
_RATE_OVER = 10.0
_NONE = RuleCounts()


class RuleFailure(NamedTuple):
    """A call that has failed: its files, why, and its task on record (0 where it has none)."""

    files: str
    why: str
    task: int = 0


@dataclass(frozen=True)
class RuleStatus:
    """How a rule stands at one moment.

    Attributes
    ----------
    rule : str
    phase : str
        ``not started``, ``watching``, ``finishing`` (all data is there), ``done``, ``stopped``, ``failed`` (the rule
        itself), ``held back`` (the rule before it had failures), or ``on record`` (of another kernel).
    counts : Counts
        ``arrived, settling, unpaired, waiting, running, done, failed, gone``.
    last_arrival : float
        When the latest file was written, in seconds; 0 if there is none.
    rate : float
        Calls that have ended in a second, of late.
    elsewhere : int
        How many of the calls that wait are being done by another kernel.
    problems : tuple of str
        What was noticed and kept nothing from going on.
    failures : tuple of Failure
        The first ones.
    why : str
        Why the rule itself has failed, or is held back.
    """

    rule: str
    phase: Phase
    counts: RuleCounts = _NONE
    last_arrival: float = 0.0
    rate: float = 0.0
    elsewhere: int = 0
    problems: tuple[str, ...] = ()
    failures: tuple[RuleFailure, ...] = ()
    why: str = ""

    def row(self) -> dict[str, object]:
        """Return it as a row of a table."""
        counts = self.counts
        return {
            "rule": one_line(self.rule, 60),
            "phase": self.phase,
            "arrived": counts.arrived,
            "settling": counts.settling,
            "waiting": counts.waiting + counts.unpaired,
            "running": counts.running,
            "done": counts.done,
            "failed": counts.failed,
            "last arrival": clock(self.last_arrival),
            "rate": rate(self.rate),
        }

    def parts(self) -> list[str]:
        """Word what there is of each."""
        counts = self.counts
        named = ("settling", "unpaired", "waiting", "running", "done", "failed", "gone")
        found = [f"{number:,} {name}" for name in named if (number := getattr(counts, name))]
        elsewhere = [f"{self.elsewhere:,} of them in another kernel"] if self.elsewhere else []
        last = [f"last arrival {clock(self.last_arrival)}"] if self.last_arrival else []
        pace = [rate(self.rate)] if self.rate else []
        arrived = [f"{counts.arrived:,} arrived"] if counts.arrived or not found else []  # A follower is given results.
        return [*arrived, *found, *elsewhere, *last, *pace]

    @fits_console
    def __repr__(self) -> str:
        lines = [f"{one_line(self.rule, 60)} · {self.phase} · {' · '.join(self.parts())}"]
        lines += [one_line(self.why, 300)] if self.why else []
        lines += [f"■ {one_line(each.files, 120)} {one_line(each.why, 200)}" for each in self.failures]
        return "\n".join(lines + [f"! {one_line(problem, 300)}" for problem in self.problems])


@dataclass
class Pace:
    """How many calls have ended, when."""

    _ended: deque[tuple[float, int]] = field(default_factory=deque)

    def note(self, now: float, ended: int) -> float:
        """Note how many have ended until now; return how many end in a second."""
        recent = self._ended
        if not recent or recent[-1][1] != ended or now - recent[-1][0] > 1:
            recent.append((now, ended))
        while now - recent[0][0] > _RATE_OVER:
            recent.popleft()
        since, before = recent[0] if recent else (now, ended)
        return max(0.0, (ended - before) / (now - since)) if now > since else 0.0


def clock(seconds: float) -> str:
    """Word a time: today the time of day, else the day too.

    Examples
    --------
    >>> clock(0)
    ''
    """
    if not seconds:
        return ""
    at = time.localtime(seconds)
    is_today = at[:3] == time.localtime()[:3]
    return time.strftime("%H:%M:%S" if is_today else "%Y-%m-%d %H:%M", at)


def rate(per_second: float) -> str:
    """Word how many a second, or a minute.

    Examples
    --------
    >>> rate(41.2), rate(0.2), rate(0)
    ('41/s', '12/min', '')
    """
    if per_second >= 1:
        return f"{per_second:,.0f}/s"
    return f"{per_second * 60:.0f}/min" if per_second * 60 >= 1 else ""
