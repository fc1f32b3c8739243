"""``%rms mark WHAT [--deprecated | --current] [--tag T] [--note ...]``: say what one thinks of something."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.errors import RmsError
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.magics.what import ident_of


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms mark")
    parser.add_argument("what", nargs="+", metavar="WHAT")
    parser.add_argument("--deprecated", action="store_true")
    parser.add_argument("--current", action="store_true")
    parser.add_argument("--tag", default="", metavar="T")
    parser.add_argument("--note", default="", metavar="TEXT")
    return parser


def line(magics: RMSMagics, rest: str) -> None:
    """Mark."""
    options = parse(parser(), rest, magics.namespace)
    if not (options.deprecated or options.current or options.tag or options.note):
        raise RmsError("%rms mark: say what to mark it with", hint="--deprecated, --current, --tag T, or --note TEXT")
    session = opening.current()
    idents = [ident_of(session, what, magics.namespace) for what in options.what]
    deprecated = True if options.deprecated else False if options.current else None
    print(session.mark(idents, deprecated=deprecated, tag=options.tag, note=options.note))
