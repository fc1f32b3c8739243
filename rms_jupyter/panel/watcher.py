"""How does one see a run move?  By a widget while it runs; its twin of text and HTML takes its place and stays."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from rms_jupyter.handles.plan import Plan
from rms_jupyter.panel.ended import keep
from rms_jupyter.panel.running import state_of
from rms_jupyter.panel.twin import GOING, beginning, ending, foretold
from rms_jupyter.run.plan.progress import PER_SECOND
from rms_jupyter.views.display import Bundle

if TYPE_CHECKING:
    from rms_jupyter.session import Session

_WORTH_A_WIDGET = 0.3


class Watcher:
    """Shows a run under the cell that began it, until it ends.

    The widget comes only once the run has gone on for a moment. Its state is one snapshot, sent at most ten times a
    second by a thread of its own, however fast tasks end and while the kernel is busy.

    Parameters
    ----------
    session : Session
    plan : Plan
    """

    def __init__(self, session: Session, plan: Plan) -> None:
        self._session, self._plan, self._store = session, plan, str(session.path)
        self._ended = threading.Event()
        plan.is_watched = True
        self._is_live = getattr(sys.modules["IPython"].get_ipython(), "kernel", None) is not None

    def __enter__(self) -> Watcher:
        self._begin(lambda: not self._ended.wait(1 / PER_SECOND))
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def follow(self, tell: Callable[[str], None] = lambda text: None) -> None:
        """Show a run that goes on while other cells are worked in; `tell` gets what it came to, at its end."""

        def goes_on() -> bool:
            time.sleep(1 / PER_SECOND)
            return self._plan.run_id in self._session.going_on()

        self._begin(goes_on, tell)

    def _begin(self, goes_on: Callable[[], bool], tell: Callable[[str], None] = lambda text: None) -> None:
        from IPython.display import DisplayHandle

        self._handle: Any = DisplayHandle()  # type: ignore[no-untyped-call]
        if self._is_live:
            self._handle.display(beginning(self._plan), raw=True)  # type: ignore[no-untyped-call]
        self._thread = threading.Thread(target=self._show, args=(goes_on, tell), name="rms-watcher", daemon=True)
        self._thread.start()

    def _show(self, goes_on: Callable[[], bool], tell: Callable[[str], None]) -> None:
        began, widget, told = time.monotonic(), None, False
        while goes_on():
            if widget is not None:
                widget.state = self._state()
            elif self._is_live and time.monotonic() - began > _WORTH_A_WIDGET:
                widget = self._widget()
            elif not told and (news := foretold(self._plan)):
                told = True
                self._replace(beginning(self._plan) if self._is_live else news)
        if widget is not None:
            widget.state = self._state()
        last = ending(self._plan, self._store)
        keep(self._store, str(self._plan.run_id), last)
        self._replace(last)
        tell(last["text/plain"])

    def _state(self) -> Any:
        return msgspec.to_builtins(state_of(self._plan, self._store))

    def _replace(self, bundle: Bundle) -> None:
        """Show something in the place of what is shown; in a terminal, below it."""
        show = self._handle.update if self._is_live else self._handle.display
        show(bundle, raw=True)

    def _widget(self) -> Any:
        """Put the widget in the place of the line; our extension draws its states itself, in pages opened later too."""
        from rms_jupyter.panel.widget import WatcherWidget

        state = self._state()
        widget: Any = WatcherWidget(state=state)
        bundle: Bundle = widget._repr_mimebundle_()[0]
        self._replace({**bundle, GOING: state, **beginning(self._plan)})
        return widget
