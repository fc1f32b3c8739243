"""What did a task print and draw?

Text goes to the user as it is printed and is kept; of several tasks in threads each keeps its own. Displays are what
the task published, and the matplotlib figures that it opened and left open.
"""

from __future__ import annotations

import base64
import io
import sys
import threading
from collections.abc import Iterable
from typing import Any, TextIO

Bundle = dict[str, Any]

_MOST_TEXT = 1_000_000
_current = threading.local()


class capturing:
    """Capture what the task of a ``with`` block prints and shows; blocks in several threads do not mix.


    Parameters
    ----------
    echo : bool
        Let the text through to where it would go.

    Attributes
    ----------
    displays : list of dict
        Mime bundles.
    """

    __slots__ = ("_figures", "_outer", "_size", "_text", "displays", "echo")

    def __init__(self, echo: bool = True) -> None:
        self.echo = echo
        self._text: list[str] = []
        self._size = 0
        self._figures = open_figures()
        self.displays: list[Bundle] = []

    def __enter__(self) -> capturing:
        self._outer = getattr(_current, "task", None)
        _current.task = self
        _install()
        return self

    def __exit__(self, *error: object) -> None:
        _current.task = self._outer
        _uninstall()

    def write(self, text: str) -> None:
        """Keep a piece of text, up to a million characters in all."""
        if self._size <= _MOST_TEXT:
            self._text.append(text[: _MOST_TEXT - self._size])
        self._size += len(text)

    def draw_figures(self, value: Any) -> None:
        """Draw the figures that were opened since the beginning, but for the one that is the task's value."""
        if "matplotlib.pyplot" not in sys.modules:
            return
        for number in sorted(open_figures() - self._figures):
            if number != getattr(value, "number", None) and (drawn := _draw(number)):
                self.displays.append(drawn)

    @property
    def printed(self) -> str:
        """All text, in order."""
        left_out = f"\n… {self._size - _MOST_TEXT:,} more characters" if self._size > _MOST_TEXT else ""
        return "".join(self._text) + left_out


class _Tee:
    """A stream that also gives what is written to the task that runs in this thread."""

    __slots__ = ("stream",)

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        captured: capturing | None = getattr(_current, "task", None)
        if captured is not None:
            captured.write(text)
            if not captured.echo:
                return len(text)
        return self.stream.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def captured_here() -> capturing | None:
    """Give what the task running in this thread has shown so far, for whoever publishes displays."""
    return getattr(_current, "task", None)


def capture_here(captured: capturing | None) -> None:
    """Let what this thread shows count for a task that began in another thread."""
    _current.task = captured


_lock = threading.Lock()
_users = 0


def _install() -> None:
    """Put a tee before the streams while tasks run; between tasks others (IPython) put their own wrappers there."""
    global _users
    with _lock:
        _users += 1
        if type(sys.stdout) is not _Tee:
            sys.stdout = _Tee(sys.stdout)
        if type(sys.stderr) is not _Tee:
            sys.stderr = _Tee(sys.stderr)


def _uninstall() -> None:
    global _users
    with _lock:
        _users -= 1
        if _users:
            return
        if type(sys.stdout) is _Tee:
            sys.stdout = sys.stdout.stream
        if type(sys.stderr) is _Tee:
            sys.stderr = sys.stderr.stream


_NONE: frozenset[int] = frozenset()


def open_figures() -> set[int] | frozenset[int]:
    """Numbers of the figures that pyplot holds."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return set(pyplot.get_fignums()) if pyplot is not None else _NONE


def close_figures(numbers: Iterable[int]) -> None:
    """Close figures, so that they are not shown at the end of the cell."""
    for number in numbers:
        sys.modules["matplotlib.pyplot"].close(number)


def _draw(number: int) -> Bundle | None:
    pyplot = sys.modules["matplotlib.pyplot"]
    buffer = io.BytesIO()
    figure = pyplot.figure(number)
    try:
        figure.savefig(buffer, format="png", bbox_inches="tight")
    except Exception:
        return None
    return {"image/png": base64.b64encode(buffer.getvalue()).decode(), "text/plain": repr(figure)}
