"""Whose is what is written?  A tee before the streams gives it to the task that runs in the thread."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TextIO

from rms_jupyter.figures.catching import Catch
from rms_jupyter.run.task import warned_from
from rms_jupyter.run.task.messages import WarningHook, keep_log_records
from rms_jupyter.run.task.warning_filters import listen, place_filter, take_filter_away

if TYPE_CHECKING:
    from rms_jupyter.run.task.capture import capturing

_MAIN = threading.main_thread().ident


class _Current(threading.local):
    """The task that runs here: in this thread, and of what an event loop runs in turns, in this one.

    While this is `muted`, what the thread writes is not kept with the task's text: it was kept by other means. While it
    is `silent`, nor is it a message of its own. While it is `hidden`, nobody sees it either: it is not the task's.
    """

    muted = silent = hidden = False

    @property
    def task(self) -> capturing | None:
        return _task.get()

    @task.setter
    def task(self, task: capturing | None) -> None:
        _task.set(task)


_task: ContextVar[capturing | None] = ContextVar("rms_task", default=None)
current = _Current()


class _Tee:
    """A stream that also gives what is written to the task that runs in this thread.

    IPython puts a `write` of its own into the stream that it finds when a cell begins.
    """

    def __init__(self, stream: TextIO, name: str) -> None:
        self.stream, self.rms_name = stream, name

    def write(self, text: str) -> int:
        if current.hidden:
            return len(text)
        captured = _task_here()
        if captured is not None and isinstance(text, str):
            if not current.muted:
                captured.write(text)
            captured.tell(self.rms_name, text)
            if not captured.echo:
                return len(text)
        return self.stream.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        self.stream.flush()

    def close(self) -> None:
        """Do nothing: other tasks print after this one."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def captured_here() -> capturing | None:
    """Give what the task running in this thread has shown so far, for whoever publishes displays."""
    return current.task


def _task_here() -> capturing | None:
    """Give the task that text belongs to: the one of this thread, else the only one there is, which started the thread.

    No task has started the main thread: there, cells run beside a run in the background.
    """
    return current.task or (_only if threading.get_ident() != _MAIN else None)


def catch_here() -> Catch | None:
    """Return what takes the figures of the task that runs in this thread; None where they are not saved."""
    task = _task_here()
    return task.catch if task is not None else None


def capture_here(captured: capturing | None) -> None:
    """Let what this thread shows count for a task that began in another thread."""
    current.task = captured


lock = threading.Lock()
_tees: dict[str, _Tee] = {}
_warnings = WarningHook(_task_here)
_users = 0
_only: capturing | None = None
_logging = False


def install(task: capturing) -> None:
    """Put a tee before the streams while tasks run; between tasks others (IPython) put their own wrappers there."""
    global _users, _logging
    with lock:
        _users += 1
        take_threads(task)
        if not _logging:
            _logging = True
            keep_log_records(_task_here)
            listen(_task_here)
        _warnings.install()
        warned_from.install()
        place_filter()
        if type(sys.stdout) is not _Tee:
            sys.stdout = _tee_before(sys.stdout, "stdout")
        if type(sys.stderr) is not _Tee:
            sys.stderr = _tee_before(sys.stderr, "stderr")


def _tee_before(stream: TextIO, name: str) -> _Tee:
    """Return the tee before a stream, the same each time.

    It must not die as it is taken away: Python's `print` in another thread may be using it, and holds no reference.
    """
    tee = _tees.get(name)
    if tee is None or tee.stream is not stream:
        tee = _tees[name] = _Tee(stream, name)
    return tee


def take_threads(task: capturing) -> None:
    """Let threads that a task will start count for it, if no other runs in the process."""
    global _only
    _only = task if _users == 1 or (_only is not None and task.outer is _only) else None


def uninstall(task: capturing) -> None:
    """Put the streams back when no task runs any more."""
    global _users, _only
    with lock:
        _users -= 1
        _only = task.outer if _only is task else None
        if _users:
            return
        _warnings.uninstall()
        warned_from.uninstall()
        take_filter_away()
        if type(sys.stdout) is _Tee:
            sys.stdout = sys.stdout.stream
        if type(sys.stderr) is _Tee:
            sys.stderr = sys.stderr.stream
