"""In which cell of which notebook was something made?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rms_jupyter.commands.what import ident_of, named_in
from rms_jupyter.errors import RmsError
from rms_jupyter.handles.virtual_resource import VirtualResource

if TYPE_CHECKING:
    from rms_jupyter.session import Session


class Place(Struct, frozen=True):
    """A cell of a notebook by its id, or else by its number; `count` is that number."""

    notebook: str
    cell: str | int
    count: int


def answer(session: Session, question: dict[str, Any]) -> Place:
    """Return where something was made.

    ``what`` is what `%rms` verbs take for WHAT.
    """
    run = session.made_in(_ident(session, str(question.get("what", ""))))
    if not (run.cell or run.count):
        raise RmsError("no cell made it", hint="it was made by a script, or in a kernel without a notebook")
    return Place(run.notebook, run.cell or run.count, run.count)


def _ident(session: Session, what: str) -> int:
    value = named_in(session.place.namespace, what)
    if isinstance(value, VirtualResource) and value._rms_plan.is_running:
        raise RmsError(f"{what} is being computed", hint="ask again when its run has ended")
    return ident_of(session, what, session.place.namespace)
