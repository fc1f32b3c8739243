"""How do front ends ask while a cell runs?  Each question opens a comm, which is answered once.

The comm is the front end's, which closes it, and opened in a shell of its own: a widget's comm may be tied to the
shell that a cell keeps busy. So questions are answered in another thread than the cell's; what answers takes the
database's lease, and touches neither IPython nor matplotlib.
"""

from __future__ import annotations

from typing import Any

TARGET = "rms.control"


def listen(shell: Any) -> None:
    """Answer the front ends of a shell; one without a kernel has none."""
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        kernel.comm_manager.register_target(TARGET, _answer)


def stop_listening(shell: Any) -> None:
    """Answer no more."""
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        kernel.comm_manager.unregister_target(TARGET, _answer)


def _answer(comm: Any, message: dict[str, Any]) -> None:
    from rms_jupyter.panel.questions import answer

    comm.send(answer(message["content"]["data"]))
