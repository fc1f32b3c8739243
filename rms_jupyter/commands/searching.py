"""Which arguments do all searches have?"""

from __future__ import annotations

from rms_jupyter.commands.parser import Parser


def add_words(parser: Parser) -> None:
    """Take words that must all occur."""
    parser.takes("words", nargs="*", metavar="WORDS", help="each must occur in a name, path, id or text of it")


def add_limit(parser: Parser) -> None:
    """Take the number of rows."""
    parser.takes("--limit", type=int, default=1000, metavar="N", help="at most so many; 1000 if it is left out")
