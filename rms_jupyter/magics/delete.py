"""``%rms delete WHAT [--with-dependants] [-n]``: delete a task or resource, or all tasks of a pipe."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.magics.what import ident_of
from rms_jupyter.views.results import Report


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms delete")
    parser.add_argument("what", nargs="?", default="", metavar="WHAT")
    parser.add_argument("--with-dependants", action="store_true")
    parser.add_argument("-n", action="store_true")
    return parser


def line(magics: RMSMagics, rest: str) -> Report:
    """Delete, or only say what would be deleted."""
    options = parse(parser(), rest, magics.namespace)
    session = opening.current()
    named = magics.namespace.get(options.what, options.what)
    if not isinstance(named, Pipe) and not session.is_pipe(named):
        named = ident_of(session, options.what, magics.namespace)
    return session.delete(named, dependants=options.with_dependants, dry_run=options.n)
