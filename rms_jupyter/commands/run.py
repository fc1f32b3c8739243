"""How are the calls of a cell run together?"""

from __future__ import annotations

from rms_jupyter.commands.parser import Parser


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "run",
        "Run the cell's calls together, on all cores or a cluster, watched live.",
        example="-j 8 --background",
        signs=("%%rms",),
    )
    parser.takes("-j", "--jobs", type=int, metavar="N", help="how many calls run at once; one a core if it is left out")
    parser.takes(
        "--on",
        metavar="EXECUTOR",
        help="loky, threads, serial, dask://HOST:PORT, or a variable that holds an executor or a Dask client",
    )
    parser.takes(
        "--on-error",
        choices=("continue", "stop"),
        default="continue",
        help="after a failure, continue with what does not depend on it (as it does by itself), or stop",
    )
    parser.flag("--background", help="let it go on while other cells are worked in")
    parser.takes("--name", default="", metavar="NAME", help="what the run in the background is called")
    parser.takes(
        "--accept",
        action="append",
        default=[],
        metavar="PIPE",
        completes="pipe",
        help="the last change of this pipe's code does not matter",
    )
    parser.flag("-n", "--dry-run", help="only show what would run, and why")
    return parser
