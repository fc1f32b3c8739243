"""What does ``%rms panel`` show?"""

from __future__ import annotations

from rms_jupyter.panel.widget import STATIC, AskingWidget


class Panel(AskingWidget):
    """The store at a glance, refreshed on demand."""

    _esm = STATIC / "panel.js"
    _css = STATIC / "panel.css"
