"""How does what is here come to others?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser

ADDRESS = "a folder, ssh://host/folder or s3://bucket/folder; without it, the one used last"

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.results import Report


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "push",
        "Bring a copy up to date with what is here, for others: the record, the results, and files that calls made.",
        example="ssh://cluster/shared/flights",
    )
    parser.takes("address", nargs="?", default="", metavar="ADDRESS", completes="path", help=ADDRESS)
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Report:
    """Push."""
    return session.push(options.address)
