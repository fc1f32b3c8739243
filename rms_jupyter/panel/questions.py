"""What do front ends ask, and who answers?

A question is a mapping with ``ask``, the name of a family here, and ``store``, the path of the store that is meant (the
current one if it is left out). Ids travel as strings, as JavaScript's numbers end at 2**53. An answer is a
struct (`labextension/src/generated` has the same in TypeScript), and travels as what JSON holds; what goes wrong comes
back as a `Refusal`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from rms_jupyter import opening
from rms_jupyter.errors import RmsError, words_of
from rms_jupyter.panel import (
    cells,
    details,
    ended,
    figure,
    flows,
    lineage,
    log,
    made_in,
    page,
    rules,
    running,
    saved,
    search,
    stop,
    store,
    tracked,
)
from rms_jupyter.session import Session

Question = dict[str, Any]


class Refusal(Struct, frozen=True):
    """Why a question was not answered, and what to do next."""

    error: str
    hint: str


ANSWERS: dict[str, Callable[[Session, Question], Struct]] = {
    "cells": cells.answer,
    "made_in": made_in.answer,
    "store": store.answer,
    "stop": stop.answer,
    "lineage": lineage.answer,
    "details": details.answer,
    "search": search.answer,
    "going": running.answer,
    "run": ended.answer,
    "log": log.answer,
    "page": page.answer,
    "figure": figure.answer,
    "saved": saved.answer,
    "flows": flows.answer,
    "version": flows.version,
    "version_logs": flows.logs,
    "compare": flows.compare,
    "tag": flows.tag,
    "delete": flows.delete,
    "download": flows.download,
    "rules": rules.answer,
    "tracked": tracked.answer,
}

_LONGEST = 2000


def answer(question: Question) -> dict[str, Any]:
    """Answer a question of a front end; never raises.

    Parameters
    ----------
    question : dict
        ``ask``, ``store``, and what the family wants to know.

    Returns
    -------
    dict
        A struct as JSON holds it.

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
    built: dict[str, Any] = msgspec.to_builtins(_answer(question))
    return built


def _answer(question: Question) -> Struct:
    try:
        family = str(question.get("ask", ""))
        if family not in ANSWERS:
            raise RmsError(
                f"{family[:40]!r} is not a question that is answered here",
                hint="restart the kernel and reload the page: their versions of rms_jupyter differ",
            )
        return ANSWERS[family](_session(str(question.get("store", ""))), question)
    except RmsError as error:
        return Refusal(error.message[:_LONGEST], error.hint[:_LONGEST])
    except Exception as error:
        return Refusal(f"{type(error).__name__}: {words_of(error)}"[:_LONGEST], "run the cell that shows this again")


def _session(path: str) -> Session:
    """Find the open session on a store; questions open none."""
    session = opening.opened(Path(path) if path else None)
    if session is None:
        raise RmsError("the store is not open in this kernel", hint=f"%rms open {path}".rstrip())
    return session
