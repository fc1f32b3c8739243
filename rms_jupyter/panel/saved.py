"""Which figures were saved as calls made them?  As rows like those of the figures that calls gave or wrote."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rms_jupyter.panel.page import FigureRow, figure_row
from rms_jupyter.panel.search import condition_in

if TYPE_CHECKING:
    from rms_jupyter.session import Session

PREFIX = "saved:"
_MOST_ROWS = 200


class SavedPage(Struct, frozen=True):
    """Rows, whose ids are ``saved:`` and the name of a file; how many there are that fit, and how many in all."""

    rows: list[FigureRow]
    count: int
    total: int


def answer(session: Session, question: dict[str, Any]) -> SavedPage:
    """Return a page of saved figures, the latest first.

    Asked are ``words`` (or ``WHERE`` and a condition in SQL on the tasks that made them), ``offset`` and ``limit``.
    """
    text = str(question.get("words", ""))[:1000]
    condition = condition_in(text)
    total, found = session.saved_with_tasks([] if condition else text.split(), condition)
    offset, limit = max(0, int(question.get("offset", 0))), max(1, min(int(question.get("limit", 24)), _MOST_ROWS))
    rows = [
        figure_row(
            session,
            {
                "id": PREFIX + figure.files[0],
                "path": os.path.join(session.path, "figures", figure.files[0]),
                "type": ", ".join(os.path.splitext(name)[1][1:] for name in figure.files),
                "pipe": session.pipe_of_task(task),
                "args": bytes(task.args).decode(),
                "status": task.status,
                "when": figure.saved // 1_000_000,
                "task": str(ident),
            },
        )
        for figure, ident, task in found[offset : offset + limit]
    ]
    return SavedPage(rows, len(found), total)
