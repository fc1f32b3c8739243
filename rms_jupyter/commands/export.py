"""How is what made something written down, to be run or read elsewhere?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.what import WHAT, value_or_ident
from rms_jupyter.errors import UsageError

if TYPE_CHECKING:
    from rms_jupyter.session import Session

FORMATS = ("script", "notebook", "dot", "html", "prov", "provn", "rocrate", "parquet")


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "export",
        "Write down what made something, to be run or read elsewhere; without DEST, show it.",
        example="figure.png figure.py",
    )
    parser.takes("what", nargs="?", default="", metavar="WHAT", completes="what", help=WHAT)
    parser.flag("--all", help="everything on record")
    parser.takes(
        "--format",
        choices=FORMATS,
        metavar="FORMAT",
        help="script and notebook make the result again; html is a page for a browser; dot, prov and provn are graphs; "
        "rocrate and parquet are folders; without it, what the suffix of DEST says",
    )
    parser.takes("dest", nargs="?", metavar="DEST", completes="path", help="where to write it")
    parser.flag("--overwrite", help="replace a file that is there, even if it is no export or was edited since")
    parser.flag("--no-files", help="an RO-Crate without the files themselves")
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> str:
    """Export; without DEST, return the text."""
    what, dest = options.what, options.dest
    if options.all:
        if dest is not None:
            raise UsageError(f"--all is everything: {what} is too much", hint="%rms export --all --format F DEST")
        meant, dest = None, what or None
    else:
        meant = value_or_ident(session, what, namespace)
    written = session.export(meant, options.format, dest, overwrite=options.overwrite, files=not options.no_files)
    return written if dest is None else f"written to {written}"
