"""``%rms export WHAT|--all [--format F] [DEST] [--overwrite] [--no-files]``: what made it, for elsewhere."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.errors import RmsError
from rms_jupyter.exports.export import FORMATS
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.magics.what import ident_of


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms export")
    parser.add_argument("what", nargs="?", default="", metavar="WHAT")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--format", choices=FORMATS)
    parser.add_argument("dest", nargs="?", metavar="DEST")
    parser.add_argument("--overwrite", action="store_true")
    parser.add_argument("--no-files", action="store_true")
    return parser


def line(magics: RMSMagics, rest: str) -> None:
    """Export; without DEST, print the text."""
    options = parse(parser(), rest, magics.namespace)
    session, what, dest = opening.current(), options.what, options.dest
    if options.all:
        if dest is not None:
            raise RmsError(f"--all is everything: {what} is too much", hint="%rms export --all --format F DEST")
        meant, dest = None, what or None
    else:
        ident = ident_of(session, what, magics.namespace)
        meant = magics.namespace[what] if what in magics.namespace and not what.isdigit() else ident
    written = session.export(meant, options.format, dest, overwrite=options.overwrite, files=not options.no_files)
    print(written if dest is None else f"written to {written}")
