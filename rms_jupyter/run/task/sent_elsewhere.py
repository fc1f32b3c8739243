"""Which files do functions touch that a task sends to processes of others: pools of Python's, and joblib's?

Such processes may have been there before, and nothing of theirs is heard here. So what is sent notes what it touches
where it runs, in a file that the task reads when it ends.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

from rms_jupyter.run.task import noting
from rms_jupyter.run.task.noting import noted_here, untouched
from rms_jupyter.upon_import import UponImport

_POOL = ("Pool", ("apply_async", "_map_async", "imap", "imap_unordered"))
_EXECUTOR = ("ProcessPoolExecutor", ("submit",))
_TABLE = {
    "multiprocessing.pool": _POOL,
    "concurrent.futures.process": _EXECUTOR,
    "joblib.externals.loky.process_executor": _EXECUTOR,
    "loky.process_executor": _EXECUTOR,
}


class Heard:
    """A function that notes where it runs what it touches.

    Parameters
    ----------
    function : callable
    places : list of str
        The files to write it to.
    """

    def __init__(self, function: Callable[..., Any], places: list[str]) -> None:
        self._function, self._places = function, places

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        with _noted_in(self._places):
            return self._function(*args, **kwargs)


class _Written:
    """Writes what is noted into a file."""

    def __init__(self, place: str) -> None:
        self._file = os.open(place, os.O_WRONLY | os.O_APPEND)

    def note(self, what: str, *about: Any) -> None:
        """Note something."""
        if what not in ("forks", "starts"):
            os.write(self._file, json.dumps([what, *about]).encode() + b"\n")

    def close(self) -> None:
        """Write no more."""
        os.close(self._file)


@contextlib.contextmanager
def _noted_in(places: list[str]) -> Iterator[None]:
    from rms_jupyter.run.task import touched

    touched.listen()
    notes = []
    with untouched(), contextlib.suppress(OSError):  # The task has ended.
        notes = [_Written(place) for place in places]
    for one in notes:
        noting.begin(one)
    try:
        yield
    finally:
        for one in notes:
            noting.end(one)
            one.close()


def listen() -> None:
    """Hear of what is sent, from now on."""
    _upon_import.listen()


def _stand_before(module: Any) -> None:
    name, methods = _TABLE[module.__name__]
    if (cls := getattr(module, name, None)) is not None:
        for method in methods:
            if (own := vars(cls).get(method)) is not None:
                setattr(cls, method, _sending(own))


_upon_import = UponImport(_TABLE, _stand_before)


def _sending(own: Any) -> Any:
    @functools.wraps(own)
    def sent(self: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if noting.running and (places := _places()):
            if args:
                args = Heard(args[0], places), *args[1:]
            elif "func" in kwargs:
                kwargs["func"] = Heard(kwargs["func"], places)
        return own(self, *args, **kwargs)

    return sent


def _places() -> list[str]:
    here = noted_here()
    with untouched():
        return [notes.place_elsewhere() for notes in here if hasattr(notes, "place_elsewhere")]
