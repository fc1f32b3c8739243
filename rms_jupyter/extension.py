"""What do ``%load_ext rms_jupyter`` and ``%unload_ext rms_jupyter`` do?

As little as possible: what a session needs is imported when one is opened.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from rms_jupyter import opening
from rms_jupyter.fingerprint.assigning import may_assign_attributes
from rms_jupyter.interrupts import unbroken
from rms_jupyter.magics.completion import rms_matcher
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.magics.rewrite import CellRewriter, mark_cell
from rms_jupyter.panel.control import listen, stop_listening

if TYPE_CHECKING:
    from rms_jupyter.magics.talk import Talk


class Extension:
    """Ties whichever session is current to an IPython shell.

    Parameters
    ----------
    shell : InteractiveShell
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self.magics = RMSMagics(shell)
        self._rewriter = CellRewriter()
        self._talk: Talk | None = None
        self._cell: dict[str, Any] = {}

    def install(self) -> None:
        """Register everything."""
        shell = self._shell
        shell.register_magics(self.magics)
        shell.input_transformers_cleanup.insert(0, mark_cell)
        shell.ast_transformers.append(self._rewriter)
        shell.events.register("pre_run_cell", self.begin_cell)
        shell.events.register("post_run_cell", self.end_cell)
        shell.Completer.custom_matchers.append(rms_matcher)
        opening.front_ends.append(self._talk_here)
        listen(shell)
        for text in shell.user_ns.get("In", ()):
            self._look_for_assignments(text, has_run=True)

    def _look_for_assignments(self, text: str, has_run: bool = False) -> None:
        if may_assign_attributes(text):
            from rms_jupyter.fingerprint.put_into_packages import look_for_assignments

            look_for_assignments(text, self._shell.user_ns, has_run)

    def uninstall(self) -> None:
        """Take everything back; open sessions stay open."""
        shell = self._shell
        shell.input_transformers_cleanup.remove(mark_cell)
        shell.ast_transformers.remove(self._rewriter)
        shell.events.unregister("pre_run_cell", self.begin_cell)
        shell.events.unregister("post_run_cell", self.end_cell)
        shell.Completer.custom_matchers.remove(rms_matcher)
        for kind in ("line", "cell"):
            shell.magics_manager.magics[kind].pop("rms", None)
        opening.front_ends.remove(self._talk_here)
        stop_listening(shell)
        if self._talk is not None:
            self._talk.end()

    @unbroken
    def begin_cell(self, info: Any) -> None:
        """Begin a cell: calls in it belong together, and code is looked at anew."""
        if not _is_in_another_cell():
            self._end_what_was_left()
        self._look_for_assignments(info.raw_cell or "")
        count = self._shell.execution_count - bool(info.store_history)
        self._cell = {"ident": getattr(info, "cell_id", None) or "", "count": count, "code": info.raw_cell or ""}
        if opening.has_current():
            self._talk_here().begin_cell(self._cell, opening.current())

    @unbroken
    def end_cell(self, result: Any) -> None:
        """End a cell with what there is to say of it."""
        if self._talk is not None:
            failed = KeyboardInterrupt() if result is None else result.error_before_exec or result.error_in_exec
            try:
                if (cell_ := sys.modules.get("rms_jupyter.magics.cell_")) is not None:
                    cell_.end_cell(self._cell["code"], failed, result.result if result is not None else None)
            finally:
                self._talk.end_cell(failed)

    def _end_what_was_left(self) -> None:
        """End what the last cell began, where an interrupt has kept it from being ended."""
        if (cell_ := sys.modules.get("rms_jupyter.magics.cell_")) is not None and self._cell:
            cell_.end_cell(self._cell["code"], KeyboardInterrupt(), None)
        for session in opening.sessions():
            session.leave_plan()

    def _talk_here(self) -> Talk:
        if self._talk is None:
            from rms_jupyter.magics.talk import Talk

            self._talk = Talk(self._shell, self.magics, lambda: self._cell)
        return self._talk


def _is_in_another_cell() -> bool:
    """Whether the cell that begins is run by the code of one that runs."""
    frame, cells = sys._getframe(), 0
    while (caller := frame.f_back) is not None:
        frame = caller
        cells += frame.f_code.co_name == "run_cell_async"
    return cells > 1


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
