"""Are pipes run as plain functions?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser

if TYPE_CHECKING:
    from rms_jupyter.session import Session


def parser() -> Parser:
    """Return how it is typed."""
    return Parser(
        "off",
        "Let pipes run as plain functions; nothing is looked up or recorded until %rms on.",
        signs=("%rms",),
    )


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> None:
    """Switch off."""
    session.paused = True
