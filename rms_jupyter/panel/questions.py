"""What do front ends ask, and who answers?

A question is a mapping with ``ask``, the name of a family here, and ``store``, the path of the store that is meant (the
current one if it is left out). Ids travel as strings, as JavaScript's numbers end at 2**53. An answer is a mapping of
what JSON holds; what goes wrong comes back as ``{"error": ..., "hint": ...}``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rms_jupyter import opening
from rms_jupyter.errors import RmsError
from rms_jupyter.panel import cells, details, figure, lineage, log, made_in, page, running, search, stop, store
from rms_jupyter.session import Session

Question = dict[str, Any]
Answer = dict[str, Any]

ANSWERS: dict[str, Callable[[Session, Question], Answer]] = {
    "cells": cells.answer,
    "made_in": made_in.answer,
    "store": store.answer,
    "stop": stop.answer,
    "lineage": lineage.answer,
    "details": details.answer,
    "search": search.answer,
    "going": running.answer,
    "log": log.answer,
    "page": page.answer,
    "figure": figure.answer,
}

_LONGEST = 2000


def answer(question: Question) -> Answer:
    """Answer a question of a front end; never raises.

    Parameters
    ----------
    question : dict
        ``ask``, ``store``, and what the family wants to know.

    Returns
    -------
    dict
        What JSON can hold.

    Examples
    --------
    >>> import tempfile
    >>> s = opening.open(tempfile.mkdtemp() + "/demo.rms")
    >>> answer({"ask": "store"})["tasks"]
    0
    >>> answer({"ask": "weather"})
    {'error': "'weather' is not a question that is answered here", 'hint': 'restart the kernel and reload the page...'}
    >>> s.close()
    """
    try:
        family = str(question.get("ask", ""))
        if family not in ANSWERS:
            raise RmsError(
                f"{family[:40]!r} is not a question that is answered here",
                hint="restart the kernel and reload the page: their versions of rms_jupyter differ",
            )
        return ANSWERS[family](_session(str(question.get("store", ""))), question)
    except RmsError as error:
        return {"error": error.message[:_LONGEST], "hint": error.hint[:_LONGEST]}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:_LONGEST], "hint": "run the cell that shows this again"}


def _session(path: str) -> Session:
    """Find the open session on a store; questions open none."""
    session = opening.opened(Path(path) if path else None)
    if session is None:
        raise RmsError("the store is not open in this kernel", hint=f"%rms open {path}".rstrip())
    return session
