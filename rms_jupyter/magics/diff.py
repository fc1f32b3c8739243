"""``%rms diff A B``: what differs between two results."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.magics.what import ident_of
from rms_jupyter.views.why import Comparison


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms diff")
    parser.add_argument("a", metavar="A")
    parser.add_argument("b", metavar="B")
    return parser


def line(magics: RMSMagics, rest: str) -> Comparison:
    """Compare."""
    options = parse(parser(), rest, magics.namespace)
    session = opening.current()
    return session.diff(*(ident_of(session, what, magics.namespace) for what in (options.a, options.b)))
