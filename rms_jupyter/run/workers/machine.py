"""How many cores and how much memory are there for us, containers' limits included?"""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def cores() -> int:
    """Cores that this process may use."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _first_line(_CGROUP / "cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit():
        count = min(count, max(1, math.ceil(int(quota) / int(period))))
    return count


def memory() -> int:
    """Bytes of memory that tasks may use together: what the machine, or the container, has."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [_first_line(_CGROUP / name) for name in ("memory.max", "memory/memory.limit_in_bytes")]
    return min([there, *(int(limit) for limit in limits if limit.isdigit())])


def _first_line(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
