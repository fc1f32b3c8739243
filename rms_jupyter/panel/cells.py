"""How do the cells of the notebook stand?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rms_jupyter.session.cells import Standing

if TYPE_CHECKING:
    from rms_jupyter.session import Session

_LONGEST = 500


class NotebookCells(Struct, frozen=True):
    """How cells stand, by their ids, and the path of their notebook as the kernel knows it."""

    notebook: str
    cells: dict[str, Standing]


def answer(session: Session, question: dict[str, Any]) -> NotebookCells:
    """Say of each of ``cells`` (``{"id", "code"}``) how it stands."""
    codes = {str(cell["id"]): str(cell["code"]) for cell in question.get("cells", ())}
    found = session.cells(codes)
    return NotebookCells(
        session.notebook, {ident: replace(standing, why=standing.why[:_LONGEST]) for ident, standing in found.items()}
    )
