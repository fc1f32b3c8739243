"""How does one look through the store by clicking?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser

if TYPE_CHECKING:
    from rms_jupyter.session import Session


def parser() -> Parser:
    """Return how it is typed."""
    return Parser("panel", "Look through runs, tasks, files, figures and failures.", signs=("%rms",))


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> None:
    """Show the panel."""
    session.front_end.show_panel(session)
