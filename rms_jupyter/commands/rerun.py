"""How is something run again, from other inputs, or for the debugger?"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.what import WHAT, ident_of
from rms_jupyter.errors import RmsError, UsageError

if TYPE_CHECKING:
    from rms_jupyter.session import Session


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "rerun",
        "Run something again; or the whole chain from another input.",
        example="figure.png --replace reads_1.fq=reads_2.fq",
        signs=("%rms",),
    )
    parser.takes("what", metavar="WHAT", completes="what", help=WHAT)
    parser.takes(
        "--replace",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="another file or result in place of an input; can be given several times",
    )
    parser.flag("--debug", help="run it here, without a record, so that %%debug lands in it")
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Any:
    """Run it again; return the new result."""
    __tracebackhide__ = True
    ident = ident_of(session, options.what, namespace)
    replace = dict(_pair(session, text, namespace) for text in options.replace)
    return session.rerun(ident, replace=replace, debug=options.debug)


def _pair(session: Session, text: str, namespace: Mapping[str, Any]) -> tuple[int, int]:
    old, sign, new = text.partition("=")
    if not sign:
        raise UsageError(f"%rms rerun: --replace {text} names no replacement", hint="--replace OLD=NEW")
    before = _input(session, old, namespace)
    if new not in namespace and session.find_file(new) is None and os.path.isfile(new):
        return before, session.ident(session.register_file(new))
    return before, ident_of(session, new, namespace)


def _input(session: Session, what: str, namespace: Mapping[str, Any]) -> int:
    try:
        return ident_of(session, what, namespace)
    except RmsError as error:
        if what not in session.names_on_record()["params"]:
            raise
        hint = "files and results are replaced; for another parameter, make the call with it"
        raise RmsError(f"{what} is a parameter", hint=hint) from error
