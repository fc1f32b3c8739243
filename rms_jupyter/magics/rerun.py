"""``%rms rerun WHAT [--replace OLD=NEW] [--debug]``: run it again, from other inputs, or for the debugger."""

from __future__ import annotations

import os
from typing import Any

from rms_jupyter import opening
from rms_jupyter.errors import RmsError
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.magics.what import ident_of
from rms_jupyter.session import Session


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms rerun")
    parser.add_argument("what", metavar="WHAT")
    parser.add_argument("--replace", action="append", default=[], metavar="OLD=NEW")
    parser.add_argument("--debug", action="store_true")
    return parser


def line(magics: RMSMagics, rest: str) -> Any:
    """Run again; gives the new result."""
    __tracebackhide__ = True
    options = parse(parser(), rest, magics.namespace)
    session = opening.current()
    ident = ident_of(session, options.what, magics.namespace)
    replace = dict(_pair(session, text, magics.namespace) for text in options.replace)
    return session.rerun(ident, replace=replace, debug=options.debug)


def _pair(session: Session, text: str, namespace: dict[str, Any]) -> tuple[int, int]:
    old, sign, new = text.partition("=")
    if not sign:
        raise RmsError(f"%rms rerun: --replace {text} names no replacement", hint="--replace OLD=NEW")
    if new not in namespace and session.find_file(new) is None and os.path.isfile(new):
        return ident_of(session, old, namespace), session.ident(session.register_file(new))
    return ident_of(session, old, namespace), ident_of(session, new, namespace)
