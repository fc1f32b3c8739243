"""The magic itself, and its settings: ``%config RMSMagics``."""

from __future__ import annotations

from typing import Any, cast

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.display import display
from traitlets import Bool, Enum, List, TraitError, Unicode, observe, validate

from rms_jupyter import opening
from rms_jupyter.commands.listing import Listing
from rms_jupyter.commands.parser import Sign
from rms_jupyter.commands.table import Command, verb_named, verbs
from rms_jupyter.errors import RmsError, users_frames
from rms_jupyter.magics.rewrite import PYTHON_CELLS

_MUST_BE_WHOLE = ("pull", "backup", "restore")


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

    figure_formats = List(Unicode(), help="Formats of figures that are saved: png, svg, pdf, eps, html, json.").tag(
        config=True
    )

    figure_styles = List(Unicode(), help="Styles in which figures are saved, too: paper, ggplot.").tag(config=True)

    @validate("figure_formats")
    def _known_formats(self, proposal: Any) -> list[str]:
        from rms_jupyter.figures.formats import formats_named

        try:
            return list(formats_named(proposal["value"]))
        except RmsError as error:
            raise TraitError(f"{error.message}: {error.hint}") from None

    @observe("figure_formats", "figure_styles")
    def _save_in_formats(self, change: Any) -> None:
        session = opening.opened()
        if session is not None and session.figure_formats:
            session.save_figures(self.figure_formats or True, self.figure_styles or None)

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
        sign: Sign = "%rms" if cell is None else "%%rms"
        name, rest = split_command(line)
        if name == "help":
            name, rest = rest, "--help"
        if not name and cell is None:
            return Listing()
        if text := _help(name, rest, sign):
            print(text)
            return None
        if cell is not None and name in PYTHON_CELLS:
            # Only reached from Python code: typed cells are rewritten before they are run (see `rewrite`).
            result = self.host.run_cell(f"%%rms {line}\n{cell}", store_history=False)
            result.raise_error()
            return result.result
        parser, verb = verb_named(name, sign)
        parser.set_defaults(sql_as=self.sql_as, figure_formats=self.figure_formats)
        parser.set_defaults(figure_styles=self.figure_styles)
        options = parser.read_line(rest if cell is None else f"{rest}\n{cell}", self.namespace)
        session = opening.current() if parser.needs_session else None
        answer = cast(Command, verb).command(session, options, self.namespace)
        if name in _MUST_BE_WHOLE and not answer.is_sound:
            display(answer)  # type: ignore[no-untyped-call]
            raise RmsError(answer.headline, hint="what is wrong is told above")
        if type(answer) is not str:
            return answer
        print(answer)
        return None


def split_command(line: str) -> tuple[str, str]:
    """Split a line into the verb and the rest; one that begins with an option has no verb."""
    name, _, rest = line.strip().partition(" ")
    return ("", line.strip()) if name.startswith("-") else (name, rest.strip())


def _help(name: str, rest: str, sign: Sign) -> str:
    """Return the help that a line asks for; of verbs that are typed in the other way, too."""
    known: list[Sign] = [sign, "%%rms" if sign == "%rms" else "%rms"]
    for own in known:
        if name in verbs(own):
            parser, _ = verb_named(name, own)
            return parser.help_text() if parser.asks_for_help(rest) else ""
    return ""


RMSMagics.rms.getdoc = lambda: f"{Listing()}"  # type: ignore[union-attr]  # What `%rms?` shows.
