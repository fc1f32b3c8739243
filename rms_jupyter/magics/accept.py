"""``%rms accept [PIPE] [--undo]``: the last change of its code does not matter; without PIPE, what was accepted."""

from __future__ import annotations

from typing import Any

from rms_jupyter import opening
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.views.results import Results


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms accept")
    parser.add_argument("pipe", nargs="?", default="", metavar="PIPE")
    parser.add_argument("--undo", action="store_true")
    return parser


def line(magics: RMSMagics, rest: str) -> Results[dict[str, Any]] | None:
    """Accept, take back, or list."""
    options = parse(parser(), rest, magics.namespace)
    session = opening.current()
    if not options.pipe:
        return session.accepted()
    print(session.accept(options.pipe, undo=options.undo))
    return None
