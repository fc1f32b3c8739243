"""What is in the store, and what is open here?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.results import Facts


def parser() -> Parser:
    """Return how it is typed."""
    return Parser("status", "Show what is in the store: tasks, files, size, and the copy it has.")


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Facts:
    """Say how things are."""
    from rms_jupyter.views.results import Facts
    from rms_jupyter.views.wording import duration, size

    facts = session.status()
    shown = {
        "store": f"{session.path}{' (read-only)' if session.read_only else ''}",
        "tasks": f"{facts['tasks']:,} done, {facts['failed']:,} failed, by {facts['pipes']:,} pipes",
        "computed": f"{duration(facts['seconds'])} in all",
        "files": f"{facts['files']:,} on record",
        "on disk": size(facts["bytes"]) + (f" of {size(session.budget)}" if session.budget else ""),
    }
    if balance := session.ahead_and_behind():
        shown["copy"] = str(balance)
    shown["pipes here"] = ", ".join(session.pipes) or "none yet"
    return Facts(shown, {"store": str(session.path), **facts, "read_only": session.read_only})
