"""What does ``%rms panel`` show?  A widget; where there is none, the latest tasks as a table."""

from __future__ import annotations

from typing import Any

from traitlets import Unicode

from rms_jupyter import opening
from rms_jupyter.panel.widget import STATIC, AskingWidget
from rms_jupyter.session import Session
from rms_jupyter.views.display import Bundle, caption_line

_MOST_SAVED = 20


class Panel(AskingWidget):
    """Runs, lineages, tasks, files, figures, failures, flows, rules and tracked scripts of a store.

    Parameters
    ----------
    session : Session, optional
        The current one if it is left out.
    """

    _esm = STATIC / "panel.js"
    _css = STATIC / "panel.css"
    store = Unicode().tag(sync=True)

    def __init__(self, session: Session | None = None) -> None:
        self._session = session or opening.current()
        super().__init__(store=str(self._session.path))

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[Bundle, Bundle]:
        bundle, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        facts = self._session.status()
        words = f"{facts['tasks']:,} tasks, {facts['failed']:,} failed, {facts['files']:,} files: {self.store}"
        line = caption_line(f"{words} · to look through them: %rms panel")
        latest = self._session.tasks(limit=_MOST_SAVED)
        both = {
            "text/plain": f"{line['text/plain']}\n{latest!r}",
            "text/html": f"{line['text/html']}{latest._repr_html_()}",
        }
        return {**bundle, **(both if latest else line)}, metadata
