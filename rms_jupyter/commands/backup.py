"""How are store and files kept in another place?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.results import Report


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "backup", "Keep the store, and the files of its project, in another place.", example="/media/disk/flights"
    )
    parser.takes("dest", metavar="DEST", completes="path", help="a folder, ssh://host/folder or s3://bucket/folder")
    parser.takes(
        "--only",
        choices=["key", "record"],
        default="all",
        help="key: raw data and final results without what lies between; record: what was done, without any content",
    )
    parser.flag("--verify", help="read all that the backup holds again")
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Report:
    """Back up."""
    return session.backup(options.dest, options.only, verify=options.verify)
