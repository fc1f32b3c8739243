"""``%rms show WHAT``: all that is known of something."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.magics.what import ident_of
from rms_jupyter.views.show import Shown


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms show")
    parser.add_argument("what", metavar="WHAT")
    return parser


def line(magics: RMSMagics, rest: str) -> Shown:
    """Show."""
    options = parse(parser(), rest, magics.namespace)
    session = opening.current()
    return session.show(ident_of(session, options.what, magics.namespace))
