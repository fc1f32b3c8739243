"""Are pipes answered and recorded again?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser

if TYPE_CHECKING:
    from rms_jupyter.session import Session


def parser() -> Parser:
    """Return how it is typed."""
    return Parser("on", "Answer pipes from the store and record them again.", signs=("%rms",))


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> None:
    """Switch on."""
    session.paused = False
