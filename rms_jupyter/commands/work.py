"""How is what waits in the queue run?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser

if TYPE_CHECKING:
    from rms_jupyter.session import Session


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "work",
        "Run what is in the queue, each entry once, beside as many others as there are that do so.",
        example="-j 4 --until-empty",
    )
    parser.takes("-j", "--jobs", type=int, metavar="N", help="how many run at once; one a core if it is left out")
    parser.flag("--until-empty", help="end when nothing waits or runs any more; else, Ctrl-C (or Stop) ends it")
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> str:
    """Run it."""
    count = session.work(options.jobs, not options.until_empty, session.say_ended)
    return f"{count:,} ended here"
