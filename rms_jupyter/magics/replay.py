"""How is what a task showed shown again, message by message?"""

from __future__ import annotations

import functools
import linecache
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from rms_jupyter.run.capture import Message

Publish = Callable[..., None]


def replay(
    messages: Sequence[Message], shell: Any, publish: Publish, clear: Callable[[bool], None], last: tuple[Any, ...] = ()
) -> None:
    """Show messages as they were.

    Parameters
    ----------
    messages : sequence of list
        See `run.shown`.
    shell : InteractiveShell
    publish, clear : callable
        Publish a display; clear what the cell shows.
    last : tuple
        The last value of a cell, if it has one: it becomes ``_`` and goes into ``Out``.
    """
    for kind, *content in messages:
        if kind in ("stdout", "stderr"):
            getattr(sys, kind).write(content[0])
        elif kind in ("display", "figure", "update"):
            data, metadata, display_id = content
            transient = {"display_id": display_id} if display_id else {}
            publish(data, metadata, transient=transient, update=kind == "update")
        elif kind == "clear":
            clear(content[0])
        elif kind == "warning":
            _warn_again(shell.user_ns, *content)
        elif kind == "result" and last:
            _show_result(shell.displayhook, last[0], *content)
            last = ()
    if last:
        _show_result(shell.displayhook, last[0], {}, {})


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


def _warn_again(namespace: dict[str, Any], text: str, name: str, filename: str, lineno: int, looks: str) -> None:
    """Warn as Python would: not again where it was shown already, and as the filters are now."""
    module, _, qualname = name.partition(":")
    try:
        category: Any = functools.reduce(getattr, qualname.split("."), sys.modules[module])
    except (AttributeError, KeyError):
        sys.stderr.write(looks)
        return
    filename = _name_here(filename)
    try:
        warnings.warn_explicit(text, category, filename, lineno, registry=_registry_of(filename, namespace))
    except Warning:
        sys.stderr.write(looks)


def _name_here(filename: str) -> str:
    """Name the file of a cell as this kernel does: its folder has the kernel's number."""
    if filename in linecache.cache or os.path.exists(filename):
        return filename
    last = os.path.basename(filename)
    return next((name for name in reversed(list(linecache.cache)) if os.path.basename(name) == last), filename)


def _registry_of(filename: str, namespace: dict[str, Any]) -> dict[Any, Any]:
    for module in list(sys.modules.values()):
        if getattr(module, "__file__", None) == filename:
            namespace = vars(module)
            break
    registry: dict[Any, Any] = namespace.setdefault("__warningregistry__", {})
    return registry
