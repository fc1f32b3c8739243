"""How do the cells of the notebook stand?"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rms_jupyter.session import Session

_LONGEST = 500


def answer(session: Session, question: dict[str, Any]) -> dict[str, Any]:
    """Say of each of ``cells`` (``{"id", "code"}``) its ``state``, ``why``, and when it ran: ``count`` and ``at``.

    Where ``looked`` is false, there was no time to look whether it changed: ask again. ``notebook`` is the path of the
    notebook as the kernel knows it.
    """
    codes = {str(cell["id"]): str(cell["code"]) for cell in question.get("cells", ())}
    found = {ident: asdict(standing) for ident, standing in session.cells(codes).items()}
    for standing in found.values():
        standing["why"] = standing["why"][:_LONGEST]
    return {"notebook": session.notebook, "cells": found}
