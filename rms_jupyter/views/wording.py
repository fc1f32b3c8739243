"""How are durations, sizes and calls worded for people?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rms_jupyter.errors import words_of

if TYPE_CHECKING:
    from rms_jupyter.run.plan.repeats import Repeated

_LONG_UNITS = (("min", 60, "s", 1, 3570), ("h", 3600, "min", 60, 86100), ("d", 86400, "h", 3600, float("inf")))


def duration(seconds: float) -> str:
    """Word a time span.

    Examples
    --------
    >>> [duration(s) for s in (0.0000042, 0.012, 2.14, 75, 4000, 90000)]
    ['4 µs', '12 ms', '2.1 s', '1 min 15 s', '1 h 7 min', '1 d 1 h']
    """
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 0.995:
        return f"{seconds * 1e3:.0f} ms"
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    for unit, size, smaller, part, below in _LONG_UNITS:
        if seconds < below:
            whole, rest = divmod(round(seconds / part), size // part)
            return f"{whole} {unit}" + (f" {rest} {smaller}" if rest and whole < 10 else "")
    raise AssertionError


def size(count: int) -> str:
    """Word a number of bytes.

    Examples
    --------
    >>> [size(n) for n in (0, 999, 48_000, 1_234_567, 5 * 10**9)]
    ['0 B', '999 B', '48 kB', '1.2 MB', '5.0 GB']
    """
    if count < 1000:
        return f"{count} B"
    scaled = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        scaled /= 1000
        if scaled < 999.5 or unit == "TB":
            return f"{scaled:.0f} {unit}" if unit == "kB" or scaled >= 10 else f"{scaled:.1f} {unit}"
    raise AssertionError


def repeated_work(repeats: Sequence[Repeated]) -> str:
    """Word which finished work a run repeats.

    Examples
    --------
    >>> from rms_jupyter.run.plan.repeats import Repeated
    >>> repeated_work([Repeated("qc", 397, 10800.0, "qc", ""), Repeated("trim", 3, 60.0, "CUTOFF 3 → 4", "")])
    '400 finished tasks run again: qc changed, trim changed (CUTOFF 3 → 4), about 3 h 1 min'
    """
    tasks, seconds = sum(one.tasks for one in repeats), sum(one.seconds for one in repeats)
    changed = [f"{one.pipe} changed" + (f" ({one.changed})" if one.changed != one.pipe else "") for one in repeats]
    number = "1 finished task runs" if tasks == 1 else f"{tasks:,} finished tasks run"
    return f"{number} again: {', '.join(changed)}, about {duration(seconds)}"


def exception_line(error: BaseException) -> str:
    r"""Word an exception in one line.

    Examples
    --------
    >>> exception_line(ValueError("two\nlines"))
    'ValueError: two'
    """
    return f"{type(error).__name__}: {next(iter(words_of(error).splitlines()), '')}"
