"""What does a call come to?"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from rms_jupyter.model import TaskRecord
from rms_jupyter.staleness import Reason


class Answer(Struct, frozen=True):
    """What a call comes to: the task on record, whether it was a hit, why not, and the value if it was just made."""

    id: int
    task: TaskRecord
    hit: bool
    reason: Reason | None
    value: Any = None
    has_value: bool = False

    def without_value(self) -> Answer:
        """Return the same answer, so that the value lives as long as others hold it."""
        return Answer(self.id, self.task, self.hit, self.reason) if self.has_value else self
