"""How do ids travel?  As strings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rms_jupyter.errors import RmsError


def ident(question: Mapping[str, Any], name: str = "id") -> int:
    """Read an id out of a question.

    Examples
    --------
    >>> ident({"id": "4294967296"})
    4294967296

    Raises
    ------
    RmsError
        If there is none.
    """
    text = question.get(name)
    if not isinstance(text, str) or not text.isdecimal() or len(text) > 19:
        raise RmsError(f"{name} is no id", hint="reload the page")
    return int(text)


def idents(question: Mapping[str, Any], name: str, most: int) -> list[int]:
    """Read a list of ids, the last ones if there are too many."""
    texts = question.get(name, [])
    if not isinstance(texts, list):
        raise RmsError(f"{name} is no list of ids", hint="reload the page")
    return [ident({name: text}, name) for text in texts[-most:]]
