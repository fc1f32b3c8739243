"""What does a task need while it runs?"""

from __future__ import annotations

from typing import NamedTuple


class Demand(NamedTuple):
    """What a task needs while it runs, or what there is: cores, and bytes of memory (0: no matter how much)."""

    cores: int = 1
    memory: int = 0
