"""How does an anywidget ask?  By a custom message ``{id, question}``, answered by ``{id, answer}``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
from traitlets import Dict

from rms_jupyter.panel.questions import answer

STATIC = Path(__file__).parent / "static"


class AskingWidget(anywidget.AnyWidget):
    """A widget whose front end may ask the questions of `rms_jupyter.panel.questions`, also while a cell runs."""

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        untie(self.comm)
        self.on_msg(self._reply)

    def _reply(self, _: Any, content: dict[str, Any], buffers: list[Any]) -> None:
        self.send({"id": content["id"], "answer": answer(content["question"])})


class WatcherWidget(AskingWidget):
    """Shows one run; see `rms_jupyter.panel.watcher`."""

    _esm = STATIC / "watcher.js"
    _css = STATIC / "watcher.css"
    state = Dict().tag(sync=True)


def untie(comm: Any) -> None:
    """Let messages to a widget be handled in the shell that the front end names.

    ipykernel 7.4 sends them to the shell that last wrote on the comm: for a widget that is made in a cell, the one that
    the cell keeps busy.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda data, default: default
