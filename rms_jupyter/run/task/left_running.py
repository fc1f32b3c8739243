"""Does a task leave a program or a thread of the user's running when it ends?  What they do then is not seen."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
import time
from collections.abc import Collection
from pathlib import Path
from types import FrameType
from typing import Any

from rms_jupyter.fingerprint.origin import kind_of
from rms_jupyter.run.task.asking import is_users

LEAVES_RUNNING = "must_be_done", "it leaves a program running"
THREADS: dict[int, threading.Thread] = threading._active  # type: ignore[attr-defined]  # In order of their start.
_OF_POOLS = ("concurrent.", "multiprocessing.", "asyncio.")
_IN_QUOTES = re.compile(r"'[^']*'|\"[^\"]*\"|\\.")
_IN_BACKGROUND = re.compile(r"(?<![&<>|])&(?![&>])")
_SHELLS = frozenset({"sh", "bash", "dash", "zsh"})
_GRACE, _STEP = 0.05, 0.005  # Seconds: one that has done its work may be about to end.


def is_started_by_user(frame: FrameType | None) -> bool:
    """Whether a program is started by the user's code, and not by a package for itself."""
    while frame is not None and frame.f_globals.get("__name__") == subprocess.__name__:
        frame = frame.f_back
    return frame is not None and is_users(frame)


def goes_to_background(event: str, args: tuple[Any, ...]) -> bool:
    """Whether a shell is asked to leave something running: ``server &``."""
    words = ["sh", "-c", args[0]] if event == "os.system" else args[1]
    if not isinstance(words, (list, tuple)) or len(words) < 3 or os.path.basename(os.fsdecode(words[0])) not in _SHELLS:
        return False
    text = _IN_QUOTES.sub("", os.fsdecode(words[2]))
    return _IN_BACKGROUND.search(text) is not None and "wait" not in text.split()


def children() -> list[int]:
    """Give the processes that this one has started, and that are there."""
    found: list[int] = []
    for path in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, path.read_text().split())
    return found


def is_program_left(before: Collection[int]) -> bool:
    """Whether one runs that was not there before."""
    until = time.monotonic() + _GRACE
    while left := any(is_running(pid) for pid in children() if pid not in before):
        if time.monotonic() > until:
            break
        time.sleep(_STEP)
    return left


def is_running(pid: int) -> bool:
    """Whether a process is there, and has not ended without anybody having asked for that."""
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def is_thread_left(before: int) -> bool:
    """Whether a thread that was started since there were so many runs something for the user: not for a pool.

    It is told of calls in the main thread: beside others, it would be anyone's.
    """
    is_alone = threading.current_thread() is threading.main_thread()
    return is_alone and any(thread.is_alive() and _runs_for_user(thread) for thread in [*THREADS.values()][before:])


def _runs_for_user(thread: threading.Thread) -> bool:
    runs = getattr(thread, "function", None) or getattr(thread, "_target", None)
    if runs is None:
        return kind_of(type(thread).__module__) == "user"
    module = getattr(runs, "__module__", None) or ""
    return kind_of(module) in ("user", "stdlib") and not module.startswith(_OF_POOLS)
