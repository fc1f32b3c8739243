"""``%rms off``: pipes run as plain functions, nothing is looked up or recorded."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics


def parser() -> Parser:
    """Options of this sub-command: none."""
    return Parser("%rms off")


def line(magics: RMSMagics, rest: str) -> None:
    """Switch off."""
    parse(parser(), rest, magics.namespace)
    opening.current().paused = True
