"""``%rms push [ADDRESS]``: bring a copy up to date with what is here, for others."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.views.results import Report


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms push")
    parser.add_argument("address", nargs="?", default="", metavar="ADDRESS")
    return parser


def line(magics: RMSMagics, rest: str) -> Report:
    """Push."""
    options = parse(parser(), rest, magics.namespace)
    return opening.current().push(options.address)
