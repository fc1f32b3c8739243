"""What did a task print, and where did it fail?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rms_jupyter.harmless import harmless

if TYPE_CHECKING:
    from rms_jupyter.session import Session

_LONGEST = 100_000


def answer(session: Session, question: dict[str, Any]) -> dict[str, Any]:
    """Give the ``text`` that the task with the id ``task`` left, without colours; of a long one its two ends."""
    text = session.logs(int(question["task"])).text
    if len(text) > _LONGEST:
        left_out = f"\n… {len(text) - _LONGEST:,} characters are not shown here: %rms logs {int(question['task'])} …\n"
        text = text[: _LONGEST // 2] + left_out + text[-_LONGEST // 2 :]
    return {"text": harmless(text)}
