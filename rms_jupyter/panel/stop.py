"""How is a run stopped from a front end, also while the kernel is busy with it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from rms_jupyter.session import Session


class Stopped(Struct, frozen=True):
    """The ids of runs that were told to stop."""

    stopped: list[str]


def answer(session: Session, question: dict[str, Any]) -> Stopped:
    """Stop the run with the id ``run``, or those that the cell with the id ``cell`` began; all, if neither is given.

    The answer comes before their end.
    """
    stopped = session.stop_runs(int(question.get("run") or 0), str(question.get("cell") or ""))
    return Stopped([str(ident) for ident in stopped])
