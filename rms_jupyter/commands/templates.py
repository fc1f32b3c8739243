"""Which templates are kept here?"""

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
    parser = Parser("templates", "List the templates of the store.", example="align")
    add_words(parser)
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Results[dict[str, str]]:
    """List them."""
    return session.templates(" ".join(options.words))
