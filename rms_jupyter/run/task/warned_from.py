"""To which line is a warning laid, where ``stacklevel=2`` lays it to whoever has called a pipe?

Between the two are our own frames, which do not count. So a function of ours stands before `warnings.warn` while tasks
run, and what is laid to a line outside of the task is laid to the line that asks when the task is a hit.
"""

from __future__ import annotations

import sys
import threading
import warnings
from types import FrameType
from typing import Any

from rms_jupyter.run.task.asking import is_ours

_warn: Any = warnings.warn
_OF_THE_CALL = "call_to_end"  # Its frame is the border of what belongs to the task.


class _Laid(threading.local):
    """How many frames outside of its task the line stands to which this thread lays a warning; 0: inside."""

    outside = 0


_laid = _Laid()


def install() -> None:
    """Let our own frames not count."""
    if warnings.warn is _warn:
        warnings.warn = warn


def uninstall() -> None:
    """Put Python's own function back."""
    if warnings.warn is warn:
        warnings.warn = _warn


def frames_outside() -> int:
    """How many frames outside of its task the warning is laid to that is being shown; 0: to the task itself."""
    return _laid.outside


def warn(message: Any, category: Any = None, stacklevel: int = 1, source: Any = None, **kwargs: Any) -> None:  # noqa: D103
    __tracebackhide__ = True
    level, _laid.outside = _place(sys._getframe(1), stacklevel) if not kwargs else (stacklevel, 0)
    try:
        _warn(message, category, level + 1, source, **kwargs)
    finally:
        _laid.outside = 0


def _place(frame: FrameType | None, stacklevel: int) -> tuple[int, int]:
    """Return the level at which a frame stands as Python counts, and how far outside of the task that is."""
    level, outside, is_outside = 1, 0, False
    while frame is not None and stacklevel > 1:
        frame, level = frame.f_back, level + 1
        if frame is not None and is_ours(frame):
            is_outside = is_outside or frame.f_code.co_name == _OF_THE_CALL
        elif frame is not None:
            stacklevel -= 1
            outside += is_outside
    return level, outside


def caller(outside: int) -> FrameType | None:
    """Find the frame that stands so many frames outside of what of ours runs here."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        outside -= not is_ours(frame)
        if not outside:
            return frame
        frame = frame.f_back
    return None
