"""What waits to be run by ``rms work``?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.choosing import add_choice
from rms_jupyter.commands.parser import Parser

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.results import Report


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "queue",
        "List the queue of tracked scripts and notebooks; with a PATH or --all, put those that are not up to date into "
        "it. rms work runs them, in any number of terminals.",
        example="scripts --config short",
    )
    add_choice(parser)
    parser.flag("--all", help="put all in that is tracked and not up to date")
    parser.flag("--cancel", help="take out what waits instead; what has begun goes on")
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Report:
    """List it, after a change that was asked for."""
    from rms_jupyter.views.results import Report

    done = ""
    if options.cancel:
        done = f"{len(session.choose_tracked(options.paths, options.config).cancel()):,} cancelled; "
    elif options.paths or options.config or options.all:
        done = f"{len(session.choose_tracked(options.paths, options.config).queue()):,} added; "
    rows = session.queued_entries()
    running = sum(row["state"] == "running" for row in rows)
    return Report(f"{done}{len(rows) - running:,} waiting, {running:,} running", rows)
