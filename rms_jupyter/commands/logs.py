"""What did a task print, and where did it fail?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.what import WHAT, ident_of, named_in
from rms_jupyter.errors import UsageError

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.logs import Logs


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "logs",
        "Show what a task printed, and where it failed; of one that runs, what it has printed so far.",
        example="align",
    )
    parser.takes("what", nargs="*", metavar="WHAT", completes="what", help=WHAT)
    parser.flag("--failed", help="all tasks of the latest run that failed")
    parser.flag("--running", help="all tasks that run")
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Logs:
    """Show them."""
    what = " ".join(options.what)
    if options.failed + options.running + bool(what) > 1:
        raise UsageError(
            "--failed shows all failures of the latest run, --running all tasks that run",
            hint=f"%rms logs {what or 'WHAT'}, or one of these alone",
        )
    if options.failed or options.running:
        logs = session.logs(failed=options.failed, running=options.running)
        if options.failed and not logs and session.tasks(status="failing", limit=1):
            session.note("those that failed in earlier runs: %rms tasks --failed")
        return logs
    named = named_in(namespace, what)
    found = session.logs_of_running(what if named is None else named) if what else None
    return found or session.logs(ident_of(session, what, namespace))
