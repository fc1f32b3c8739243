"""What is in the store?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rms_jupyter.session import Session


def answer(session: Session, question: dict[str, Any]) -> dict[str, Any]:
    """Count what is in the store: ``path, tasks, failed, pipes, files, seconds, bytes``."""
    return {"path": str(session.path), **session.status()}
