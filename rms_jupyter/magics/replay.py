"""How is what a task showed shown again, message by message?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rms_jupyter.interrupts import unbroken
from rms_jupyter.run.task.messages import Message
from rms_jupyter.run.task.said import say_again

Publish = Callable[..., None]


def replay(
    messages: Sequence[Message], shell: Any, publish: Publish, clear: Callable[[bool], None], last: tuple[Any, ...] = ()
) -> None:
    """Show messages as they were.

    Parameters
    ----------
    messages : sequence of list
        See `run.task.shown`.
    shell : InteractiveShell
    publish, clear : callable
        Publish a display; clear what the cell shows.
    last : tuple
        The last value of a cell, if it has one: it becomes ``_`` and goes into ``Out``.
    """
    for kind, *content in messages:
        if kind in ("display", "figure", "update"):
            data, metadata, display_id = content
            transient = {"display_id": display_id} if display_id else {}
            publish(data, metadata, transient=transient, update=kind == "update")
        elif kind == "clear":
            clear(content[0])
        elif kind == "result" and last:
            _show_result(shell.displayhook, last[0], *content)
            last = ()
        else:
            say_again([[kind, *content]])
    if last:
        _show_result(shell.displayhook, last[0], {}, {})


@unbroken
def _show_result(hook: Any, value: Any, data: dict[str, Any], metadata: dict[str, Any]) -> None:
    """Do what a display hook does with a last value, but for working out how it looks."""
    hook.check_for_underscore()
    hook.start_displayhook()
    hook.write_output_prompt()
    hook.update_user_ns(value)
    hook.fill_exec_result(value)
    if data:
        hook.write_format_data(data, metadata)
        hook.log_output(data)
    hook.finish_displayhook()
