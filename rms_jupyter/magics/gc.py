"""``%rms gc [--budget 20GB] [--older 30d] [--pipe NAME] [--compact] [-n]``: make the store smaller."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.views.results import Report


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms gc")
    parser.add_argument("--budget", metavar="20GB")
    parser.add_argument("--older", metavar="30d")
    parser.add_argument("--pipe", default="", metavar="NAME")
    parser.add_argument("--compact", action="store_true")
    parser.add_argument("-n", action="store_true")
    return parser


def line(magics: RMSMagics, rest: str) -> Report:
    """Clear out, or only say what would go."""
    options = parse(parser(), rest, magics.namespace)
    return opening.current().gc(
        options.budget, older=options.older, pipe=options.pipe, compact=options.compact, dry_run=options.n
    )
