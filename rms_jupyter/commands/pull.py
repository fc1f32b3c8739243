"""How does what others have done come here?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.push import ADDRESS

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.results import Report


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "pull",
        "Take in what others have pushed; their results are hits then. Content is fetched when it is used.",
        example="ssh://cluster/shared/flights",
    )
    parser.takes("address", nargs="?", default="", metavar="ADDRESS", completes="path", help=ADDRESS)
    parser.flag("--content", help="fetch all content at once")
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Report:
    """Pull."""
    return session.pull(options.address, content=options.content)
