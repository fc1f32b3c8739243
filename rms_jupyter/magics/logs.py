"""``%rms logs WHAT | --failed | --running``: what a task printed, and where it failed; or what it prints just now."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.errors import RmsError
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.magics.what import ident_of, named_in
from rms_jupyter.views.logs import Logs


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms logs")
    parser.add_argument("what", nargs="*", metavar="WHAT")
    parser.add_argument("--failed", action="store_true")
    parser.add_argument("--running", action="store_true")
    return parser


def line(magics: RMSMagics, rest: str) -> Logs:
    """Show the text of a task, of all tasks of the latest run that failed, or of all that run."""
    options = parse(parser(), rest, magics.namespace)
    what = " ".join(options.what)
    if options.failed + options.running + bool(what) > 1:
        raise RmsError(
            "--failed shows all failures of the latest run, --running all tasks that run",
            hint=f"%rms logs {what or 'WHAT'}, or one of these alone",
        )
    session = opening.current()
    if options.failed or options.running:
        return session.logs(failed=options.failed, running=options.running)
    named = named_in(magics.namespace, what)
    found = session.logs_of_running(what if named is None else named) if what else None
    return found or session.logs(ident_of(session, what, magics.namespace))
