"""How is a store opened and made the current one?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from rms_jupyter import opening
from rms_jupyter.commands.parser import Parser


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser("open", "Open a store, made if it is missing.", example="analysis.rms", needs_session=False)
    parser.takes(
        "path",
        nargs="?",
        metavar="PATH",
        completes="path",
        help="its folder; if it is left out, the nearest .rms upward, else one that is made here",
    )
    parser.flag("--read-only", help="look only")
    parser.takes("--budget", metavar="SIZE", help="bytes that the store may take: 20GB")
    return parser


def command(session: None, options: argparse.Namespace, namespace: Mapping[str, Any]) -> None:
    """Open it."""
    opening.open(options.path, read_only=options.read_only, budget=options.budget)
