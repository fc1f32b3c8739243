"""Interrupts work of ours after any number of its steps, as Ctrl-C does: by the signal."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import sys
import warnings

import rms_jupyter
from rms_jupyter import interrupts, opening
from rms_jupyter.run.task import live_output as live
from rms_jupyter.run.task import noting, streams
from rms_jupyter.store.claims import Claims
from rms_jupyter.store.recent_index import key_mark

_OURS = os.path.dirname(rms_jupyter.__file__) + os.sep


# These take no step of Python's, so that the signal is heard where Python hears signals: not in this module.
_TRACER = ctypes.PYFUNCTYPE(None, *[ctypes.py_object] * 3)
_trip = _TRACER(("PyErr_SetInterrupt", ctypes.pythonapi))
_do_nothing = _TRACER(("PyErr_Clear", ctypes.pythonapi))


class interrupted:
    """Interrupt what runs in a ``with`` block after so many lines of ours (or instructions), and once in it.

    Parameters
    ----------
    after : int
    instructions : bool
    within : str
        A room or module of the package: lines of others do not count.

    Attributes
    ----------
    left : int
        How many more there would have to be; negative when it came to that.
    place : str
        After which line it was.
    was_heard : bool
        Whether the user's handler was called: there may have been no further step in that function.
    heard_in : str
        The file whose code was interrupted by it; Python forgets what is raised in some of its own.
    """

    def __init__(self, after: int, instructions: bool = False, within: str = "") -> None:
        self._within = _OURS + within
        self.left, self._event, self.place = after, "opcode" if instructions else "line", ""
        self.was_heard, self.heard_in = False, ""

    def __enter__(self):
        self._handler = signal.signal(signal.SIGINT, self._hear)
        sys.settrace(self._enter)
        return self

    def __exit__(self, *error: object) -> None:
        sys.settrace(None)
        assert signal.getsignal(signal.SIGINT) == self._hear, "the user's handler is not in place again"
        signal.signal(signal.SIGINT, self._handler)
        assert self.was_heard or not interrupts._main.noted, f"noted after {self.place}, and never heard"

    def _hear(self, number, frame):
        sys.settrace(None)
        self.was_heard, self.heard_in = True, frame.f_code.co_filename
        return self._handler(number, frame)

    def _enter(self, frame, event, argument):
        if not frame.f_code.co_filename.startswith(self._within) or self.left < 0:
            return None
        frame.f_trace_opcodes = self._event == "opcode"
        return self._step

    def _step(self, frame, event, argument):
        if event == self._event and self.left >= 0:
            self.left -= 1
            if self.left < 0:
                self.place = f"{frame.f_code.co_filename.removeprefix(_OURS)}:{frame.f_lineno}"
                sys.settrace(_do_nothing)
                caller = frame.f_back
                while caller is not None:
                    caller.f_trace, caller = None, caller.f_back
                return _trip  # At the next step in this function.
        return self._step


def hear_the_last() -> None:
    """Hear an interrupt that came with the last step of ours: Python hears signals where a function begins."""


def state_of_process() -> dict[str, object]:
    """All that a call changes for its time."""
    return {
        "stdout": sys.stdout,
        "stderr": sys.stderr,
        "filters": list(warnings.filters),
        "showwarning": warnings.showwarning,
        "recursion": sys.getrecursionlimit(),
        "handler": signal.getsignal(signal.SIGINT),
        "task": streams.captured_here(),
        "users": streams._users,
        "touched": noting._here.get(),
        "printing": len(live._tasks),
        "files": _files_of_stores(),
        "plan": [getattr(session._plans, "current", None) for session in opening.sessions()],
        "held": [dict(session.store.claims._held) for session in opening.sessions()],
    }


_JOURNAL = re.compile(r"(/\.unborn-|/running/).*")  # When one is full, the next is another file.


def _files_of_stores() -> list[str]:
    paths = []
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):
            paths.append(os.readlink(f"/proc/self/fd/{number}"))
    return sorted(_JOURNAL.sub(r"\1", path) for path in paths if ".rms/" in path)


def differences(before: dict[str, object]) -> dict[str, tuple[object, object]]:
    """What is not as it was."""
    now = state_of_process()
    return {name: (before[name], now[name]) for name in before if before[name] != now[name]}


def is_free(session, key: str) -> bool:
    """Whether another process could claim a call."""
    other = Claims(session.store.layout.claims)
    try:
        return other.take(key_mark(key), wait=False)
    finally:
        other.close()


def unreadable(session) -> list[str]:
    """What the ids of tasks do not lead to, as the journals and the database know them."""
    store, wrong = session.store, []
    for number in store._following.journals.numbers():
        for offset, _, json in store._following.journals.lines(number, 0):
            if json is None or store.record(number << 32 | offset)[0] != number << 32 | offset:
                wrong.append(f"journal {number} at {offset}")
    for ident, pipe in session.sql("SELECT id, pipe FROM tasks").fetchall():
        record = store.record(ident)[1]
        if store.pipe_name(record.pipe) != pipe:
            wrong.append(f"task {ident} of {pipe}")
    return wrong
