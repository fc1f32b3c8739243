"""When are two compiled functions the same?  When they are compiled from the same function, with the same options."""

from __future__ import annotations

from typing import Any

from rms_jupyter.fingerprint.values import Walk, register_by_name, tagged


def _dispatcher(compiled: Any, walk: Walk) -> bytes:
    return tagged("compiled", map(walk, [compiled.py_func, compiled.targetoptions]))


register_by_name("numba.core.dispatcher.Dispatcher", _dispatcher)
