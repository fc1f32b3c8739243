"""``%rms pipes [WORDS...]``: the pipes on record, each code version a row."""

from __future__ import annotations

from typing import Any

from rms_jupyter import opening
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.views.results import Results


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms pipes")
    parser.add_argument("words", nargs="*", metavar="WORDS")
    return parser


def line(magics: RMSMagics, rest: str) -> Results[dict[str, Any]]:
    """List them."""
    options = parse(parser(), rest, magics.namespace)
    rows = opening.current().pipe_versions(" ".join(options.words))
    return Results(rows, lambda row: row)
