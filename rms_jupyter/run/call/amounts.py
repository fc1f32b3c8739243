"""How are amounts read that people write: of memory and of time?"""

from __future__ import annotations

import datetime
import re

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SPANS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN_NAMES = {"second": "s", "sec": "s", "minute": "min", "m": "min", "hour": "h", "day": "d", "week": "w"}


def bytes_of(text: str) -> int:
    """Read an amount of memory.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> bytes_of("4 GB"), bytes_of("1.5k")
    (4000000000, 1500)
    """
    found = re.fullmatch(r"\s*([\d.]+)\s*([kmgt]?)b?\s*", text.lower())
    return int(float(found[1]) * _UNITS[found[2]]) if found else int("")


def seconds_of(span: str | datetime.timedelta) -> float:
    """Read a span of time.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> seconds_of("7 days"), seconds_of("12h")
    (604800.0, 43200.0)
    """
    if isinstance(span, datetime.timedelta):
        return span.total_seconds()
    found = re.fullmatch(r"\s*([\d.]+)\s*([a-z]+?)s?\s*", span.lower())
    unit = _SPANS.get(_SPAN_NAMES.get(found[2], found[2])) if found else None
    return float(found[1]) * unit if found and unit else float("")
