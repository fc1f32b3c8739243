"""``%rms panel``: look through runs, tasks, files, figures and failures."""

from __future__ import annotations

from IPython.display import display

from rms_jupyter import opening
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics


def parser() -> Parser:
    """Options of this sub-command."""
    return Parser("%rms panel")


def line(magics: RMSMagics, rest: str) -> None:
    """Show the panel."""
    from rms_jupyter.panel.panel import Panel

    parse(parser(), rest, magics.namespace)
    display(Panel(opening.current()))  # type: ignore[no-untyped-call]
