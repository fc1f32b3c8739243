"""Which warnings and which records of `logging` are kept with what a task prints?

Warnings that somebody is shown, or records. Log records of level INFO and above that somebody is shown: their logger
lets them through, and not only to null handlers. In a worker, where nobody has set up loggers, the levels of the kernel
hold. What handlers print of them is not kept a second time.
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Taker(Protocol):
    """The task that runs; while it is `muted`, what is written to the streams is not kept."""

    muted: bool
    silent: bool

    def write(self, text: str) -> None:
        """Keep a piece of text."""

    def warn(self, message: Any, category: Any, filename: str, lineno: int, text: str) -> None:
        """Keep a warning."""


TaskHere = Callable[[], Taker | None]

_FORMAT = logging.Formatter("%(levelname)s %(name)s: %(message)s")


def keep_log_records(task_here: TaskHere) -> None:
    """Give every log record from now on to the task that runs where it is made, if one does, and to its handlers."""
    call_handlers = logging.Logger.callHandlers

    def keep(logger: logging.Logger, record: logging.LogRecord) -> None:
        task = task_here() if record.levelno >= logging.INFO else None
        text = _text_of(record) if task is not None and _is_shown(logger, record) else ""
        _keep(task, text, call_handlers, logger, record)

    logging.Logger.callHandlers = keep  # type: ignore[method-assign,assignment]


class WarningHook:
    """Gives warnings to the task that runs where they are made, while it is in place."""

    def __init__(self, task_here: TaskHere) -> None:
        self._task_here, self._show = task_here, warnings.showwarning
        self._first, self._hook = warnings.showwarning, self._keep

    def install(self) -> None:
        """Put it in place; others (pytest, `warnings.catch_warnings`) replace it in between."""
        if warnings.showwarning is not self._hook:
            self._show, warnings.showwarning = warnings.showwarning, self._hook

    def uninstall(self) -> None:
        """Take it out."""
        if warnings.showwarning is self._hook:
            warnings.showwarning = self._show

    def _keep(
        self, message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: str | None = None
    ) -> None:
        task = self._task_here() if file is None else None
        text = warnings.formatwarning(message, category, filename, lineno, line) if task is not None else ""
        # What has replaced the hook, or is called by it, may call the hook in turn: that must come to an end.
        is_called_back = warnings.showwarning is not self._hook or (task is not None and task.muted)
        show = self._first if is_called_back else self._show
        if task is not None and not task.muted:
            task.warn(message, category, filename, lineno, text)
            task.silent = True
        try:
            _keep(task, text, show, message, category, filename, lineno, file, line)
        finally:
            if task is not None and not task.muted:
                task.silent = False


def _keep(task: Taker | None, text: str, show: Callable[..., None], *args: Any) -> None:
    if task is None or task.muted or not text:
        show(*args)
        return
    task.write(text)
    task.muted = True
    try:
        show(*args)
    finally:
        task.muted = False


def _text_of(record: logging.LogRecord) -> str:
    try:
        return _FORMAT.format(copy.copy(record)) + "\n"
    except Exception:
        return ""  # Its handlers say what is wrong with it.


def _is_shown(logger: logging.Logger, record: logging.LogRecord) -> bool:
    is_handled = False
    place: logging.Logger | None = logger
    while place is not None:
        for handler in place.handlers:
            is_handled = True
            if record.levelno >= handler.level and not isinstance(handler, logging.NullHandler):
                return True
        place = place.parent if place.propagate else None
    return not is_handled


def log_levels() -> dict[str, int]:
    """The levels that were set in this process, by the names of the loggers; '' is the root."""
    known = list(logging.root.manager.loggerDict.items())
    set_here = {name: logger.level for name, logger in known if isinstance(logger, logging.Logger) and logger.level}
    return {"": logging.root.level, **set_here}


def take_levels(levels: Mapping[str, int]) -> None:
    """Let the loggers of a worker let through what they let through in the kernel."""
    for name, level in levels.items():
        if (logger := logging.getLogger(name)).level != level:
            logger.setLevel(level)
