"""``%rms export WHAT [--format script|notebook|dot] [DEST] [--overwrite]``: what made it, to be run elsewhere."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.exports.export import FORMATS
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.magics.what import ident_of


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms export")
    parser.add_argument("what", nargs="?", default="", metavar="WHAT")
    parser.add_argument("--format", choices=FORMATS)
    parser.add_argument("dest", nargs="?", metavar="DEST")
    parser.add_argument("--overwrite", action="store_true")
    return parser


def line(magics: RMSMagics, rest: str) -> None:
    """Export; without DEST, print the text."""
    options = parse(parser(), rest, magics.namespace)
    session, what = opening.current(), options.what
    ident = ident_of(session, what, magics.namespace)
    meant = magics.namespace[what] if what in magics.namespace and not what.isdigit() else ident
    written = session.export(meant, options.format, options.dest, overwrite=options.overwrite)
    print(written if options.dest is None else f"written to {written}")
