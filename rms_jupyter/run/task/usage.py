"""What did a task cost in processor time and memory?

*Processor time* is that of the process with all its threads, where the task runs in the main thread; elsewhere other
tasks may run beside it, and only the task's own thread counts. Commands that it started and waited for are added.

*Peak memory* is measured where a process runs one task at a time (a worker): the most memory that the process held at
any moment of the task (resident set; Python, imported libraries and the pages of memory-mapped inputs included), or
that of a command that the task waited for, if it was more, and more than that of any command before.

Tasks below 10 ms are not measured: reading the counters costs as much as a tiny task. One reading serves all tasks that
begin within half a millisecond, so that is how much processor time may be counted too much.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from threading import get_ident
from time import process_time, thread_time

from rms_jupyter.run.task import descriptors

WORTH_MEASURING = 0.01
_FRESH = 0.0005
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024

_main = threading.main_thread().ident


Mark = tuple[float, resource.struct_rusage | None, int]


_latest: tuple[float, Mark] = -1.0, (0.0, None, 0)


def mark(now: float) -> Mark:
    """Read the counters: processor time, the usage of commands, and the peak so far where it goes on counting.

    Parameters
    ----------
    now : float
        What `time.perf_counter` says.
    """
    global _latest
    if get_ident() != _main:
        return thread_time(), None, 0
    if now - _latest[0] > _FRESH:
        largest = 0 if descriptors.current is None else _forget_peak()
        _latest = now, (process_time(), getrusage(RUSAGE_CHILDREN), largest)
    return _latest[1]


def since(begin: Mark, seconds: float) -> tuple[float, int]:
    """Give the processor time (seconds) and the peak memory (bytes) of a task that took `seconds`; 0 for unknown."""
    if seconds < WORTH_MEASURING:
        return 0.0, 0
    began, before, largest = begin
    if before is None:
        return round(thread_time() - began, 6), 0
    now = getrusage(RUSAGE_CHILDREN)
    of_children = now.ru_utime + now.ru_stime - before.ru_utime - before.ru_stime
    cpu = round(process_time() - began + of_children, 6)
    if descriptors.current is None:
        return cpu, 0
    largest_child = now.ru_maxrss if now.ru_maxrss > before.ru_maxrss else 0
    return cpu, max(_peak(largest), largest_child * _MAXRSS_UNIT)


_reset = (0, -1)  # The process, and its descriptor of clear_refs.


def _forget_peak() -> int:
    """Let the system count the peak from now on; where it does not, give the largest so far."""
    global _reset
    try:
        if _reset[0] != os.getpid():
            _reset = os.getpid(), os.open("/proc/self/clear_refs", os.O_WRONLY)
        os.write(_reset[1], b"5")
    except OSError:
        return getrusage(RUSAGE_SELF).ru_maxrss
    return 0


def _peak(largest_before: int) -> int:
    """Give the peak since it was forgotten; where it could not be, a peak that is larger than any before."""
    if largest_before:
        largest = getrusage(RUSAGE_SELF).ru_maxrss
        return largest * _MAXRSS_UNIT if largest > largest_before else 0
    with open("/proc/self/status", "rb") as status:
        return next((int(line.split()[1]) * 1024 for line in status if line.startswith(b"VmHWM:")), 0)
