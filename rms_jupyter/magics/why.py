"""``%rms why WHAT``: why something ran."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.handles.resource import Resource
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.magics.what import ident_of, named_in
from rms_jupyter.views.why import Why


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms why")
    parser.add_argument("what", nargs="?", default="", metavar="WHAT")
    return parser


def line(magics: RMSMagics, rest: str) -> Why:
    """Say why it ran, and whether it would run again."""
    options = parse(parser(), rest, magics.namespace)
    session = opening.current()
    value = named_in(magics.namespace, options.what)
    is_result = isinstance(value, Resource) or session.home.tracker.lookup(value) is not None
    return session.why(value if is_result else ident_of(session, options.what, magics.namespace))
