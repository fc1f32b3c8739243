"""``%rms status``: what is in the store, and what this notebook has open."""

from __future__ import annotations

from typing import Any

from rms_jupyter import opening
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.views.results import Results
from rms_jupyter.views.wording import duration, size


def parser() -> Parser:
    """Options of this sub-command: none."""
    return Parser("%rms status")


def line(magics: RMSMagics, rest: str) -> Results[dict[str, Any]]:
    """Say how things are."""
    parse(parser(), rest, magics.namespace)
    session = opening.current()
    facts = session.status()
    rows = [
        {"": "store", " ": f"{session.path}{' (read-only)' if session.read_only else ''}"},
        {"": "tasks", " ": f"{facts['tasks']:,} done, {facts['failed']:,} failed, by {facts['pipes']:,} pipes"},
        {"": "computed", " ": f"{duration(facts['seconds'])} in all"},
        {"": "files", " ": f"{facts['files']:,} on record"},
        {"": "on disk", " ": size(facts["bytes"]) + (f" of {size(session.budget)}" if session.budget else "")},
        *([{"": "copy", " ": str(balance)}] if (balance := session.ahead_and_behind()) else []),
        {"": "pipes here", " ": ", ".join(session.pipes) or "none yet"},
    ]
    return Results(rows, lambda row: row)
