"""What is known of one task or resource?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rms_jupyter.panel.ids import ident
from rms_jupyter.views.details import Details

if TYPE_CHECKING:
    from rms_jupyter.session import Session


def answer(session: Session, question: dict[str, Any]) -> Details:
    """Tell all of ``id``: title, status, facts, code, changes, log, failure, and a glimpse of the value."""
    return session.details(ident(question))
