"""``%rms figures [WORDS...] [--limit N]``: figures that calls gave or wrote, the latest first."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.views.gallery import Figures


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms figures")
    parser.add_argument("words", nargs="*", metavar="WORDS")
    parser.add_argument("--limit", type=int, default=1000, metavar="N")
    return parser


def line(magics: RMSMagics, rest: str) -> Figures:
    """List them."""
    options = parse(parser(), rest, magics.namespace)
    return opening.current().figures(" ".join(options.words), limit=options.limit)
