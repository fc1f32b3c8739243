"""What did a task print, and where did it fail?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rms_jupyter.harmless import harmless
from rms_jupyter.naming import short_id

if TYPE_CHECKING:
    from rms_jupyter.session import Session

_LONGEST = 100_000


class Printed(Struct, frozen=True):
    """What a task left, without colours."""

    text: str


def answer(session: Session, question: dict[str, Any]) -> Printed:
    """Return what the task with the id ``task`` left; of a long text its two ends."""
    text = session.logs(int(question["task"])).text
    if len(text) > _LONGEST:
        command = f"%rms logs {short_id(int(question['task']))}"
        left_out = f"\n… {len(text) - _LONGEST:,} characters are not shown here: {command} …\n"
        text = text[: _LONGEST // 2] + left_out + text[-_LONGEST // 2 :]
    return Printed(harmless(text))
