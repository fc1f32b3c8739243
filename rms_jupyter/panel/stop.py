"""How is a run stopped from a front end, also while the kernel is busy with it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rms_jupyter.session import Session


def answer(session: Session, question: dict[str, Any]) -> dict[str, Any]:
    """Stop the run with the id ``run``, or those that the cell with the id ``cell`` began; all, if neither is given.

    The answer, ``{"stopped": ids}``, comes before their end.
    """
    stopped = session.stop_runs(int(question.get("run") or 0), str(question.get("cell") or ""))
    return {"stopped": [str(ident) for ident in stopped]}
