"""What a call gives its function: the values of its arguments, and which files count or may be written."""

from __future__ import annotations

import os
from typing import Any

from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.fingerprint.nesting import BEHIND, unwrap
from rms_jupyter.model import Reference
from rms_jupyter.run.call.definition import Definition


def unwrap_all(call: Call) -> tuple[Any, ...]:
    """The bound values without resources, for the function."""
    if not call.inputs.wrapped:
        return call.values
    return tuple(
        unwrap(value, _as_input) if issubclass(type(value), Reference) or name in call.inputs.wrapped else value
        for name, value in zip(call.names, call.values, strict=True)
    )


def watched_paths(call: Call) -> list[str]:
    """Absolute paths of the files that the function may read or write."""
    return [os.path.abspath(path) for path, _ in (*call.inputs.paths, *call.read_files)]


def known_paths(call: Call) -> list[str]:
    """Absolute paths of the files that count by their content, as results of other calls do."""
    return [os.path.abspath(ref.path) for ref, _ in call.inputs.used if ref.path]


def asides_of(call: Call, definition: Definition) -> list[str]:
    """Absolute paths that only globals, the code, or what is ignored name: no outputs, if the function writes them."""
    named = [(path, role.startswith(BEHIND)) for path, role in call.inputs.paths]
    by_arguments = {os.path.abspath(path) for path, behind in named if not behind}
    asides = [absolute for path, behind in named if behind and (absolute := os.path.abspath(path)) not in by_arguments]
    return asides + definition.ignored_files()


def _as_input(reference: Reference) -> Any:
    return reference._rms_input()
