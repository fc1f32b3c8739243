"""What does the user think of a result?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.what import WHAT, ident_of
from rms_jupyter.errors import RmsError

if TYPE_CHECKING:
    from rms_jupyter.session import Session


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "mark",
        "Say what you think of something: what is deprecated is no hit any more, nor is what was made from it.",
        example="spoiled.bam --deprecated --note 'wrong sample'",
    )
    parser.takes("what", nargs="+", metavar="WHAT", completes="what", help=WHAT)
    parser.flag("--deprecated", help="it is wrong, and so is all that was made from it")
    parser.flag("--current", help="it is right again")
    parser.flag("--pin", help="keep it from being evicted")
    parser.flag("--unpin", help="it may be evicted again")
    parser.takes("--tag", default="", metavar="T", help="a word by which searches find it")
    parser.takes("--note", default="", metavar="TEXT", help="a sentence")
    parser.requires("--deprecated", "--current", "--pin", "--unpin", "--tag", "--note")
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> str:
    """Mark."""
    try:
        idents = [ident_of(session, what, namespace) for what in options.what]
    except RmsError as error:
        if options.note and len(options.what) > 1:  # Its other words are taken for more to be marked.
            raise RmsError(
                error.message, hint="write a note of several words in quotes: --note 'wrong sample'"
            ) from None
        raise
    deprecated = True if options.deprecated else False if options.current else None
    pinned = True if options.pin else False if options.unpin else None
    return session.mark(idents, deprecated=deprecated, tag=options.tag, note=options.note, pinned=pinned)
