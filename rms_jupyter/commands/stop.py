"""How is what runs in the background ended?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser

if TYPE_CHECKING:
    from rms_jupyter.session import Session


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "stop", "End what runs in the background; what has finished is kept.", example="run 12", signs=("%rms",)
    )
    parser.takes("name", nargs="*", default=[], metavar="NAME", help="a run; all of them if it is left out")
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> str:
    """Stop."""
    stopped = session.stop(" ".join(options.name))
    return f"stopping {', '.join(stopped)}; what has finished is kept"
