"""The magic itself, and its settings: ``%config RMSMagics``."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from traitlets import Bool, Enum, TraitError, Unicode, validate

from rms_jupyter.errors import users_frames
from rms_jupyter.harmless import fits_console
from rms_jupyter.magics.commands import CELL, LINE, PYTHON_CELLS, module_of, split_command


@magics_class
class RMSMagics(Magics):
    """Record, reuse and ask: ``%rms`` lists the sub-commands."""

    feedback = Bool(True, help="End cells in which pipes were called with a line that says what was a hit.").tag(
        config=True
    )
    budget = Unicode("", help="Bytes that the store may take, '20 GB'; nothing for any number of them.").tag(
        config=True
    )
    sql_as = Enum(["pandas", "polars", "arrow", "duckdb"], "pandas", help="What %rms sql gives.").tag(config=True)

    @validate("budget")
    def _amount(self, proposal: Any) -> str:
        from rms_jupyter.run.call.amounts import bytes_of

        try:
            return str(bytes_of(proposal["value"])) if proposal["value"] else ""
        except ValueError:
            raise TraitError(f"{proposal['value']!r} is not an amount of memory: write '20 GB', or bytes") from None

    @property
    def host(self) -> Any:
        """The shell."""
        return self.shell

    @property
    def namespace(self) -> dict[str, Any]:
        """The notebook's variables."""
        namespace: dict[str, Any] = self.host.user_ns
        return namespace

    @no_var_expand
    @line_cell_magic
    def rms(self, line: str = "", cell: str | None = None) -> Any:
        """Run a sub-command; without one, list them."""
        __tracebackhide__ = True
        try:
            return self._do(line, cell)
        except KeyboardInterrupt as stop:
            raise stop.with_traceback(users_frames(stop)) from None

    def _do(self, line: str, cell: str | None) -> Any:
        __tracebackhide__ = True
        name, rest = split_command(line)
        if cell is None:
            if not name:
                return Listing()
            return module_of(name, cell=False).line(self, rest)
        if name in PYTHON_CELLS or name.startswith("-"):
            # Only reached from Python code: typed cells are rewritten before they are run (see `rewrite`).
            result = self.host.run_cell(f"%%rms {line}\n{cell}", store_history=False)
            result.raise_error()
            return result.result
        return module_of(name, cell=True).cell(self, rest, cell)


class Listing:
    """The sub-commands, as a table."""

    def rows(self) -> list[dict[str, Any]]:
        """One row a sub-command."""
        lines = [{"command": f"%rms {name}", "what it does": text} for name, text in LINE.items()]
        return lines + [{"command": f"%%rms {name}".strip(), "what it does": text} for name, text in CELL.items()]

    @fits_console
    def __repr__(self) -> str:
        from rms_jupyter.views.results import text_table

        return text_table(self.rows())
