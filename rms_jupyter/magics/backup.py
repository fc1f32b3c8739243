"""``%rms backup DEST [--only key|record] [--verify]``: keep store and files in another place."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.views.results import Report


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms backup")
    parser.add_argument("dest", metavar="DEST")
    parser.add_argument("--only", choices=["key", "record"], default="all")
    parser.add_argument("--verify", action="store_true")
    return parser


def line(magics: RMSMagics, rest: str) -> Report:
    """Back up."""
    options = parse(parser(), rest, magics.namespace)
    return opening.current().backup(options.dest, options.only, verify=options.verify)
