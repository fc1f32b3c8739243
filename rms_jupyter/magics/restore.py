"""``%rms restore SRC [STORE]``: make a store from a backup where nothing is; nothing is written over."""

from __future__ import annotations

from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.session.copying import restore
from rms_jupyter.views.results import Report


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms restore")
    parser.add_argument("source", metavar="SRC")
    parser.add_argument("dest", nargs="?", metavar="STORE")
    return parser


def line(magics: RMSMagics, rest: str) -> Report:
    """Restore."""
    options = parse(parser(), rest, magics.namespace)
    return restore(options.source, options.dest)
