"""How do the tracked scripts and notebooks stand?  A row each, and what is done with those that are chosen."""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rms_jupyter.errors import RmsError
from rms_jupyter.harmless import one_line
from rms_jupyter.panel.page import took
from rms_jupyter.panel.saved import PREFIX
from rms_jupyter.tracked.entry import Entry
from rms_jupyter.views.tracked import SIGNS

if TYPE_CHECKING:
    from rms_jupyter.session import Session

_MOST = 2000
_MOST_FIGURES = 12
_GOING = ("running", "queued")


class TrackedRow(Struct, frozen=True):
    """A script or notebook with one way to run it.

    `path` and `config` name it; `task` is its last run, '' where it never ran, and `figures` are what that has saved.
    """

    path: str
    config: str
    script: str
    group: str
    state: str
    sign: str
    detail: str
    last: str
    took: str
    task: str
    figures: list[str]


class TrackedRows(Struct, frozen=True):
    """All of them, and how many there are; the run configurations; what was done; whether any waits or runs.

    `notebook` is the path of the notebook that asks.
    """

    rows: list[TrackedRow]
    total: int
    configs: list[str]
    notebook: str
    said: str
    live: bool


def answer(session: Session, question: dict[str, Any]) -> TrackedRows:
    """List what is tracked. With ``do``, that is done before.

    ``track`` takes ``path`` and ``config``; ``run``, ``cancel`` and ``untrack`` take ``entries``, pairs of ``path`` and
    ``config``.
    """
    said = _do(session, str(question["do"]), question) if question.get("do") else ""
    session.keep_working()
    tracked = session.track()
    figures = _figures(session)
    rows = [
        _row(entry, row, figures[row["task"]] if row["task"] else [])
        for entry, row in zip(tracked.entries[:_MOST], tracked.states(), strict=False)
    ]
    is_live = any(row.state in _GOING for row in rows)
    return TrackedRows(rows, len(tracked), session.run_configs(), session.notebook, said, is_live)


def _do(session: Session, do: str, question: dict[str, Any]) -> str:
    if do == "track":
        path, config = str(question.get("path", "")).strip(), str(question.get("config", ""))
        if not path:
            raise RmsError("a path is missing", hint="a script, a notebook, a folder, or a pattern: scripts/*.py")
        return f"{len(session.track(path, config, recursive=True)):,} tracked there"
    known = {(entry.path, entry.config): entry for entry in session.track()}
    asked = [(str(path), str(config)) for path, config in question.get("entries", ())]
    chosen = [known[one] for one in asked if one in known]
    if do == "run":
        return f"{session.run_aside(chosen):,} wait to run" if chosen else ""
    if do == "cancel":
        return f"{len(session.cancel_entries(chosen)):,} cancelled; what has begun goes on"
    if do == "untrack":
        session.untrack_entries(chosen)
        return f"{len(chosen):,} tracked no more"
    raise RmsError(f"{do[:40]!r} cannot be done with scripts", hint="reload the page")


def _figures(session: Session) -> dict[int, list[str]]:
    """Ids of saved figures, by task, in the order in which they were made."""
    found: dict[int, list[str]] = defaultdict(list)
    for figure, task, _ in reversed(session.saved_with_tasks([])[1]):
        found[task].append(PREFIX + figure.files[0])
    return found


def _row(entry: Entry, row: dict[str, Any], figures: list[str]) -> TrackedRow:
    return TrackedRow(
        path=entry.path,
        config=entry.config,
        script=one_line(os.fspath(row["script"]), 200),
        group=one_line(row["group"], 100),
        state=row["state"],
        sign=SIGNS[row["state"]],
        detail=one_line(row["detail"], 300),
        last=row["last run"],
        took=took(row["seconds"]),
        task=str(row["task"] or ""),
        figures=figures[:_MOST_FIGURES],
    )
