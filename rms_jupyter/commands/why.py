"""Why did something run, and would it run again?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.what import WHAT, value_or_ident

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.why import Why


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "why",
        "Show why something ran, what it was compared with, and whether it would run again.",
        example="figure.png",
    )
    parser.takes("what", metavar="WHAT", completes="what", help=WHAT)
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Why:
    """Say why."""
    return session.why(value_or_ident(session, options.what, namespace))
