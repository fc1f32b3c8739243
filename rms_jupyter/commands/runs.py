"""Which runs are on record?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.searching import add_limit, add_words, found_by

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.results import Results


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser("runs", "List the runs on record, the latest first.", example="qc.ipynb")
    add_words(parser)
    add_limit(parser)
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Results[dict[str, Any]]:
    """List them."""
    return found_by(session, session.runs(" ".join(options.words), limit=options.limit))
