"""What on record has these words?"""

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
    parser = Parser("find", "Search tasks, files and values by words, the latest first.", example="chr1 k=15")
    add_words(parser)
    parser.flag("--overwritten", help="what was overwritten, too")
    add_limit(parser)
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Results[Any]:
    """Search."""
    return found_by(session, session.find(" ".join(options.words), options.overwritten, options.limit))
