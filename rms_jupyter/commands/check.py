"""Is what is on record still there, as it was?"""

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
    parser = Parser("check", "Look whether what is on record is still there, as it was.", example="--full --verify 5%%")
    parser.flag("--full", help="read all content again, also where size and time are as before")
    parser.flag("--repair", help="make missing files and damaged results again")
    parser.takes(
        "--verify",
        type=_fraction,
        default=0.0,
        metavar="PERCENT",
        help="run this part of the stored results again: do they repeat?",
    )
    parser.takes("--seed", type=int, metavar="N", help="chooses the same part again")
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Report:
    """Check."""
    return session.check(options.full, options.repair, options.verify, options.seed)


def _fraction(text: str) -> float:
    """Read ``5%`` or ``0.05``."""
    try:
        fraction = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        fraction = 0.0
    if not 0 < fraction <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no part of the stored results; write 5%% or 0.05")
    return fraction
