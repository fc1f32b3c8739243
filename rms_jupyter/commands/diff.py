"""What differs between two results?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.what import WHAT, ident_of

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.why import Comparison


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "diff",
        "Show what differs between two results: code, arguments, inputs, packages.",
        example="before.bam after.bam",
    )
    parser.takes("a", metavar="A", completes="what", help=WHAT)
    parser.takes("b", metavar="B", completes="what", help="what it is compared with")
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Comparison:
    """Compare."""
    return session.diff(*(ident_of(session, what, namespace) for what in (options.a, options.b)))
