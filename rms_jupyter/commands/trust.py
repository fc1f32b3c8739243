"""May everything be read in a store that was made elsewhere?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser

if TYPE_CHECKING:
    from rms_jupyter.session import Session


def parser() -> Parser:
    """Return how it is typed."""
    return Parser(
        "trust",
        "Let everything be read in a store that was made elsewhere; what its makers have put in can run anything.",
    )


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> str:
    """Trust the store."""
    return session.trust()
