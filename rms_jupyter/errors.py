"""What can go wrong, and what should the user do next?

::

    RmsError                 anything this package refuses to do
    ├── RegistrationError    a function cannot become a pipe
    ├── ContractError        a task did not keep what its pipe declares (an output missing, empty, claimed twice)
    ├── CycleError           the calls of a plan wait for each other
    ├── TaskFailed           a task raised, was killed or ran out of time; its exception is the cause
    │   ├── ScriptRaised     a script or notebook ended with an exception
    │   ├── ScriptExited     a script ended with an exit code other than 0, or was killed
    │   ├── ScriptEdited     a script or what it imports was edited before it was read
    │   └── TimedOut         it took longer than its timeout
    ├── CommandFailed        a command ended with an exit code that is not allowed; `.code` is that
    ├── PlanFailed           some tasks of a plan did not finish; `.report` accounts for all of them
    ├── PlanStopped          the user stopped a run; what had finished is kept
    ├── NotComputedYet       a planned result was read before its run
    ├── OverwriteError       a call aims at a path that another call already wrote
    ├── StaleInputError      an input was overwritten, deprecated, or changed behind our back
    ├── NotRecomputable      a value that was not kept cannot be made again
    ├── UsageError           a line does not fit its verb; the hint is how it is typed
    ├── UntrustedContent     a pickle made elsewhere, in a store that the user has not trusted
    └── StoreError           the store cannot be opened, read or written
        └── CannotRecord     nothing new can be recorded: the disk is full, or the store is not writable

Each error carries a ``hint``: the next step, in one sentence.
"""

from __future__ import annotations

import os
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any, NoReturn

from rms_jupyter.harmless import for_console, readable


def words_of(error: BaseException) -> str:
    """What an exception says, whatever its ``__str__`` does.

    Examples
    --------
    >>> words_of(ValueError("too large"))
    'too large'
    """
    try:
        return str(error)
    except Exception:
        return "(its message cannot be shown)"


class RmsWarning(UserWarning):
    """Something worth knowing that stops nothing."""


class RmsError(Exception):
    """Base of all errors of this package.

    Parameters
    ----------
    message : str
        What failed, with names as the user typed them.
    hint : str
        What to do next; shown under the message.

    Examples
    --------
    >>> error = RmsError("no pipe is named 'algin'", hint="did you mean 'align'?")
    >>> error.hint
    "did you mean 'align'?"
    """

    def __init__(self, message: str = "", hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return for_console(readable(f"{self.message}\n→ {self.hint}" if self.hint else self.message))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args, {k: v for k, v in self.__dict__.items() if k not in ("message", "hint")}

    def _render_traceback_(self) -> list[str]:
        """Show one short message in IPython; ``%tb`` shows the whole traceback."""
        if _asked_for_traceback():
            return traceback.format_exception(type(self), self, self.__traceback__)
        return [f"\x1b[31m{type(self).__name__}\x1b[39m: {readable(str(self))}"]


def _asked_for_traceback() -> bool:
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "tb" and "magics" in frame.f_code.co_filename:
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


class RegistrationError(RmsError):
    """A function cannot become a pipe."""


class ContractError(RmsError):
    """A task did not keep what its pipe declares."""


class CycleError(RmsError):
    """The calls of a plan wait for each other."""


class TaskFailed(RmsError):
    """A task raised, was killed or ran out of time."""


class CommandFailed(RmsError):
    """A command ended with an exit code that is not allowed; ``code`` is that."""

    code: int = 0


class ScriptRaised(TaskFailed):
    """A script or notebook ended with an exception."""


class ScriptExited(TaskFailed):
    """A script ended with an exit code other than 0, or was killed."""


class ScriptEdited(TaskFailed):
    """A script, or a module that it imports, was edited after it was its turn and before it was read."""


class TimedOut(TaskFailed):
    """A task took longer than its timeout."""


class PlanFailed(RmsError):
    """Some tasks of a plan did not finish; ``report`` accounts for all of them."""

    report: Any = None


class PlanStopped(RmsError):
    """The user stopped a run; what had finished is kept, and ``report`` accounts for all tasks."""

    report: Any = None


class NotComputedYet(RmsError):
    """A planned result was read before its run."""


class OverwriteError(RmsError):
    """A call aims at a path that another call already wrote."""


class StaleInputError(RmsError):
    """An input was overwritten, deprecated, or changed behind our back."""


class NotRecomputable(RmsError):
    """A value that was not kept cannot be made again."""


class UsageError(RmsError):
    """A line does not fit its verb; the hint is how it is typed."""


class UntrustedContent(RmsError):
    """A pickle made elsewhere, in a store that the user has not trusted."""


class StoreError(RmsError):
    """The store cannot be opened, read or written."""


class CannotRecord(StoreError):
    """Nothing new can be recorded; calls run, and give their values."""


_raised = BaseException()


def raise_at(function: object, error: BaseException) -> NoReturn:
    """Raise an error as the first line of a function would: a notebook shows the last frame, whoever's it is."""
    __tracebackhide__ = True
    code = getattr(function, "__code__", None)
    if not isinstance(code, types.CodeType):
        raise error
    place = _raise.__code__.replace(
        co_filename=code.co_filename,
        co_firstlineno=code.co_firstlineno - 1,
        co_name=code.co_name,
        co_qualname=code.co_qualname,
    )
    raised: Callable[[], NoReturn] = types.FunctionType(place, {"_raised": error})
    raised()


def _raise() -> NoReturn:
    raise _raised


def users_frames(error: BaseException) -> types.TracebackType | None:
    """Return the traceback of an error without our frames, also those between the user's."""
    ours, found = os.path.dirname(__file__) + os.sep, []
    place = error.__traceback__
    while place is not None:
        if not place.tb_frame.f_code.co_filename.startswith(ours):
            found.append(place)
        place = place.tb_next
    shown: types.TracebackType | None = None
    for place in reversed(found):
        shown = types.TracebackType(shown, place.tb_frame, place.tb_lasti, place.tb_lineno)
    return shown
