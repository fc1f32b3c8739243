"""What did a task print and draw?

Text goes to the user as it is printed and is kept: stdout, stderr, warnings where Python shows them (in the kernel once
a place, for a worker's task always), and records of `logging`. Of several tasks in threads each keeps its own; threads
that a task starts count for it while no other runs in the process. Displays are what the task published, and the
matplotlib figures that it opened and left open.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rms_jupyter.figures import catching
from rms_jupyter.figures.catching import Catch
from rms_jupyter.figures.saving import Saving
from rms_jupyter.model import Unheard
from rms_jupyter.run.task import descriptors, live_output
from rms_jupyter.run.task.messages import Message
from rms_jupyter.run.task.open_figures import draw, open_figures
from rms_jupyter.run.task.said import name_of
from rms_jupyter.run.task.streams import catch_here, current, install, lock, take_threads, uninstall
from rms_jupyter.run.task.touched import untouched
from rms_jupyter.store.live import MOST

Bundle = dict[str, Any]
_MOST_TEXT = 1_000_000
_MOST_MESSAGES = 100_000
_MOST_UNHEARD, _LONGEST_UNHEARD = 100, 1000


class capturing:
    """Capture what the task of a ``with`` block prints and shows; blocks in several threads do not mix.

    Parameters
    ----------
    echo : bool
        Let the text through to where it would go.
    place : live_output.Place, optional
        Where others may read the text while the task runs.
    takes_long : callable, optional
        Called in another thread once the task has run for a while.

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
        "takes_long",
    )

    def __init__(
        self,
        echo: bool = True,
        place: live_output.Place | None = None,
        takes_long: Callable[[], object] = lambda: None,
    ) -> None:
        self._spool, self.place, self.takes_long = descriptors.current, place, takes_long
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
        self.outer = current.task
        if self.outer is None:
            # An interrupt of the user's function may have left them set.
            current.muted = current.silent = current.hidden = False

        current.task = self
        install(self)
        self._show_warnings_again()
        if self.place is not None:
            live_output.begin(self)
        return self

    def __exit__(self, *error: object) -> None:
        if self.place is not None:
            live_output.end(self)
        current.task = self.outer
        uninstall(self)

    def turn_to(self, place: live_output.Place) -> None:
        """Keep what comes from now on for another task, which runs in the same block; what was kept is taken."""
        self._figures, self.place = open_figures(), place
        with lock:
            take_threads(self)
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
        return current.muted

    @muted.setter
    def muted(self, is_muted: bool) -> None:
        current.muted = is_muted

    @property
    def hidden(self) -> bool:
        """Whether what is written here is not the task's, and nobody sees it."""
        return current.hidden

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """Let what is done here in a block be ours, not the task's, and show nothing."""
        was_silent = current.silent
        current.silent = current.hidden = True
        try:
            with untouched():
                yield
        finally:
            current.silent, current.hidden = was_silent, False

    def catch_figures(self, saving: Saving, started: int) -> None:
        """Save the figures that are made from now on."""
        catching.watch(catch_here)
        self.catch = Catch(saving, started, self.unseen)

    def save_figures(self, value: Any) -> str:
        """Save those that were not closed or that a value holds, and catch no more; return why not, if so."""
        assert self.catch is not None
        self.catch.save_given(value)
        self.catch.save_rest()
        catch, self.catch = self.catch, None
        return catch.problem

    def tell(self, stream: str, text: str) -> None:
        """Keep a piece of text as a message."""
        if current.silent or self._spool is not None or self._size > _MOST_TEXT:
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
        if current.silent:
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
        was_silent, current.silent = current.silent, True
        try:
            yield
        finally:
            current.silent = was_silent

    def set_up_logging(self) -> None:
        """Note that the root logger is given a handler here, if it has none."""
        if not self._sets_up_logging:
            self._sets_up_logging = True
            self.show(["basicConfig"])

    def refuse(self, name: str, level: int) -> None:
        """Note that a logger is not enabled for a level; where it is for the highest, it is for all."""
        if not current.silent and level > self._refused.get(name, 0):
            self._refused[name] = int(level)

    def draw_figures(self, value: Any) -> None:
        """Show the figures that were opened, but for the one that is the task's value."""
        if "matplotlib.pyplot" in sys.modules:
            for number in sorted(open_figures() - self._figures):
                if number != getattr(value, "number", None) and (drawn := draw(number)):
                    self.show(["figure", drawn, {}, ""])

    def meet(self, action: str, text: str, category: type[Warning], module: str) -> None:
        """Note a warning that the filters swallow or make an exception."""
        if not current.silent and len(self._met) < _MOST_UNHEARD:
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
        if not self._size and self._spool is None:
            return ""
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
