"""``%rms check [--full] [--repair] [--verify 5%] [--seed N]``: is what is on record still there, as it was?"""

from __future__ import annotations

import argparse

from rms_jupyter import opening
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.views.results import Report


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms check")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--repair", action="store_true")
    parser.add_argument("--verify", type=_fraction, default=0.0, metavar="PERCENT")
    parser.add_argument("--seed", type=int, metavar="N")
    return parser


def line(magics: RMSMagics, rest: str) -> Report:
    """Check."""
    options = parse(parser(), rest, magics.namespace)
    return opening.current().check(options.full, options.repair, options.verify, options.seed)


def _fraction(text: str) -> float:
    """Read ``5%`` or ``0.05``."""
    try:
        fraction = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        fraction = 0.0
    if not 0 < fraction <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no part of the stored results; write 5%% or 0.05")
    return fraction
