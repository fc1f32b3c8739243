"""``%rms lineage WHAT [--up] [--down] [--depth N]``: what something was made from, and what was made from it."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.handles.lineage import Lineage
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.magics.what import ident_of


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms lineage")
    parser.add_argument("what", nargs="?", default="", metavar="WHAT")
    parser.add_argument("--up", action="store_true")
    parser.add_argument("--down", action="store_true")
    parser.add_argument("--depth", type=int, metavar="N")
    return parser


def line(magics: RMSMagics, rest: str) -> Lineage:
    """Show the lineage; both ways unless one is asked for."""
    options = parse(parser(), rest, magics.namespace)
    session = opening.current()
    both = options.up == options.down
    ident = ident_of(session, options.what, magics.namespace)
    return session.lineage(ident, up=both or options.up, down=both or options.down, depth=options.depth)
