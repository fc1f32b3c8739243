"""How are tracked scripts run that are not up to date?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.choosing import add_choice
from rms_jupyter.commands.parser import Parser

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.tracked import Overview


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "run",
        "Run the tracked scripts and notebooks that are not up to date. What another "
        "kernel or terminal runs just now is waited for, and not run twice.",
        example="scripts --config short -j 4",
        signs=("rms",),
    )
    add_choice(parser)
    parser.takes("-j", "--jobs", type=int, metavar="N", help="how many run at once; one a core if it is left out")
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Overview:
    """Run them."""
    return session.choose_tracked(options.paths, options.config).run(options.jobs)
