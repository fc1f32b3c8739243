"""``%rms runs [WORDS...] [--limit N]``: the runs on record, the latest first."""

from __future__ import annotations

from typing import Any

from rms_jupyter import opening
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.views.results import Results


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms runs")
    parser.add_argument("words", nargs="*", metavar="WORDS")
    parser.add_argument("--limit", type=int, default=1000, metavar="N")
    return parser


def line(magics: RMSMagics, rest: str) -> Results[dict[str, Any]]:
    """List them."""
    options = parse(parser(), rest, magics.namespace)
    return opening.current().runs(" ".join(options.words), limit=options.limit)
