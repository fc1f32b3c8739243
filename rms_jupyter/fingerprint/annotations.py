"""Which parameters are files to read or to write?

``In`` and ``Out`` as annotations make it explicit: ``def align(reads: In, bam: Out)``.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal


@dataclass(frozen=True)
class FileRole:
    """Marks a parameter as the path of a file that is read or written."""

    role: Literal["in", "out"]


In = Annotated[Any, FileRole("in")]
Out = Annotated[Any, FileRole("out")]


def file_roles(function: Callable[..., Any]) -> dict[str, Literal["in", "out"]]:
    """Read the roles from a function's annotations, written as objects or as text.

    Examples
    --------
    >>> def copy(source: In, target: Out, times: int = 1): ...
    >>> file_roles(copy)
    {'source': 'in', 'target': 'out'}
    """
    annotations = getattr(inspect.unwrap(function), "__annotations__", {})
    if not annotations:
        return {}
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except Exception:
        hints = annotations
    return {name: role for name, hint in hints.items() if name != "return" and (role := _role_of(hint))}


def _role_of(hint: Any) -> Literal["in", "out"] | None:
    if isinstance(hint, str):
        last = hint.rpartition(".")[2]
        return {"In": "in", "Out": "out"}.get(last)  # type: ignore[return-value]
    for mark in getattr(hint, "__metadata__", ()):
        if isinstance(mark, FileRole):
            return mark.role
    for inner in typing.get_args(hint):
        if role := _role_of(inner):
            return role
    return None
