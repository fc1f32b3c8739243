"""How are log records and warnings of a task kept as messages, and emitted again as loggers and filters are now?

They are read back from records, which are data: a category of warnings is looked for among what is imported already,
and nothing is imported for it.
"""

from __future__ import annotations

import builtins
import contextlib
import linecache
import logging
import os
import sys
import types
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from rms_jupyter.run.task.warned_from import caller, frames_outside
from rms_jupyter.run.task.warning_filters import action_for

_Plain = str | int | float | bool | None
_Line = Annotated[int, Meta(ge=0, lt=2**31)]
_PLAIN = {str, int, float, bool, type(None)}
_OWN_TO_RECORDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Logged(Struct, array_like=True):
    """A record of `logging`, its text not formatted yet where all that goes into it is plain."""

    name: str
    level: int
    text: str
    args: list[_Plain] | dict[str, _Plain]
    pathname: str
    lineno: _Line
    function: str
    trace: str
    stack: str
    extra: dict[str, _Plain]

    @classmethod
    def of(cls, logger: logging.Logger, record: logging.LogRecord) -> Logged:
        """Describe a record that a logger was asked to handle."""
        given: Any = record.args or ()
        parts = given.values() if isinstance(given, dict) else given
        is_plain = type(record.msg) is str and all(type(part) in _PLAIN for part in parts)
        return cls(
            name=logger.name,
            level=record.levelno,
            text=record.msg if is_plain else _text_of(record),
            args=(dict(given) if isinstance(given, dict) else list(given)) if is_plain else [],
            pathname=record.pathname,
            lineno=record.lineno,
            function=record.funcName or "",
            trace=record.exc_text or (logging.Formatter().formatException(record.exc_info) if record.exc_info else ""),
            stack=record.stack_info or "",
            extra={k: v if type(v) in _PLAIN else str(v) for k, v in vars(record).items() if k not in _OWN_TO_RECORDS},
        )

    def emit(self) -> None:
        """Log it, if its logger is enabled for it now."""
        logger = logger_there(self.name)
        if not logger.isEnabledFor(self.level):
            return
        args = (self.args,) if isinstance(self.args, dict) else tuple(self.args)
        extra = {name: value for name, value in self.extra.items() if name not in _OWN_TO_RECORDS}
        place, function, stack = name_here(self.pathname), self.function or None, self.stack or None
        record = logger.makeRecord(
            self.name, self.level, place, self.lineno, self.text, args, None, function, extra, stack
        )
        record.exc_text = self.trace or None
        logger.handle(record)


class Warned(Struct, array_like=True):
    """A warning; `base` is the nearest of its categories that Python has itself.

    `outside` is how many frames outside of its task the line stands to which it is laid; 0: in it.
    """

    text: str
    category: str
    filename: str
    lineno: _Line
    base: str
    outside: _Line = 0

    @classmethod
    def of(cls, message: Any, category: type[Warning], filename: str, lineno: int) -> Warned:
        """Describe a warning as `warnings.showwarning` is given it."""
        name, base = name_of(category)
        return cls(str(message), name, filename, lineno, base, frames_outside())

    def emit(self) -> None:
        """Warn as Python would: not again where that was shown already, and as the filters are now."""
        filename, lineno = name_here(self.filename), self.lineno
        module, namespace = _module_of(filename)
        if self.outside and (frame := caller(self.outside)) is not None:
            filename, lineno, namespace = frame.f_code.co_filename, frame.f_lineno, frame.f_globals
            module = str(namespace.get("__name__"))
        registry = namespace.setdefault("__warningregistry__", {})
        warnings.warn_explicit(self._warning(), None, filename, lineno, module, registry)

    def is_error(self) -> bool:
        """Whether the filters of now make an exception of it."""
        module, _ = _module_of(name_here(self.filename))
        return action_for(self.text, category_named(self.category, self.base), module, self.lineno) == "error"

    def _warning(self) -> Warning:
        kind = category_named(self.category, self.base)
        with contextlib.suppress(Exception):
            if str(warning := kind(self.text)) == self.text:
                return warning
        return _stand_in(kind.__module__, kind.__name__, UserWarning)(self.text)


def logger_there(name: str) -> logging.Logger:
    """Return a logger, or the nearest above it: one that is not there yet is for its library to make."""
    known = logging.root.manager.loggerDict
    while name and not isinstance(known.get(name), logging.Logger):
        name = name.rpartition(".")[0]
    found = known.get(name)
    return found if isinstance(found, logging.Logger) else logging.root


def name_of(category: type[Warning]) -> tuple[str, str]:
    """Name a category of warnings, and the nearest of its categories that Python has itself."""
    base = next(kind.__name__ for kind in category.__mro__ if kind.__module__ == "builtins")
    return f"{category.__module__}:{category.__qualname__}", base


def category_named(name: str, base_name: str) -> type[Warning]:
    """Find a category by its names, or make one that looks the same if it is not imported."""
    module, _, qualname = name.partition(":")
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = vars(found).get(part) if isinstance(found, (types.ModuleType, type)) else None
    if _is_category(found):
        return found  # type: ignore[no-any-return]
    base: Any = getattr(builtins, base_name, None)
    return _stand_in(module, qualname.rpartition(".")[2], base if _is_category(base) else UserWarning)


def emit(kind: str, content: Sequence[Any]) -> None:
    """Emit a message of one of these kinds again; what is not as it should be is left out."""
    with contextlib.suppress(msgspec.ValidationError):
        said = msgspec.convert(content, _KINDS[kind])
        said.emit()


def say_again(messages: Iterable[Sequence[Any]]) -> None:
    """Say again what a task printed, logged and warned; displays are for notebooks."""
    for kind, *content in messages:
        if kind in ("stdout", "stderr"):
            getattr(sys, kind).write(content[0])
        elif kind in ("log", "warning"):
            emit(kind, content)
        elif kind == "basicConfig":
            logging.basicConfig()


def warned_among(messages: Sequence[Sequence[Any]]) -> Iterator[Warned]:
    """Find the warnings among messages."""
    for kind, *content in messages:
        if kind == "warning":
            with contextlib.suppress(msgspec.ValidationError):
                yield msgspec.convert(content, Warned)


def name_here(filename: str) -> str:
    """Name the file of a cell as this kernel does: its folder has the kernel's number."""
    if filename in linecache.cache or os.path.exists(filename):
        return filename
    last = os.path.basename(filename)
    return next((name for name in reversed(list(linecache.cache)) if os.path.basename(name) == last), filename)


def _module_of(filename: str) -> tuple[str, dict[str, Any]]:
    """Name the module that a file is of, as Python does, and find what it holds; a cell is of the notebook."""
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", None) == filename:
            return name, vars(module)
    is_cell = filename in linecache.cache and not os.path.exists(filename)
    return "__main__" if is_cell else filename.removesuffix(".py"), vars(sys.modules["__main__"])


def _stand_in(module: str, name: str, base: type[Warning]) -> type[Warning]:
    """Make a category that looks as another does."""
    return type(name if name.isidentifier() else base.__name__, (base,), {"__module__": module})


def _is_category(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Warning)


def _text_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:
        return str(type(record.msg))


_KINDS: dict[str, type[Logged] | type[Warned]] = {"log": Logged, "warning": Warned}
