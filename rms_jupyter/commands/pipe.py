"""How do some functions of a cell become pipes?"""

from __future__ import annotations

from rms_jupyter.commands.parser import Parser


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "pipe",
        "Run the cell as usual; only these functions in it are pipes.",
        example="align sort --outputs bam",
        signs=("%%rms",),
    )
    parser.takes("names", nargs="*", metavar="NAME", completes="pipe", help="functions that the cell defines")
    add_options(parser)
    return parser


def add_options(parser: Parser) -> None:
    """Take the options of a pipe; those of a decorator win over these."""
    parser.takes("--outputs", nargs="+", metavar="ARGUMENT", help="arguments that name files which the function writes")
    add_options_of_tasks(parser)


def add_options_of_tasks(parser: Parser) -> None:
    """Take the options of whatever can be a pipe."""
    parser.takes("--ignore", nargs="+", metavar="ARGUMENT", help="arguments that do not count")
    parser.takes("--secret", nargs="+", metavar="ARGUMENT", help="arguments that count, and are shown and kept as ***")
    parser.takes("--returns", choices=("resource", "value"), help="what calls return: a handle, or the value itself")
    parser.takes("--version", help="a word that counts with the code")
    parser.takes("--cores", type=int, metavar="N", help="cores that a call uses")
    parser.takes("--memory", metavar="SIZE", help="memory that a call needs: 4GB")
    parser.takes("--timeout", type=float, metavar="SECONDS", help="how long a call may take")
    parser.takes("--retries", type=int, metavar="N", help="how often a call that failed is tried again")
    parser.takes("--expires-after", metavar="TIME", help="how long results count: 1d")
    parser.flag("--isolate", help="run each call in a process of its own")
    parser.flag("--temporary", help="results are deleted when what was made from them is there")
    parser.flag("--volatile", help="results are not kept")
    parser.flag("--allow-empty", help="an empty output is no failure")
    parser.flag("--overwrite", help="an output may be a file that another call has written")
