"""How do the rules stand?  A row each: those of this kernel as they go on, then those that others have left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rms_jupyter.errors import RmsError
from rms_jupyter.harmless import one_line
from rms_jupyter.service.status import RuleStatus, rate

if TYPE_CHECKING:
    from rms_jupyter.session import Session

_MOST = 200


class RuleFailureRow(Struct, frozen=True):
    """A call that has failed; `task` is '' where it is not on record."""

    files: str
    why: str
    task: str


class RuleRow(Struct, frozen=True):
    """A rule; `last` is when its latest file was written, in milliseconds since 1970, None where none has come."""

    name: str
    phase: str
    arrived: int
    settling: int
    unpaired: int
    waiting: int
    running: int
    done: int
    failed: int
    gone: int
    elsewhere: int
    last: int | None
    rate: str
    why: str
    failures: list[RuleFailureRow]
    problems: list[str]
    is_here: bool


class RuleRows(Struct, frozen=True):
    """All rules; `live` says whether any goes on in this kernel."""

    rules: list[RuleRow]
    live: bool


def answer(session: Session, question: dict[str, Any]) -> RuleRows:
    """List the rules. With ``do``, ``stop`` or ``retry``, it is done with the rule of the name ``name`` before."""
    if do := question.get("do"):
        _do(session, str(do), str(question.get("name", "")))
    here = {rule.name for rule in session.rules()}
    rows = [_row(status, status.rule in here) for status in session.rule_statuses()[:_MOST]]
    return RuleRows(rows, any(row.phase in ("watching", "finishing") for row in rows))


def _do(session: Session, do: str, name: str) -> None:
    rule = next((rule for rule in session.rules() if one_line(rule.name, 100) == name), None)
    if rule is None or do not in ("stop", "retry"):
        raise RmsError(f"the rule {name[:60]} does not go on in this kernel", hint="run the cell that begins it")
    if do == "stop":
        rule.stop()
    else:
        rule.retry()


def _row(status: RuleStatus, is_here: bool) -> RuleRow:
    counts = status.counts
    return RuleRow(
        name=one_line(status.rule, 100),
        phase=status.phase,
        **counts._asdict(),
        elsewhere=status.elsewhere,
        last=int(status.last_arrival * 1000) or None,
        rate=rate(status.rate),
        why=one_line(status.why, 300),
        failures=[
            RuleFailureRow(one_line(each.files, 120), one_line(each.why, 200), str(each.task or ""))
            for each in status.failures
        ],
        problems=[one_line(problem, 300) for problem in status.problems],
        is_here=is_here,
    )
