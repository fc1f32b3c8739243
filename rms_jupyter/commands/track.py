"""Which scripts and notebooks are tracked, and how do they stand?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.tracked import Overview


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "track",
        "Track scripts and notebooks: say which were never run, are up to date, changed since, or failed.",
        example="scripts --recursive --exclude '*_old.py'",
    )
    parser.takes(
        "paths",
        nargs="*",
        metavar="PATH",
        completes="path",
        help="a script, a notebook, a pattern or a folder; all that is tracked if it is left out",
    )
    parser.flag("-r", "--recursive", help="look into folders in folders, too")
    parser.takes(
        "--exclude", action="append", default=[], metavar="PATTERN", help="names (or paths, with a /) that are left out"
    )
    parser.takes(
        "--config",
        default="",
        metavar="NAME",
        help="how they are run: one of [tool.rms_jupyter.tracked.configs] in pyproject.toml; std if it is left out",
    )
    parser.flag("--remove", help="track them no more")
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Overview | str:
    """Track them, and say how they stand."""
    if options.remove:
        chosen = session.choose_tracked(options.paths, options.config)
        chosen.untrack()
        return f"{len(chosen):,} tracked no more; what they have made stays"
    return session.track(options.paths, options.config, options.recursive, options.exclude).states()
