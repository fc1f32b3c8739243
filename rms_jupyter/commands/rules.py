"""How do the rules stand?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.searching import add_words

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.results import Results


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser("rules", "List the rules: what has arrived, waits, is done, has failed, and how fast.")
    add_words(parser)
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Results[dict[str, Any]]:
    """List those of this kernel, then those that others have left on record."""
    return session.rules_table(" ".join(options.words))
