"""``%rms files [WORDS...] [--overwritten] [--limit N]``: search files."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.handles.resource import FileResource
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.views.results import Results


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms files")
    parser.add_argument("words", nargs="*", metavar="WORDS")
    parser.add_argument("--overwritten", action="store_true")
    parser.add_argument("--limit", type=int, default=1000, metavar="N")
    return parser


def line(magics: RMSMagics, rest: str) -> Results[FileResource]:
    """Search; what was overwritten is left out unless asked for."""
    options = parse(parser(), rest, magics.namespace)
    status = "any" if options.overwritten else ""
    return opening.current().files(" ".join(options.words), status=status, limit=options.limit)
