"""Which tasks are on record?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.searching import add_limit, add_words, found_by

if TYPE_CHECKING:
    from rms_jupyter.handles.task import Task
    from rms_jupyter.session import Session
    from rms_jupyter.views.results import Results


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser("tasks", "Search tasks by words, the latest first.", example="--failed --pipe align")
    add_words(parser)
    parser.flag("--failed", help="those that failed and were not tried again since")
    parser.takes("--pipe", default="", metavar="PIPE", completes="pipe", help="only tasks of this pipe")
    add_limit(parser)
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Results[Task]:
    """Search."""
    status = "failing" if options.failed else ""
    found = session.tasks(" ".join(options.words), pipe=options.pipe, status=status, limit=options.limit)
    return found_by(session, found, options.pipe)
