"""What was something made from, and what was made from it; and what went on in the whole notebook?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.what import WHAT, ident_of

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.lineage import Lineage
    from rms_jupyter.views.notebook import NotebookView
    from rms_jupyter.views.results import Results


class _Parser(Parser):
    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """Read the words; WHAT or the notebook."""
        options = super().read(words)
        if not options.what and not options.notebook:
            self.error("WHAT is missing")
        if options.what and options.notebook:
            self.error(f"--notebook is all of it: {options.what} is too much")
        return options


def parser() -> Parser:
    """Return how it is typed."""
    parser = _Parser(
        "lineage",
        "Show what something was made from, and what was made from it; both ways unless one is asked for.",
        example="figure.png --up",
    )
    parser.takes("what", nargs="?", default="", metavar="WHAT", completes="what", help=WHAT)
    parser.flag("--up", help="what it was made from")
    parser.flag("--down", help="what was made from it")
    parser.flag("--params", help="instead, a table of the parameters it was made with")
    parser.flag("--data", help="instead, the frame that it was drawn from")
    parser.flag("--notebook", help="instead of WHAT: the pipes and cells of this notebook, those marked that are stale")
    parser.takes("--depth", type=int, metavar="N", help="at most so many calls away")
    return parser


def command(
    session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]
) -> Lineage | NotebookView | Results[dict[str, Any]] | Any:
    """Show the lineage, the parameters, or the notebook; or give the frame, or several by their names."""
    if options.notebook:
        return session.notebook_graph()
    ident = ident_of(session, options.what, namespace)
    if options.data:
        frames = session.frames_behind(ident)
        return frames if len(frames) > 1 else next(iter(frames.values()))
    if options.params:
        return session.params(ident, down=options.down, depth=options.depth)
    both = options.up == options.down
    return session.lineage(ident, up=both or options.up, down=both or options.down, depth=options.depth)
