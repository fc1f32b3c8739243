"""How is a task or resource deleted, or everything of a pipe, and brought back?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.what import WHAT, pipe_or_ident
from rms_jupyter.errors import UsageError

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.results import Report


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "delete",
        "Delete a task or resource, or all tasks of a pipe. What goes is in the trash until the next gc; files stay.",
        example="spoiled.bam -n",
    )
    parser.takes("what", metavar="WHAT", nargs="?", default="", completes="what", help=WHAT)
    parser.flag("--with-dependants", help="delete what was made from it, too")
    parser.flag("--files", help="move the files that calls have made to the trash, too")
    parser.flag("--undo", help="bring back what was deleted last")
    parser.flag("-n", "--dry-run", help="only say what would be deleted")
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Report:
    """Delete, or only say what would be deleted."""
    if options.undo:
        return session.undo_delete()
    if not options.what:
        raise UsageError("WHAT is missing", hint="%rms delete WHAT, or --undo for what was deleted last")
    what = pipe_or_ident(session, options.what, namespace)
    return session.delete(what, dependants=options.with_dependants, dry_run=options.dry_run, files=options.files)
