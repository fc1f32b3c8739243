"""``%rms trust``: let everything in a store that was made elsewhere be read; to read a pickle can run anything."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics


def parser() -> Parser:
    """Options of this sub-command: none."""
    return Parser("%rms trust")


def line(magics: RMSMagics, rest: str) -> None:
    """Trust the store."""
    parse(parser(), rest, magics.namespace)
    print(opening.current().trust())
