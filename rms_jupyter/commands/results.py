"""What came of calls, with which parameters?"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.searching import add_words, found_by
from rms_jupyter.commands.what import WHAT, ident_of, named_in

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.results import Table


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "results",
        "Show results as a table, with parameters and values as columns, the latest first.",
        example="--from raw/07.csv --sort value",
    )
    add_words(parser)
    parser.takes("--from", dest="source", metavar="WHAT", completes="what", help=f"only what was made from it: {WHAT}")
    parser.takes("--pipe", default="", metavar="PIPE", completes="pipe", help="only results of this pipe")
    parser.takes("--status", default="", choices=("current", "outdated"), help="only those that stand so")
    parser.takes("--sort", default="", metavar="COLUMN", help="by the values of a column")
    parser.flag("--descending", help="the largest first")
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Table:
    """Search."""
    found = session.results(
        " ".join(options.words),
        pipe=options.pipe,
        made_from=None if options.source is None else _source(session, options.source, namespace),
        status=options.status,
        sort=options.sort,
        descending=options.descending,
    )
    return found_by(session, found, options.pipe)


def _source(session: Session, what: str, namespace: Mapping[str, Any]) -> Any:
    """Return what is meant: of a file all its contents that are on record, not only the latest."""
    if named_in(namespace, what) is None and (session.is_pipe(what) or os.sep in what or "." in what or "*" in what):
        return what
    return ident_of(session, what, namespace)
