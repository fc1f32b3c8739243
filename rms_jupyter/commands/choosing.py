"""Which of the tracked scripts does a verb mean?"""

from __future__ import annotations

from rms_jupyter.commands.parser import Parser


def add_choice(parser: Parser) -> None:
    """Take paths of tracked scripts and the name of a configuration."""
    parser.takes(
        "paths",
        nargs="*",
        metavar="PATH",
        completes="path",
        help="a tracked script, a pattern or a folder; all that is tracked if it is left out",
    )
    parser.takes("--config", default="", metavar="NAME", help="only with this run configuration")
