"""What did a task print and draw?

Text goes to the user as it is printed and is kept: stdout, stderr, warnings where Python shows them (in the kernel once
a place, for a worker's task always), and records of `logging`. Of several tasks in threads each keeps its own; threads
that a task starts count for it while no other runs in the process. Displays are what the task published, and the
matplotlib figures that it opened and left open.
"""

from __future__ import annotations

import base64
import io
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

from rms_jupyter.figures import catching
from rms_jupyter.figures.catching import Catch
from rms_jupyter.figures.saving import Saving
from rms_jupyter.model import Unheard
from rms_jupyter.run.task import descriptors, live_output, warned_from
from rms_jupyter.run.task.messages import Message, WarningHook, keep_log_records
from rms_jupyter.run.task.open_figures import figures_now
from rms_jupyter.run.task.said import name_of
from rms_jupyter.run.task.touched import untouched
from rms_jupyter.run.task.warning_filters import listen, place_filter, take_filter_away
from rms_jupyter.store.live import MOST

Bundle = dict[str, Any]

_MOST_TEXT = 1_000_000
_MOST_MESSAGES = 100_000
_MOST_UNHEARD, _LONGEST_UNHEARD = 100, 1000
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


_current = _Current()


class capturing:
    """Capture what the task of a ``with`` block prints and shows; blocks in several threads do not mix.

    Parameters
    ----------
    echo : bool
        Let the text through to where it would go.
    place : live_output.Place, optional
        Where others may read the text while the task runs.

    Attributes
    ----------
    messages : list of list
        What a front end got, in order: see `run.task.shown`. In a child process text is kept elsewhere, and is none.
    outer : capturing or None
        The one that this one is inside of.
    catch : Catch or None
        What takes the figures that the task makes, if they are saved.
    """

    __slots__ = (
        "_cuts",
        "_figures",
        "_met",
        "_refused",
        "_sets_up_logging",
        "_size",
        "_spool",
        "_text",
        "catch",
        "echo",
        "messages",
        "outer",
        "place",
    )

    def __init__(self, echo: bool = True, place: live_output.Place | None = None) -> None:
        self._spool, self.place = descriptors.current, place
        self.echo = echo and self._spool is None
        self._text: list[str] = []
        self._size = 0
        self._cuts: list[list[int]] = []
        self._refused: dict[str, int] = {}
        self._met: dict[tuple[str, str, str, str, str], None] = {}
        self._sets_up_logging = False
        self._figures = open_figures()
        self.messages: list[Message] = []
        self.catch: Catch | None = None

    def __enter__(self) -> capturing:
        self.outer = _current.task
        if self.outer is None:
            # An interrupt of the user's function may have left them set.
            _current.muted = _current.silent = _current.hidden = False

        _current.task = self
        _install(self)
        self._show_warnings_again()
        if self.place is not None:
            live_output.begin(self)
        return self

    def __exit__(self, *error: object) -> None:
        if self.place is not None:
            live_output.end(self)
        _current.task = self.outer
        _uninstall(self)

    def turn_to(self, place: live_output.Place) -> None:
        """Keep what comes from now on for another task, which runs in the same block; what was kept is taken."""
        self._figures, self.place = open_figures(), place
        with _lock:
            _take_threads(self)
        self._show_warnings_again()
        live_output.begin(self)

    def _show_warnings_again(self) -> None:
        """Let this task show a warning that another one has shown, where nobody sees the other's."""
        if not self.echo:
            warnings.simplefilter("default", append=True)  # Changes nothing but that.

    def write(self, text: str) -> None:
        """Keep a piece of text, up to a million characters in all."""
        if self._size < _MOST_TEXT:
            keep = self._spool.write if self._spool is not None else self._text.append
            keep(text[: _MOST_TEXT - self._size])
        self._size += len(text)

    def so_far(self, start: int) -> bytes:
        """Give the text that there is already, from a byte on."""
        if self._spool is not None:
            return self._spool.look(start, MOST)
        return "".join(self._text).encode("utf-8", "backslashreplace")[start:MOST]

    @property
    def muted(self) -> bool:
        """Whether what is written here is not to be kept with the text."""
        return _current.muted

    @muted.setter
    def muted(self, is_muted: bool) -> None:
        _current.muted = is_muted

    @property
    def hidden(self) -> bool:
        """Whether what is written here is not the task's, and nobody sees it."""
        return _current.hidden

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """Let what is done here in a block be ours, not the task's, and show nothing."""
        was_silent = _current.silent
        _current.silent = _current.hidden = True
        try:
            with untouched():
                yield
        finally:
            _current.silent, _current.hidden = was_silent, False

    def catch_figures(self, saving: Saving, started: int) -> None:
        """Save the figures that are made from now on."""
        catching.watch(catch_here)
        self.catch = Catch(saving, started, self.unseen)

    def save_figures(self) -> str:
        """Save those that were not closed, and catch no more; return why one could not be saved, if so."""
        assert self.catch is not None
        self.catch.save_rest()
        catch, self.catch = self.catch, None
        return catch.problem

    def tell(self, stream: str, text: str) -> None:
        """Keep a piece of text as a message."""
        if _current.silent or self._spool is not None or self._size > _MOST_TEXT:
            return
        last = self.messages[-1] if self.messages else [""]  # Another thread may add one meanwhile.
        if last[0] == stream:
            last[1] += text
        else:
            self.messages.append([stream, text])

    def show(self, message: Message) -> None:
        """Keep a message that is no text."""
        with self.standing_for(message):
            pass

    @contextmanager
    def standing_for(self, message: Message) -> Iterator[None]:
        """Keep a message, which stands for all that is written and shown here in a block."""
        if _current.silent:
            yield
            return
        start = self._spool.size() if self._spool is not None else 0
        cut = [start, start]
        if len(self.messages) < _MOST_MESSAGES:
            self.messages.append(message)
            self._cuts.append(cut)
        try:
            with self.aside():
                yield
        finally:
            cut[1] = self._spool.size() if self._spool is not None else 0

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let what is written here in a block be no message of its own."""
        was_silent, _current.silent = _current.silent, True
        try:
            yield
        finally:
            _current.silent = was_silent

    def set_up_logging(self) -> None:
        """Note that the root logger is given a handler here, if it has none."""
        if not self._sets_up_logging:
            self._sets_up_logging = True
            self.show(["basicConfig"])

    def refuse(self, name: str, level: int) -> None:
        """Note that a logger is not enabled for a level; where it is for the highest, it is for all."""
        if not _current.silent and level > self._refused.get(name, 0):
            self._refused[name] = int(level)

    def draw_figures(self, value: Any) -> None:
        """Show the figures that were opened, but for the one that is the task's value."""
        if "matplotlib.pyplot" in sys.modules:
            for number in sorted(open_figures() - self._figures):
                if number != getattr(value, "number", None) and (drawn := _draw(number)):
                    self.show(["figure", drawn, {}, ""])

    def meet(self, action: str, text: str, category: type[Warning], module: str) -> None:
        """Note a warning that the filters swallow or make an exception."""
        if not _current.silent and len(self._met) < _MOST_UNHEARD:
            self._met[action, text[:_LONGEST_UNHEARD], *name_of(category), module] = None

    def take_unheard(self) -> Unheard | None:
        """Return what was logged and warned and nobody heard."""
        if not self._refused and not self._met:
            return None
        unheard = Unheard(self._refused, tuple(self._met))
        self._refused, self._met = {}, {}
        return unheard

    def take_messages(self) -> Sequence[Message]:
        """Return what was shown, in order; nothing where the printed text says it all."""
        if not self.messages:
            return ()
        shown, self.messages = self.messages, []
        cuts, self._cuts = self._cuts, []
        self._sets_up_logging = False
        if self._spool is not None:
            return _with_text_between(self._spool, shown, cuts) if shown else ()
        is_text = all(message[0] == "stdout" for message in shown)
        return () if is_text and "".join(message[1] for message in shown) == "".join(self._text) else shown

    def take_printed(self) -> str:
        """Give all text, in order."""
        text, left_out = self._spool.take(_MOST_TEXT) if self._spool is not None else ("".join(self._text), 0)
        if self._size:
            left_out += max(0, self._size - _MOST_TEXT)
            self._text, self._size = [], 0
        if not text.isascii():
            text = text.encode("utf-8", "backslashreplace").decode()
        return f"{text}\n… {left_out:,} more characters" if left_out else text


def _with_text_between(spool: descriptors.Spool, shown: Sequence[Message], cuts: list[list[int]]) -> list[Message]:
    """Put what a child process has printed between its other messages, which stand for what lies in the cuts."""
    told: list[Message] = []
    place = 0
    for message, (start, end) in zip([*shown, None], [*cuts, [spool.size(), 0]], strict=True):
        if text := spool.look(place, min(start, _MOST_TEXT)):
            told.append(["stdout", text.decode("utf-8", "replace")])
        if message is not None:
            told.append(message)
        place = max(place, end)
    return told


class _Tee:
    """A stream that also gives what is written to the task that runs in this thread.

    IPython puts a `write` of its own into the stream that it finds when a cell begins.
    """

    def __init__(self, stream: TextIO, name: str) -> None:
        self.stream, self.rms_name = stream, name

    def write(self, text: str) -> int:
        if _current.hidden:
            return len(text)
        captured = _task_here()
        if captured is not None and isinstance(text, str):
            if not _current.muted:
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
    return _current.task


def _task_here() -> capturing | None:
    """Give the task that text belongs to: the one of this thread, else the only one there is, which started the thread.

    No task has started the main thread: there, cells run beside a run in the background.
    """
    return _current.task or (_only if threading.get_ident() != _MAIN else None)


def catch_here() -> Catch | None:
    """Return what takes the figures of the task that runs in this thread; None where they are not saved."""
    task = _task_here()
    return task.catch if task is not None else None


def capture_here(captured: capturing | None) -> None:
    """Let what this thread shows count for a task that began in another thread."""
    _current.task = captured


_lock = threading.Lock()
_tees: dict[str, _Tee] = {}
_warnings = WarningHook(_task_here)
_users = 0
_only: capturing | None = None
_logging = False


def _install(task: capturing) -> None:
    """Put a tee before the streams while tasks run; between tasks others (IPython) put their own wrappers there."""
    global _users, _logging
    with _lock:
        _users += 1
        _take_threads(task)
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


def _take_threads(task: capturing) -> None:
    """Let threads that a task will start count for it, if no other runs in the process."""
    global _only
    _only = task if _users == 1 or (_only is not None and task.outer is _only) else None


def _uninstall(task: capturing) -> None:
    global _users, _only
    with _lock:
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


def open_figures() -> set[int]:
    """Numbers of the figures that pyplot holds."""
    return set(figures_now())


def close_figures(numbers: Iterable[int]) -> None:
    """Close figures, so that they are not shown at the end of the cell."""
    for number in numbers:
        sys.modules["matplotlib.pyplot"].close(number)


def can_draw() -> bool:
    """Whether pyplot has loaded what it draws with: that also tells notebooks how figures are shown."""
    return getattr(sys.modules.get("matplotlib.pyplot"), "_backend_mod", None) is not None


def prepare_to_draw() -> None:
    """Let pyplot load what it draws with, as a first figure does."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and not can_draw():
        pyplot.switch_backend(pyplot.get_backend())


def figure_of(number: int) -> Any:
    """Return an open figure; pyplot would make it the current one."""
    return figures_now()[number]


def _draw(number: int) -> Bundle | None:
    buffer, figure = io.BytesIO(), figure_of(number)
    try:
        figure.savefig(buffer, format="png", bbox_inches="tight")
    except Exception:
        return None
    return {"image/png": base64.b64encode(buffer.getvalue()).decode(), "text/plain": repr(figure)}
