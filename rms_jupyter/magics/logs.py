"""``%rms logs WHAT | --failed``: what a task printed, and where it failed."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.errors import RmsError
from rms_jupyter.handles.logs import Logs
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.magics.what import ident_of


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms logs")
    parser.add_argument("what", nargs="?", default="", metavar="WHAT")
    parser.add_argument("--failed", action="store_true")
    return parser


def line(magics: RMSMagics, rest: str) -> Logs:
    """Show the text of a task, or of all tasks of the latest run that failed."""
    options = parse(parser(), rest, magics.namespace)
    if options.failed and options.what:
        raise RmsError("--failed shows all failures of the latest run", hint=f"%rms logs {options.what}, or --failed")
    session = opening.current()
    if options.failed:
        return session.logs(failed=True)
    return session.logs(ident_of(session, options.what, magics.namespace))
