"""What is known of something?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.what import WHAT, ident_of

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.show import Shown


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser("show", "Show all that is known of something.", example="figure.png")
    parser.takes("what", metavar="WHAT", completes="what", help=WHAT)
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Shown:
    """Show it."""
    return session.show(ident_of(session, options.what, namespace))
