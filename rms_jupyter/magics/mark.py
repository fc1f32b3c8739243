"""``%rms mark WHAT [--deprecated | --current] [--pin | --unpin] [--tag T] [--note ...]``: say what one thinks of it."""

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
    parser.add_argument("--pin", action="store_true")
    parser.add_argument("--unpin", action="store_true")
    parser.add_argument("--tag", default="", metavar="T")
    parser.add_argument("--note", default="", metavar="TEXT")
    return parser


def line(magics: RMSMagics, rest: str) -> None:
    """Mark."""
    options = parse(parser(), rest, magics.namespace)
    if not (options.deprecated or options.current or options.pin or options.unpin or options.tag or options.note):
        hint = "--deprecated, --current, --pin, --unpin, --tag T, or --note TEXT"
        raise RmsError("%rms mark: say what to mark it with", hint=hint)
    session = opening.current()
    idents = [ident_of(session, what, magics.namespace) for what in options.what]
    deprecated = True if options.deprecated else False if options.current else None
    pinned = True if options.pin else False if options.unpin else None
    print(session.mark(idents, deprecated=deprecated, tag=options.tag, note=options.note, pinned=pinned))
