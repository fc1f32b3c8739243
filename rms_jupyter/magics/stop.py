"""``%rms stop [NAME]``: end what runs in the background."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms stop")
    parser.add_argument("name", nargs="?", default="", metavar="NAME")
    return parser


def line(magics: RMSMagics, rest: str) -> None:
    """Stop."""
    options = parse(parser(), rest, magics.namespace)
    print(f"stopping {', '.join(opening.current().stop(options.name))}; what has finished is kept")
