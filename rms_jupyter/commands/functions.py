"""How does each function of a cell become a pipe?"""

from __future__ import annotations

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.pipe import add_options


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "",
        "Run the cell as usual; each top-level function in it is a pipe from its def on.",
        example="--cores 2 --timeout 600",
        signs=("%%rms",),
    )
    add_options(parser)
    return parser
