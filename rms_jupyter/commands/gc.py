"""How is the store made smaller?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.results import Report


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "gc",
        "Make the store smaller. Results go first that save the fewest seconds a byte; they can be computed again.",
        example="--budget 20GB -n",
    )
    parser.takes("--budget", metavar="SIZE", help="bytes that the store may take: 20GB")
    parser.takes("--older", metavar="TIME", help="all results that were computed longer ago than that: 30d")
    parser.takes("--pipe", default="", metavar="PIPE", completes="pipe", help="only results of this pipe")
    parser.flag("--compact", help="make the database again, even if little of it is unused")
    parser.flag("-n", "--dry-run", help="only say what would go, and what it takes to get it back")
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Report:
    """Clear out, or only say what would go."""
    return session.gc(
        options.budget, older=options.older, pipe=options.pipe, compact=options.compact, dry_run=options.dry_run
    )
