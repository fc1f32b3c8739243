"""Does the digest of a value hold?  Not if it is another once the value was pickled and read back.

What a recipe of a class's own (``__reduce__``, ``__getstate__``) holds may be an address, a counter, or filled in by
use. The first instances of such a class are tried; where one does not hold, none of the class is trusted.
"""

from __future__ import annotations

import copyreg
import functools
import io
import pickle
import threading
from collections.abc import Callable
from typing import Any

from rms_jupyter.fingerprint.exactly import Pickler

_MOST_BYTES = 1 << 20
_MOST_TRIES = 3

_tries: dict[type, int] = {}
_fails: set[type] = set()
_trying = threading.local()


def holds(value: Any, digest: Callable[[Any], bytes]) -> bool:
    """Tell whether a value's digest can be trusted, as far as the first instances of its class tell.

    Parameters
    ----------
    value : object
        With a recipe of its own.
    digest : callable
    """
    cls = type(value)
    tries = _tries.get(cls, 0)
    if tries < _MOST_TRIES and not _trying.__dict__.get("now"):  # Parts were tried when they were described.
        _trying.now = True
        try:
            changed = _changes(value, digest)
        finally:
            _trying.now = False
        _tries[cls] = tries + 1 if changed is None else _MOST_TRIES
        if changed:
            _fails.add(cls)
    return cls not in _fails


def is_another_once_read(cls: type) -> bool:
    """Whether an instance of a class was found to be another once it was pickled and read back."""
    return cls in _fails


def found_otherwise(cls: type) -> bool:
    """Trust no instance of a class any more of which one was read back as another; tell whether that is news."""
    is_news = has_own_recipe(cls) and cls not in _fails
    if is_news:
        _fails.add(cls)
    return is_news


@functools.cache
def has_own_recipe(cls: Any) -> bool:
    """Tell classes that say themselves how they are pickled."""
    return (
        cls in copyreg.dispatch_table
        or cls.__reduce_ex__ is not object.__reduce_ex__
        or cls.__reduce__ is not object.__reduce__
        or getattr(cls, "__getstate__", None) is not getattr(object, "__getstate__", None)
        or any(hasattr(cls, name) for name in ("__setstate__", "__getnewargs__", "__getnewargs_ex__"))
    )


def _changes(value: Any, digest: Callable[[Any], bytes]) -> bool | None:
    """Tell whether pickle makes a value of another digest; None where it cannot be pickled, or is too large for it."""
    file = _Short()
    try:
        Pickler(file, protocol=5).dump(value)
        again = pickle.loads(file.getvalue())
    except Exception:
        return None
    return digest(again) != digest(value)


class _Short(io.BytesIO):
    """Takes no more than a trial is worth."""

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > _MOST_BYTES:
            raise OverflowError
        return super().write(data)
