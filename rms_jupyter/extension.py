"""What do ``%load_ext rms_jupyter`` and ``%unload_ext rms_jupyter`` do?"""

from __future__ import annotations

from html import escape
from typing import Any

from rms_jupyter import opening
from rms_jupyter.handles.display import GREY, Bundle, from_the_store
from rms_jupyter.handles.figures import FIGURE
from rms_jupyter.handles.resource import Resource
from rms_jupyter.magics.completion import rms_matcher
from rms_jupyter.magics.feedback import as_html, as_text, summary
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.magics.rewrite import CellRewriter, mark_cell
from rms_jupyter.run.answer import Answer
from rms_jupyter.run.capture import captured_here
from rms_jupyter.run.surroundings import Cell
from rms_jupyter.session import Session


class Extension:
    """Ties the current session to an IPython shell.

    Parameters
    ----------
    shell : InteractiveShell
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self.magics = RMSMagics(shell)
        self._cell = Cell()
        self._notices: list[str] = []
        self._hidden_figures: dict[int, Any] = {}
        self._rewriter = CellRewriter()

    def install(self) -> None:
        """Register everything."""
        shell = self._shell
        shell.register_magics(self.magics)
        shell.input_transformers_cleanup.insert(0, mark_cell)
        shell.ast_transformers.append(self._rewriter)
        shell.events.register("pre_run_cell", self.begin_cell)
        shell.events.register("post_run_cell", self.end_cell)
        shell.Completer.custom_matchers.append(rms_matcher)
        self._publish = shell.display_pub.publish
        shell.display_pub.publish = self.publish
        self.magics.observe(self._set_returns, "returns")
        opening.on_open.append(self.on_open)

    def uninstall(self) -> None:
        """Take everything back; open sessions stay open."""
        shell = self._shell
        shell.input_transformers_cleanup.remove(mark_cell)
        shell.ast_transformers.remove(self._rewriter)
        shell.events.unregister("pre_run_cell", self.begin_cell)
        shell.events.unregister("post_run_cell", self.end_cell)
        shell.Completer.custom_matchers.remove(rms_matcher)
        shell.display_pub.publish = self._publish
        for kind in ("line", "cell"):
            shell.magics_manager.magics[kind].pop("rms", None)
        opening.on_open.remove(self.on_open)

    def on_open(self, session: Session, by_itself: bool) -> None:
        """Let a session that was opened talk through this shell."""
        session.place.say = self._notices.append
        session.place.enter(self._cell)
        session.on_hit = self.show_again
        session.home.on_display = self.note_display
        session.returns = self.magics.returns
        how = ", read-only" if session.read_only else ""
        self._say(
            f"store {session.path}{how}" + ("" if not by_itself else " (opened by itself; another: %rms open PATH)")
        )
        for problem in session.problems:
            self._say(problem)

    def begin_cell(self, info: Any) -> None:
        """Begin a cell: calls in it belong together, and code is looked at anew."""
        count = self._shell.execution_count - bool(info.store_history)
        self._cell = Cell(ident=getattr(info, "cell_id", None) or "", count=count, code=info.raw_cell or "")
        self._hidden_figures.clear()
        if opening.has_current():
            session = opening.current()
            self._cell.notebook = session.notebook
            session.place.enter(self._cell)
            session.refresh()

    def end_cell(self, result: Any) -> None:
        """End a cell with its line, and figures of hits that were not shown yet."""
        for resource in list(self._hidden_figures.values()):
            self._show(from_the_store(resource._rms_call()))
            self._show(resource._repr_mimebundle_()[0])
        self._hidden_figures.clear()
        if self._cell.answers and self.magics.feedback and not self._cell.summarised:
            rows = summary(self._cell.answers)
            self._show({"text/plain": as_text(rows), "text/html": as_html(rows)})
        notices, self._notices[:] = list(self._notices), []
        for notice in notices:
            self._say(notice)
        if opening.has_current():
            for problem in opening.current().problems:
                self._say(problem)

    def publish(self, data: Bundle, *args: Any, **kwargs: Any) -> None:
        """Publish a display, and give it to the task that runs, if one does."""
        task = captured_here()
        if task is not None and not kwargs.get("update"):
            task.displays.append(dict(data))
        self._publish(data, *args, **kwargs)

    def show_again(self, answer: Answer, name: str) -> None:
        """Show what a task showed when it ran."""
        session = opening.current()
        bundles = session.displays_of(answer)
        if bundles:
            self._show(from_the_store(session.home.task_handle(answer.id, answer.task, True, "").call))
            for bundle in bundles:
                self._show(bundle)
        if answer.task.out and answer.task.out[0].type == FIGURE:
            self._hidden_figures[answer.id + 1] = session.home.result_of(answer)

    def note_display(self, resource: Resource) -> None:
        """A resource is being shown: its figure need not be shown at the end of the cell."""
        self._hidden_figures.pop(resource._rms.id, None)

    def _set_returns(self, change: Any) -> None:
        if opening.has_current():
            opening.current().returns = change["new"]

    def _say(self, text: str) -> None:
        self._show({"text/plain": f"rms: {text}", "text/html": f'<div style="{GREY}">rms: {escape(text)}</div>'})

    def _show(self, bundle: Bundle) -> None:
        self._publish(data=bundle, metadata={})


_extensions: dict[int, Extension] = {}


def load(shell: Any) -> None:
    """Install the extension in a shell."""
    extension = _extensions[id(shell)] = Extension(shell)
    extension.install()


def unload(shell: Any) -> None:
    """Take the extension out of a shell."""
    extension = _extensions.pop(id(shell), None)
    if extension is not None:
        extension.uninstall()
