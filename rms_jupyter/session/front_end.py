"""Who shows what a session has to say?  A notebook, a terminal, or (unless one is there) the script that runs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

from rms_jupyter import model
from rms_jupyter.errors import RmsError
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.handles.plan import Plan
from rms_jupyter.handles.resource import Resource
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.cell_runtime import Cell, Voice, warn
from rms_jupyter.run.task.said import say_again
from rms_jupyter.service.rule import Rule

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.session.core import Core


class FrontEnd(Voice, Protocol):
    """What a session asks of whoever shows it.

    Attributes
    ----------
    here : str
        Where its runs go on, as one says it: "in this kernel".
    """

    here: str

    def opened(self, session: Session, by_itself: bool) -> None:
        """Note that a session was opened, perhaps by its first use."""

    def show_hit(self, session: Session, pipe: Pipe[Any], answer: Answer, figures_are_open: bool) -> None:
        """Show what a call showed when it ran."""

    def show_cell_hit(self, session: Session, found: tuple[int, model.TaskRecord], last: tuple[Any, ...]) -> None:
        """Show what a cell showed when it ran; `last` is its last value, if it had one."""

    def displayed(self, resource: Resource) -> None:
        """Note that a resource is being shown."""

    def watch(self, session: Session, plan: Plan) -> None:
        """Show a run that goes on."""

    def watching(self, session: Core, plan: Plan) -> AbstractContextManager[object]:
        """Show a run while it is waited for."""

    def show_rule(self, rule: Rule, cell: Cell) -> None:
        """Show how a rule goes on, under a cell."""

    def show_panel(self, session: Session) -> None:
        """Let the user look through the store."""


class ScriptFrontEnd:
    """Plain Python: what is said is a warning, and what was printed is printed again."""

    here = "here"
    namespace: Mapping[str, Any] = {}

    def say(self, message: str) -> None:
        """Warn."""
        warn(message)

    def announce(self, message: str) -> None:
        """Warn."""
        warn(message)

    def opened(self, session: Session, by_itself: bool) -> None:
        """Say nothing."""

    def show_hit(self, session: Session, pipe: Pipe[Any], answer: Answer, figures_are_open: bool) -> None:
        """Print what was printed, unless the call gives a handle, which can be asked for it."""
        if not pipe._definition.gives_resource:
            say_again(session.messages_of(answer.task))

    def show_cell_hit(self, session: Session, found: tuple[int, model.TaskRecord], last: tuple[Any, ...]) -> None:
        """Show nothing: there are no cells."""

    def displayed(self, resource: Resource) -> None:
        """Show nothing more."""

    def watch(self, session: Session, plan: Plan) -> None:
        """Show nothing: whoever runs a plan gets its report."""

    def watching(self, session: Core, plan: Plan) -> AbstractContextManager[object]:
        """Show nothing."""
        return nullcontext()

    def show_rule(self, rule: Rule, cell: Cell) -> None:
        """Show nothing: whoever begins a rule asks for its status."""

    def show_panel(self, session: Session) -> None:
        """Refuse: a panel is a widget."""
        raise RmsError("the panel needs a notebook", hint="%rms tasks, %rms files and %rms runs list what is there")
