"""How is a cell itself a pipe?"""

from __future__ import annotations

from rms_jupyter.commands.parser import Parser


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "cell",
        "Make the cell itself a pipe: it runs as any other, or is answered from the store.",
        example="prepare -i flights -o delays",
        signs=("%%rms",),
    )
    parser.takes("name", nargs="?", default="", metavar="NAME", help="what it is called; else it goes by its place")
    parser.takes("-i", "--inputs", metavar="A,B", help="the variables that it reads; else they are found out")
    parser.takes("-o", "--outputs", metavar="C,D", help="the variables that it leaves; else they are found out")
    return parser
