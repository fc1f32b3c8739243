"""The last change of a pipe's code does not matter: old results count."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.results import Results


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "accept",
        "Say that a pipe's last change of code does not matter: old results count. Without PIPE, list such changes.",
        example="align",
        signs=("%rms",),
    )
    parser.takes("pipe", nargs="?", default="", metavar="PIPE", completes="pipe", help="a pipe that is defined here")
    parser.flag("--undo", help="take it back")
    return parser


def command(
    session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]
) -> Results[dict[str, Any]] | str:
    """Accept, take back, or list."""
    return session.accept(options.pipe, undo=options.undo) if options.pipe else session.accepted()
