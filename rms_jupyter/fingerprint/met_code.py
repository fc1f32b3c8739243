"""Data that hold code: their digest while code is described, and the functions and classes that are met in them."""

from __future__ import annotations

import functools
import threading
import types
from typing import Any

from rms_jupyter.fingerprint.anatomy import (
    contents,
    getattr_or_none,
    is_code,
    is_fixed,
    is_ours,
    qualname,
)
from rms_jupyter.fingerprint.origin import kind_of_function
from rms_jupyter.fingerprint.source import source_of
from rms_jupyter.fingerprint.values import digest
from rms_jupyter.fingerprint.version import MISSING


def digest_or_none(value: Any) -> bytes | None:
    """Digest data; None where that fails."""
    try:
        return digest_by_parts(value)[0]
    except Exception:
        return None


class _Meeting(threading.local):
    """The functions and classes that were met in the data of the description in progress."""

    met: list[Any] | None = None


_meeting = _Meeting()


def digest_by_parts(value: Any) -> tuple[bytes, list[Any]]:
    """Digest data without describing the functions and classes in it, and give those."""
    outer, _meeting.met = _meeting.met, []
    try:
        return digest(value), _meeting.met
    finally:
        _meeting.met = outer


def met_in_description(code: Any) -> tuple[Any, ...] | None:
    """Note a function or class that is met in data while code is described, and say what it is made of; else None."""
    if _meeting.met is None:
        return None
    _meeting.met.append(code)
    if isinstance(code, functools.partial):
        return "partial", code.func, code.args, code.keywords
    if isinstance(code, types.MethodType):
        return "method", code.__func__, code.__self__
    if isinstance(code, types.FunctionType) and kind_of_function(code) == "user":
        held = [contents(cell) for cell in code.__closure__ or ()]
        held = [None if value is MISSING else value for value in held]
        return code.__name__, source_of(code, is_ours).digest, code.__defaults__, code.__kwdefaults__, held
    if isinstance(code, types.FunctionType) and code.__closure__:
        cells = zip(code.__code__.co_freevars, map(contents, code.__closure__), strict=True)
        fixed = [value for name, value in cells if value is not MISSING and (is_code(value) or is_fixed(name, value))]
        return code.__module__, code.__qualname__, fixed
    return str(getattr_or_none(code, "__module__")), qualname(code)
