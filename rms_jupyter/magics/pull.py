"""``%rms pull [ADDRESS] [--content]``: take in what others have pushed; their results are hits then."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.views.results import Report


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms pull")
    parser.add_argument("address", nargs="?", default="", metavar="ADDRESS")
    parser.add_argument("--content", action="store_true")
    return parser


def line(magics: RMSMagics, rest: str) -> Report:
    """Pull."""
    options = parse(parser(), rest, magics.namespace)
    return opening.current().pull(options.address, content=options.content)
