"""What is drawn around a node, opened as far as the user has?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.errors import RmsError
from rms_jupyter.panel.ids import ident, idents
from rms_jupyter.views.drawing import Payload
from rms_jupyter.views.lineage import Lineage

if TYPE_CHECKING:
    from rms_jupyter.session import Session

_MOST = 60


def answer(session: Session, question: dict[str, Any]) -> Payload:
    """Draw the view that the question describes: ``id, up, down, depth, apart, further``."""
    drawn = lineage_of(session, question).drawn()
    if drawn is None:
        raise RmsError("nothing is on record there", hint="run %rms lineage again")
    return drawn


def lineage_of(session: Session, view: Mapping[str, Any]) -> Lineage:
    """Give the lineage that a view is a part of."""
    depth = view.get("depth")
    lineage = session.lineage(
        ident(view), bool(view.get("up", True)), bool(view.get("down", True)), None if depth is None else int(depth)
    )
    return lineage.opened(idents(view, "apart", _MOST), idents(view, "further", _MOST))
