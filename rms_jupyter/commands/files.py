"""Which files are on record?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.searching import add_limit, add_words

if TYPE_CHECKING:
    from rms_jupyter.handles.resource import FileResource
    from rms_jupyter.session import Session
    from rms_jupyter.views.results import Results


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser("files", "Search files by words, the latest first.", example="chr1 bam")
    add_words(parser)
    parser.flag("--overwritten", help="those that were overwritten, too")
    add_limit(parser)
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Results[FileResource]:
    """Search."""
    status = "any" if options.overwritten else ""
    return session.files(" ".join(options.words), status=status, limit=options.limit)
