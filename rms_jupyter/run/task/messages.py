"""Which warnings and which records of `logging` are kept with what a task prints?

Warnings that somebody is shown, or records. Log records of level INFO and above that somebody is shown: their logger
lets them through, and not only to null handlers. In a worker, where nobody has set up loggers, the levels of the kernel
hold. What handlers print of them is not kept a second time.

Each is a message of its own too, of any level, and before filters and handlers have seen it: on a hit it is emitted
again (see `said`).
"""

from __future__ import annotations

import copy
import logging
import sys
import types
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import msgspec

from rms_jupyter.fingerprint.origin import kind_of_class
from rms_jupyter.run.task.said import Logged, Warned, logger_there


class Taker(Protocol):
    """The task that runs.

    While it is `muted`, what is written to the streams is not kept; while it is `hidden`, nothing said here is its own.
    """

    muted: bool

    @property
    def hidden(self) -> bool:
        """Whether what is said here is not the task's, and nobody sees it."""

    def write(self, text: str) -> None:
        """Keep a piece of text."""

    def set_up_logging(self) -> None:
        """Note that the root logger is given a handler here, if it has none."""

    def refuse(self, name: str, level: int) -> None:
        """Note that a logger is not enabled for a level."""

    def standing_for(self, message: Message) -> AbstractContextManager[None]:
        """Keep a message, which stands for all that is written and shown in a block."""


Message = list[Any]
TaskHere = Callable[[], Taker | None]

HEARD = "what it changes, a handler of what it logs may have changed"
_FORMAT = logging.Formatter("%(levelname)s %(name)s: %(message)s")


def keep_log_records(task_here: TaskHere) -> None:
    """Give every log record from now on to the task that runs where it is made, if one does, and to its handlers."""
    handle, call_handlers = logging.Logger.handle, logging.Logger.callHandlers
    is_enabled_for = logging.Logger.isEnabledFor

    def tell(logger: logging.Logger, record: logging.LogRecord) -> None:
        task = task_here()
        if task is not None and task.hidden:
            return
        message = _message_of(logger, record) if task is not None and _is_known(logger) else None
        with task.standing_for(message) if task is not None and message else nullcontext():
            handle(logger, record)

    def keep(logger: logging.Logger, record: logging.LogRecord) -> None:
        task = task_here() if record.levelno >= logging.INFO else None
        text = _text_of(record) if task is not None and _is_shown(logger, record) else ""
        _keep(task, text, call_handlers, logger, record)

    def ask(logger: logging.Logger, level: int) -> bool:
        is_enabled = is_enabled_for(logger, level)
        task = task_here() if not is_enabled or logger is logging.root else None
        if task is not None and _is_known(logger):
            if not is_enabled:
                task.refuse(logger.name, level)
            if logger is logging.root and _is_function_of_logging(sys._getframe(2)):
                task.set_up_logging()
        return is_enabled

    logging.Logger.handle = tell  # type: ignore[method-assign,assignment]
    logging.Logger.callHandlers = keep  # type: ignore[method-assign,assignment]
    logging.Logger.isEnabledFor = ask  # type: ignore[method-assign,assignment]


def is_heard_by_users_handler(messages: Iterable[Message]) -> bool:
    """Whether a handler of a class of the user's own hears a record of `logging` among messages.

    It may have put it where the call's changes are seen, and hears it again where the message is said again.
    """
    return any(
        kind_of_class(type(handler)) == "user"
        for name in {str(message[1]) for message in messages if message[0] == "log"}
        for handler in _handlers_of(logger_there(name))
    )


def _handlers_of(logger: logging.Logger) -> Iterator[logging.Handler]:
    place: logging.Logger | None = logger
    while place is not None:
        yield from place.handlers
        place = place.parent if place.propagate else None


def _message_of(logger: logging.Logger, record: logging.LogRecord) -> Message | None:
    try:
        return ["log", *msgspec.structs.astuple(Logged.of(logger, record))]
    except Exception:
        return None  # Its handlers say what is wrong with it.


def _is_function_of_logging(frame: types.FrameType | None) -> bool:
    """Whether this is ``logging.info`` or the like: those give the root logger a handler if it has none."""
    return frame is not None and frame.f_globals is vars(logging) and frame.f_code.co_varnames[:1] != ("self",)


def _is_known(logger: logging.Logger) -> bool:
    """Whether a logger is found by its name."""
    return logger is logging.root or logging.root.manager.loggerDict.get(logger.name) is logger


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
        if task is not None and task.hidden:
            return
        text = warnings.formatwarning(message, category, filename, lineno, line) if task is not None else ""
        # What has replaced the hook, or is called by it, may call the hook in turn: that must come to an end.
        is_called_back = warnings.showwarning is not self._hook or (task is not None and task.muted)
        show = self._first if is_called_back else self._show
        if task is None or task.muted:
            show(message, category, filename, lineno, file, line)
            return
        with task.standing_for(["warning", *msgspec.structs.astuple(Warned.of(message, category, filename, lineno))]):
            _keep(task, text, show, message, category, filename, lineno, file, line)


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
    for handler in _handlers_of(logger):
        is_handled = True
        if record.levelno >= handler.level and not isinstance(handler, logging.NullHandler):
            return True
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
