"""``%rms tasks [WORDS...] [--failed] [--pipe NAME] [--limit N]``: search tasks; or those that fail."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.handles.task import Task
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.views.results import Results


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms tasks")
    parser.add_argument("words", nargs="*", metavar="WORDS")
    parser.add_argument("--failed", action="store_true")
    parser.add_argument("--pipe", default="", metavar="NAME")
    parser.add_argument("--limit", type=int, default=1000, metavar="N")
    return parser


def line(magics: RMSMagics, rest: str) -> Results[Task]:
    """Search."""
    options = parse(parser(), rest, magics.namespace)
    status = "failing" if options.failed else ""
    return opening.current().tasks(" ".join(options.words), pipe=options.pipe, status=status, limit=options.limit)
