"""Which arguments do all searches have, and what is said where they cannot find anything?"""

from __future__ import annotations

import difflib
from collections.abc import Sized
from typing import TYPE_CHECKING, TypeVar

from rms_jupyter.commands.parser import Parser
from rms_jupyter.errors import RmsError

if TYPE_CHECKING:
    from rms_jupyter.session import Session

Found = TypeVar("Found", bound=Sized)
BEGIN = "nothing has run yet: write %%rms above a cell that defines functions, and call one of them"


def add_words(parser: Parser) -> None:
    """Take words that must all occur."""
    parser.takes("words", nargs="*", metavar="WORDS", help="each must occur in a name, path, id or text of it")


def add_limit(parser: Parser) -> None:
    """Take the number of rows."""
    parser.takes("--limit", type=int, default=1000, metavar="N", help="at most so many; 1000 if it is left out")


def pipes_on_record(session: Session) -> list[str]:
    """Name the pipes that have run."""
    return session.names_on_record()["pipes"]


def found_by(session: Session, found: Found, pipe: str = "") -> Found:
    """Return what was found; where that is nothing, and the reason is plain, say so.

    Raises
    ------
    RmsError
        If no pipe is called as was asked for, with the nearest name.
    """
    if len(found):
        return found
    known = pipes_on_record(session)
    if not known:
        session.note(BEGIN)
    elif pipe and pipe not in (*known, *session.pipes):
        near = difflib.get_close_matches(pipe, known, 1)
        raise RmsError(f"no pipe is called {pipe!r}", hint=f"did you mean {near[0]}?" if near else "see %rms pipes")
    return found
