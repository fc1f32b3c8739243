"""Which figures did calls make?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.searching import add_limit, add_words

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.gallery import Figures


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser("figures", "List figures that calls returned or wrote, the latest first.", example="heatmap")
    add_words(parser)
    add_limit(parser)
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Figures:
    """List them."""
    return session.figures(" ".join(options.words), limit=options.limit)
