"""How is a store made from a backup?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser

if TYPE_CHECKING:
    from rms_jupyter.views.results import Report


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "restore",
        "Make a store, and the files of its project, from a backup; nothing is written over.",
        example="/media/disk/flights flights/.rms",
        needs_session=False,
    )
    parser.takes(
        "source", metavar="SRC", completes="path", help="the folder or address of a backup, or a tar archive of one"
    )
    parser.takes(
        "dest", nargs="?", metavar="STORE", completes="path", help="where the store will be; .rms if it is left out"
    )
    return parser


def command(session: None, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Report:
    """Restore."""
    from rms_jupyter.session.copying import restore

    return restore(options.source, options.dest)
