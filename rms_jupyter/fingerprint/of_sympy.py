"""When are two functions without a definition (``sympy.Function("f")``) the same?  They are classes made on the fly."""

from __future__ import annotations

from typing import Any

from sympy.core.function import UndefinedFunction

from rms_jupyter.fingerprint.values import Walk, register, tagged


def _undefined(function: Any, walk: Walk) -> bytes:
    return tagged("undefined function", map(walk, [function.__name__, dict(function._kwargs)]))


register(UndefinedFunction, _undefined)
