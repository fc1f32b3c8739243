"""What do the filters of warnings make of a warning, and which of a task's did they swallow or make exceptions?

Of those nobody is told. So one more filter stands before all others while tasks run: it is asked about every warning
that the task's own filters leave to those outside, means none, and lets the task know.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from typing import Any, Protocol


class Meeter(Protocol):
    """The task that runs."""

    def meet(self, action: str, text: str, category: type[Warning], module: str) -> None:
        """Note a warning that is swallowed (``ignore``) or becomes an exception (``error``)."""


class _Asked(threading.local):
    """The warning about which this thread asks."""

    text = module = ""


class _Text:
    pattern = ""  # Some libraries take filters apart, and put them together again in their workers.

    def match(self, text: str) -> bool:
        """Take the text down."""
        _asked.text = text
        return True


class _Module:
    pattern = ""

    def match(self, module: str) -> bool:
        """Take the module down."""
        _asked.module = module
        return True


class _Category(type):
    def __subclasscheck__(cls, category: type) -> bool:
        """Let the task know; the category is asked for last."""
        if (task := _listening[-1]()) is not None:
            action = action_for(_asked.text, category, _asked.module)
            if action in ("ignore", "error"):
                task.meet(action, _asked.text, category, _asked.module)
        return False


class _None(Warning, metaclass=_Category):
    pass


_asked = _Asked()
_listening: list[Callable[[], Meeter | None]] = [lambda: None]
_OURS: Any = ("default", _Text(), _None, _Module(), 0)


def listen(task_here: Callable[[], Meeter | None]) -> None:
    """Let the task that runs, if one does, know of its warnings from now on, wherever the filter is in place."""
    _listening.append(task_here)


def place_filter() -> None:
    """Put the filter before all others; others (`warnings.catch_warnings`) may exchange them all in between."""
    if not warnings.filters or warnings.filters[0] is not _OURS:
        warnings.filters.insert(0, _OURS)  # type: ignore[attr-defined]


def take_filter_away() -> None:
    """Leave the filters as they are without ours."""
    if warnings.filters and warnings.filters[0] is _OURS:
        del warnings.filters[0]  # type: ignore[attr-defined]
    elif any(found is _OURS for found in warnings.filters):
        warnings.filters[:] = filters_now()  # type: ignore[index]


def filters_now() -> list[Any]:
    """Return the filters, but for ours."""
    return [found for found in warnings.filters if found is not _OURS]


def action_for(text: str, category: type, module: str, lineno: int = 0) -> str:
    """Say what becomes of a warning now: ``ignore``, ``error``, or one of the ways to show it."""
    for action, meant, kind, place, line in filters_now():
        if _matches(meant, text) and _matches(place, module) and line in (0, lineno) and issubclass(category, kind):
            return str(action)
    return "default"


def _matches(pattern: Any, text: str) -> bool:
    """Whether a part of a filter means a text; those that Python has from the start are plain text."""
    return pattern is None or (pattern == text if isinstance(pattern, str) else bool(pattern.match(text)))
