"""What is in the store?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from rms_jupyter.session import Session


class Counts(Struct, frozen=True):
    """How much is in the store at a path."""

    path: str
    tasks: int
    failed: int
    pipes: int
    files: int
    seconds: float
    bytes: int


def answer(session: Session, question: dict[str, Any]) -> Counts:
    """Count what is in the store."""
    return Counts(str(session.path), **session.status())
