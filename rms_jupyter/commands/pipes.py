"""Which pipes are on record?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.searching import add_words, found_by

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.results import Results


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser("pipes", "List the pipes on record, each version of their code in a row.", example="align")
    add_words(parser)
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Results[dict[str, Any]]:
    """List them."""
    from rms_jupyter.views.results import Results

    return found_by(session, Results(session.pipe_versions(" ".join(options.words)), dict))
