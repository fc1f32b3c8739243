"""Which figures does a task make?  Each is saved once: when it is closed, or as the task leaves it.

Those that are not matplotlib's are saved as they are shown or given, and once more where they have changed since.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from rms_jupyter.errors import words_of
from rms_jupyter.figures.libraries import figures_in, watch_shown
from rms_jupyter.figures.saving import Saving
from rms_jupyter.fingerprint.values import digest

_MOST_HELD = 20  # Figures that are in no list of pyplot's, and that are not closed.


class Catch:
    """Takes the figures that one task makes, and saves them.

    Parameters
    ----------
    saving : Saving
    started : int
        When the task did, in microseconds since 1970.
    unseen : callable
        A context manager: what happens in its block is not the task's, and shows nothing.

    Attributes
    ----------
    saving, started
        As given.
    problem : str
        Why a figure could not be saved, if so.
    """

    def __init__(self, saving: Saving, started: int, unseen: Callable[[], AbstractContextManager[None]]) -> None:
        self.saving, self.started, self._unseen = saving, started, unseen
        self._figures: dict[int, Any] = {}
        self._written: set[bytes] = set()
        self.problem = ""

    def take(self, figure: Any) -> None:
        """Take a figure that was made just now."""
        self._figures[id(figure)] = figure
        unlisted = [figure for figure in self._figures.values() if not _is_listed(figure)]
        if len(unlisted) > _MOST_HELD:
            self.save(unlisted[0])

    def save(self, figure: Any) -> None:
        """Save a figure, if it is one of the task's and was not saved yet."""
        if self._figures.pop(id(figure), None) is None:
            return
        with self._unseen():
            was_stale = figure.stale
            try:
                with figure.canvas.callbacks.blocked():
                    self.saving.save(figure, self.started)
            except Exception as error:
                self.problem = words_of(error)
            if was_stale:
                figure.stale = True

    def save_given(self, value: Any) -> None:
        """Save the figures of other libraries in a value that is shown or given, unless they were saved as they are."""
        for library, figure in figures_in(value):
            with self._unseen():
                try:
                    written = self.saving.write_down(library, figure, self.started)
                    if (look := digest(written)) not in self._written:
                        self._written.add(look)
                        self.saving.save_written(library, written, self.started)
                except Exception as error:
                    self.problem = words_of(error)

    def save_rest(self) -> None:
        """Save the figures that were not closed; the task has ended."""
        for figure in list(self._figures.values()):
            self.save(figure)


def _is_listed(figure: Any) -> bool:
    """Whether pyplot holds a figure: it stays, and lets us know when it is closed."""
    managers = sys.modules["matplotlib._pylab_helpers"].Gcf.figs.values()
    return any(manager.canvas.figure is figure for manager in managers)


@functools.cache
def watch(catch_here: Callable[[], Catch | None]) -> None:
    """Let the task that runs, if one does and its figures are saved, know of each figure that is made or closed.

    Parameters
    ----------
    catch_here : callable
        Returns what takes the figures of the task that runs here.
    """

    def shown(figure: Any) -> None:
        if (catch := catch_here()) is not None:
            catch.save_given(figure)

    watch_shown(shown)
    try:
        from matplotlib._pylab_helpers import Gcf
        from matplotlib.figure import Figure
    except ImportError:
        return
    begin, destroy, destroy_all = Figure.__init__, Gcf.destroy, Gcf.destroy_all

    def tell(managers: list[Any]) -> None:
        if (catch := catch_here()) is not None:
            for manager in managers:
                catch.save(manager.canvas.figure)

    @functools.wraps(begin)
    def beginning(self: Any, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        if (catch := catch_here()) is not None:
            catch.take(self)

    @functools.wraps(destroy)
    def destroying(cls: Any, num: Any) -> None:
        manager = num if hasattr(num, "canvas") else Gcf.figs.get(num)
        tell([manager] if manager is not None else [])
        destroy(num)

    @functools.wraps(destroy_all)
    def destroying_all(cls: Any) -> None:
        tell(list(Gcf.figs.values()))
        destroy_all()

    for owner, name, told in (
        (Figure, "__init__", beginning),
        (Gcf, "destroy", classmethod(destroying)),
        (Gcf, "destroy_all", classmethod(destroying_all)),
    ):
        setattr(owner, name, told)
