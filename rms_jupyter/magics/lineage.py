"""``%rms lineage WHAT [--up] [--down] [--depth N] [--params]``: what it was made from, and what was made from it."""

from __future__ import annotations

from typing import Any

from rms_jupyter import opening
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.magics.what import ident_of
from rms_jupyter.views.lineage import Lineage
from rms_jupyter.views.results import Results


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms lineage")
    parser.add_argument("what", nargs="?", default="", metavar="WHAT")
    parser.add_argument("--up", action="store_true")
    parser.add_argument("--down", action="store_true")
    parser.add_argument("--params", action="store_true")
    parser.add_argument("--depth", type=int, metavar="N")
    return parser


def line(magics: RMSMagics, rest: str) -> Lineage | Results[dict[str, Any]]:
    """Show the lineage, both ways unless one is asked for; or a table of the parameters it was made with."""
    options = parse(parser(), rest, magics.namespace)
    session = opening.current()
    ident = ident_of(session, options.what, magics.namespace)
    if options.params:
        return Results(session.lineage(ident, down=options.down, depth=options.depth).params(), dict)
    both = options.up == options.down
    return session.lineage(ident, up=both or options.up, down=both or options.down, depth=options.depth)
