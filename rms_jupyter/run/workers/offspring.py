"""How does a process end with all that it has started, in sessions of their own too, and with its parent?"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator

from rms_jupyter.run.task.left_running import is_running

_LOOK_EVERY = 1.0  # seconds
_FAREWELL = 2.0  # seconds
_DYING = 2.0  # seconds that a busy machine may need to end what was killed
_ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER

_WORKERS = re.compile(r"\bloky\b|multiprocessing\.spawn")

_is_watching = False
_is_leaving = threading.Event()


def adopt_orphans() -> None:
    """Let what this process has started stay below it when what stands between has ended, where the system can."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_ADOPT_ORPHANS, 1, 0, 0, 0)


def kill_with_offspring(pid: int) -> None:
    """Kill a process and all that stands below it, which has ended then; it starts nothing more meanwhile."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    killed: set[int] = set()
    while below := set(offspring(pid)) - killed:  # They may have started some before they stopped.
        _signal(below, signal.SIGSTOP)
        _signal(below, signal.SIGKILL)
        killed |= below
    _signal([pid], signal.SIGKILL)
    until = time.monotonic() + _DYING
    while any(map(is_running, killed)) and time.monotonic() < until:
        time.sleep(0.005)


def killed_by(number: int) -> str:
    """Word by which signal a process was killed; some have no names.

    Examples
    --------
    >>> killed_by(9), killed_by(40)
    ('was killed by SIGKILL', 'was killed by signal 40')
    """
    try:
        return f"was killed by {signal.Signals(number).name}"
    except ValueError:
        return f"was killed by signal {number}"


def offspring(pid: int) -> list[int]:
    """List the processes that a process has started, and those that they have, if it is there."""
    import psutil

    try:
        return [process.pid for process in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def goes_on(group: int, patience: float) -> bool:
    """Whether something of a process group still runs after some seconds."""
    until = time.monotonic() + patience
    while _has_group(group) and any(map(is_running, _in_group(group))):  # Not what has ended, and nobody has asked for.
        if time.monotonic() > until:
            return True
        time.sleep(0.02)
    return False


def _has_group(number: int) -> bool:
    try:
        os.killpg(number, 0)
    except (ProcessLookupError, PermissionError):  # There is none, or its number was used again.
        return False
    return True


def _in_group(number: int) -> Iterator[int]:
    import psutil

    for pid in psutil.pids():
        with contextlib.suppress(OSError):
            if os.getpgid(pid) == number:
                yield pid


def end_with_parent() -> None:
    """Let this process end soon when its parent has, even in the middle of a task, with all that it has started."""
    global _is_watching
    if not _is_watching:
        _is_watching = True
        threading.Thread(target=_watch, args=(os.getppid(),), name="rms-parent", daemon=True).start()


def leave_soon() -> None:
    """Let this process end two seconds after it has begun to, whatever tasks have asked to be done then.

    To be called after each task: what was registered last is done first.
    """
    atexit.unregister(_is_leaving.set)
    atexit.register(_is_leaving.set)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        if _is_leaving.wait(_LOOK_EVERY):
            time.sleep(_FAREWELL)
            os._exit(0)
    _signal([*offspring(os.getpid()), *_others_left()], signal.SIGKILL)
    if os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _others_left() -> list[int]:
    """List the other workers of the parent that is gone: those that were given nothing to do are not looking."""
    import psutil

    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            is_beside = process.ppid() == os.getppid() and os.getpgid(process.pid) == os.getpgid(0)
            if is_beside and process.pid != os.getpid() and any(map(_WORKERS.search, process.cmdline())):
                found.append(process.pid)
    return found


def _signal(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
