"""``%rms on``: pipes are answered from the store and recorded again."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics


def parser() -> Parser:
    """Options of this sub-command: none."""
    return Parser("%rms on")


def line(magics: RMSMagics, rest: str) -> None:
    """Switch on."""
    parse(parser(), rest, magics.namespace)
    opening.current().paused = False
