"""``%rms open [PATH] [--read-only] [--budget 20GB]``: open a store and make it the current one."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms open")
    parser.add_argument("path", nargs="?", metavar="PATH")
    parser.add_argument("--read-only", action="store_true")
    parser.add_argument("--budget", metavar="20GB")
    return parser


def line(magics: RMSMagics, rest: str) -> None:
    """Open the store."""
    options = parse(parser(), rest, magics.namespace)
    opening.open(options.path, read_only=options.read_only, budget=options.budget)
