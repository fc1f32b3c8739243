"""How does one see a run move?  A row of ipywidgets while it runs, and a line of text that stays."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from rms_jupyter.handles.display import GREY, caption_line
from rms_jupyter.handles.wording import duration
from rms_jupyter.run.progress import Snapshot


class ProgressRow:
    """Shows snapshots of a run; used as a context manager.

    Parameters
    ----------
    total : int
        Number of tasks.
    tell : callable
        Gets the line that stays, at the end.
    """

    def __init__(self, total: int, tell: Callable[[str], None]) -> None:
        self._total, self._tell = total, tell
        self._last: Snapshot | None = None
        self._bar: Any = None

    def __enter__(self) -> ProgressRow:
        self.open()
        return self

    def open(self) -> None:
        """Show the row."""
        from IPython.display import display
        from ipywidgets import HTML, HBox, IntProgress, Layout

        self._bar = IntProgress(value=0, min=0, max=max(1, self._total), layout=Layout(width="30%"))
        self._text = HTML(value="")
        display(HBox([self._bar, self._text]))  # type: ignore[no-untyped-call]

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot."""
        if snapshot.headline and not (self._last and self._last.headline):
            _foretell(snapshot)
        self._last = snapshot
        left = f", about {duration(snapshot.left)} left" if snapshot.left > 1 and not snapshot.finished else ""
        self._bar.value = snapshot.ended
        self._bar.bar_style = "danger" if snapshot.first_failure else "success" if snapshot.finished else ""
        self._text.value = f'<span style="{GREY}">{escape(snapshot.text() + left)}</span>'

    def show_to_the_end(self, snapshot: Snapshot) -> None:
        """Draw a snapshot, and say what the run came to when it is the last."""
        self.show(snapshot)
        if snapshot.finished:
            self._tell(self.headline())

    def headline(self) -> str:
        """Word what the run came to."""
        if self._last is None:
            return ""
        failure = f" · first failure: {self._last.first_failure}" if self._last.first_failure else ""
        return f"{self._last.text()}, in {duration(self._last.elapsed)}{failure}"

    def __exit__(self, *error: object) -> None:
        self._tell(self.headline())


def _foretell(snapshot: Snapshot) -> None:
    """Show what is to be known before a run."""
    from IPython.display import display

    bundle = caption_line(f"rms: {snapshot.headline}")
    if snapshot.diff:
        block = f"<pre>{escape(snapshot.diff)}</pre>"
        bundle["text/html"] += f'<details style="{GREY}"><summary>what was changed</summary>{block}</details>'
    display(bundle, raw=True)  # type: ignore[no-untyped-call]
