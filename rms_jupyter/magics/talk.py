"""What does a session say and show in a notebook, beside what the user's code does?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from IPython.display import display

from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.handles.plan import Plan
from rms_jupyter.handles.resource import Resource
from rms_jupyter.magics.feedback import as_html, as_text, summary
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.magics.replay import replay
from rms_jupyter.model import TaskRecord
from rms_jupyter.panel.rule_watcher import RuleWatchers
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.cell_runtime import Cell
from rms_jupyter.run.task.streams import captured_here
from rms_jupyter.service.rule import Rule
from rms_jupyter.session import Session
from rms_jupyter.session.cells import found_by
from rms_jupyter.session.core import Core
from rms_jupyter.views.display import Bundle, caption_line, from_the_store
from rms_jupyter.views.figures import FIGURE


class Talk:
    """Lets sessions talk through an IPython shell.

    Parameters
    ----------
    shell : InteractiveShell
    magics : RMSMagics
        Holds the settings.
    cell_now : callable
        Returns what is known of the cell that runs: its id, count and code.
    """

    here = "in this kernel"

    def __init__(self, shell: Any, magics: RMSMagics, cell_now: Callable[[], dict[str, Any]]) -> None:
        self._magics, self._shell, self._cell_now = magics, shell, cell_now
        self._session: Session | None = None
        self._cell = Cell()
        self._notices: list[str] = []
        self._hidden_figures: dict[int, Any] = {}
        self._rule_watchers = RuleWatchers()
        publisher, hook = shell.display_pub, shell.displayhook
        self._publish, self._clear, self._write_result = (
            publisher.publish,
            publisher.clear_output,
            hook.write_format_data,
        )
        self._write_prompt = hook.write_output_prompt
        publisher.publish, publisher.clear_output, hook.write_format_data = self.publish, self.clear, self.write_result
        hook.write_output_prompt = self.write_prompt

    def end(self) -> None:
        """Say no more."""
        publisher, hook = self._shell.display_pub, self._shell.displayhook
        publisher.publish, publisher.clear_output, hook.write_format_data = (
            self._publish,
            self._clear,
            self._write_result,
        )
        hook.write_output_prompt = self._write_prompt

    @property
    def namespace(self) -> dict[str, Any]:
        """The notebook's variables."""
        return self._magics.namespace

    def say(self, message: str) -> None:
        """Show a message at the end of the cell."""
        self._notices.append(message)

    def announce(self, message: str) -> None:
        """Show a message at once."""
        self._show(caption_line(f"rms: {message}"))

    def opened(self, session: Session, by_itself: bool) -> None:
        """Say which store was opened."""
        self.begin_cell(self._cell_now(), session)
        how = ", read-only" if session.read_only else ""
        self.announce(f"store {session.path}{how}{' (opened by itself; another: %rms open PATH)' if by_itself else ''}")
        self._say_problems()

    def begin_cell(self, cell: dict[str, Any], session: Session) -> None:
        """Begin a cell: calls in it belong together, and code is looked at anew."""
        self._session = session
        self._cell = Cell(notebook=session.notebook, **cell)
        self._cell.found = found_by(self._cell.code, self._magics.namespace, session.home.tracker.lookup)
        self._hidden_figures.clear()
        session.place.enter(self._cell)
        session.refresh()

    def end_cell(self, error: BaseException | None = None) -> None:
        """End a cell with its line, and with figures of hits that were not shown yet."""
        if error is not None:
            self._cell.fail(error)
        for resource in list(self._hidden_figures.values()):
            self._show(from_the_store(resource._rms_call()))
            self._show(resource._repr_mimebundle_()[0])
        self._hidden_figures.clear()
        if (self._cell.answers or self._cell.headline) and self._magics.feedback:
            rows, headline = summary(self._cell.answers), self._cell.headline
            self._show({"text/plain": as_text(rows, headline), "text/html": as_html(rows, headline)})
        self._notices += self._session.news_of_definitions() if self._session is not None else []
        self._cell.end()
        self._cell = Cell()
        if self._session is not None:
            if self._magics.budget:
                self._session.set_budget(self._magics.budget)
            self._session.mind_budget()
            self._session.home.tracker.let_go()
        notices, self._notices[:] = list(self._notices), []
        for notice in notices:
            self.announce(notice)
        self._say_problems()

    def publish(self, data: Bundle, *args: Any, **kwargs: Any) -> None:
        """Publish a display, and give it to the task that runs, if one does; a silent one shows nothing."""
        task, is_update = captured_here(), bool(kwargs.get("update"))
        if task is None:
            self._publish(data, *args, **kwargs)
            return
        metadata = kwargs.get("metadata") or (args[0] if args else None) or {}
        display_id = (kwargs.get("transient") or {}).get("display_id", "")
        with task.standing_for(["update" if is_update else "display", dict(data), metadata, display_id]):
            if task.echo:
                self._publish(data, *args, **kwargs)  # A terminal writes it as text.

    def clear(self, wait: bool = False) -> None:
        """Clear what the cell shows, and note that for the task that runs, if one does."""
        task = captured_here()
        if task is not None:
            task.show(["clear", wait])
        if task is None or task.echo:
            self._clear(wait)

    def write_result(self, data: Bundle, metadata: Bundle | None = None) -> None:
        """Show the last value of a cell, and note that for the cell, if it is a pipe."""
        task = captured_here()
        with task.standing_for(["result", dict(data), metadata or {}]) if task is not None else nullcontext():
            self._write_result(data, metadata)

    def write_prompt(self) -> None:
        """Begin to show the last value of a cell: in a terminal by text, which is not kept, as a hit writes its own."""
        task = captured_here()
        with task.aside() if task is not None else nullcontext():
            self._write_prompt()

    def show_hit(self, session: Session, pipe: Pipe[Any], answer: Answer, figures_are_open: bool) -> None:
        """Show what a task showed when it ran; figures that are open are shown at the end of the cell."""
        messages = session.messages_of(answer.task)
        if figures_are_open:
            messages = [message for message in messages if message[0] != "figure"]
        if any(message[0] == "display" for message in messages):
            self._show(from_the_store(session.home.task_handle(answer.id, answer.task, True, "").call))
        replay(messages, self._shell, self._publish, self._clear)
        is_handle = pipe.contract.returns == "resource"  # Other figures are shown by pyplot.
        if is_handle and answer.task.out and answer.task.out[0].type == FIGURE:
            self._hidden_figures[answer.id + 1] = session.home.result_of(answer)

    def show_cell_hit(self, session: Session, found: tuple[int, TaskRecord], last: tuple[Any, ...]) -> None:
        """Show what a cell showed when it ran; `last` is its last value, if it had one."""
        replay(session.messages_of(found[1]), self._shell, self._publish, self._clear, last)

    def displayed(self, resource: Resource) -> None:
        """A resource is being shown: its figure need not be shown at the end of the cell."""
        self._hidden_figures.pop(resource._rms.id, None)

    def watch(self, session: Session, plan: Plan) -> None:
        """Show a run by a widget, until it ends."""
        from rms_jupyter.panel.watcher import Watcher

        Watcher(session, plan).follow()

    def watching(self, session: Core, plan: Plan) -> AbstractContextManager[object]:
        """Show a run by a widget while it is waited for."""
        from rms_jupyter.panel.watcher import Watcher

        assert isinstance(session, Session)
        return Watcher(session, plan)

    def show_rule(self, rule: Rule, cell: Cell) -> None:
        """Show how a rule goes on under a cell, with those that were begun there."""
        self._rule_watchers.show(rule, cell)

    def show_panel(self, session: Session) -> None:
        """Show the panel."""
        from rms_jupyter.panel.panel import Panel

        display(Panel(session))  # type: ignore[no-untyped-call]

    def _say_problems(self) -> None:
        for problem in self._session.problems if self._session is not None else ():
            self.announce(problem)

    def _show(self, bundle: Bundle) -> None:
        self._publish(data=bundle, metadata={})
