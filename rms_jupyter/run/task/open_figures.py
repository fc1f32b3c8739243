"""What does a call do to pyplot's figures: does it draw into those that are open, and which does it leave open?

Those that it has opened are opened again on a hit: what comes after it may draw into them, and the notebook shows them
at the end of the cell.
"""

from __future__ import annotations

import base64
import io
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from rms_jupyter.fingerprint.nesting import everything
from rms_jupyter.fingerprint.remembered import library_of

FIGURES = "figures"  # The label under which they are kept.


def figures_now() -> dict[int, Any]:
    """The figures that pyplot holds, by number."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return {}
    managers = sys.modules["matplotlib._pylab_helpers"].Gcf.figs
    return {number: manager.canvas.figure for number, manager in managers.items()}


class FiguresBefore:
    """The figures that are open before a call."""

    def __init__(self) -> None:
        self._open = figures_now()
        self._stale = [figure for figure in self._open.values() if figure.stale]
        for figure in self._stale:
            figure.stale = False  # So that it can be seen whether it is drawn into.

    def drawn_into(self) -> bool:
        """Whether one of them was drawn into since."""
        if not self._open:
            return False
        found = any(figure.stale for figure in self._open.values())
        for figure in self._stale:
            figure.stale = True
        return found

    def left_open(self, value: Any) -> list[Any]:
        """Those that were opened since, unless the value of the call holds them: then they come with that."""
        if not (now := figures_now()):
            return []
        new = [figure for number, figure in now.items() if number not in self._open]
        return [] if new and any(map(_is_drawing, _parts(value))) else new


def _is_drawing(value: Any) -> bool:
    return library_of(value) == "matplotlib"


def _parts(value: Any) -> Iterator[Any]:
    for part in everything(value):
        yield part
        if type(part).__module__ == "numpy" and hasattr(part, "dtype") and part.dtype.hasobject:
            yield from part.flat


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


def draw(number: int) -> dict[str, Any] | None:
    """Draw an open figure as a notebook shows it; None where that fails."""
    buffer, figure = io.BytesIO(), figure_of(number)
    try:
        figure.savefig(buffer, format="png", bbox_inches="tight")
    except Exception:
        return None
    return {"image/png": base64.b64encode(buffer.getvalue()).decode(), "text/plain": repr(figure)}
