"""How do the tracked scripts and notebooks stand?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.searching import add_words

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.tracked import Overview


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser("tracked", "List tracked scripts and notebooks, and how they stand.", example="failed paper")
    add_words(parser)
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Overview:
    """List them."""
    return session.tracked(" ".join(options.words))
