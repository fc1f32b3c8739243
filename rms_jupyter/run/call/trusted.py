"""Which recorded calls may answer in a store that is not trusted?  Those of which nothing is read that could run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rms_jupyter.model import TaskRecord
from rms_jupyter.run.task.shown import WITH_BUNDLE, load_messages
from rms_jupyter.store.store import Store

_PLAIN = {"text/plain", "image/png", "image/jpeg"}


def could_run_anything(store: Store, task: TaskRecord) -> bool:
    """Whether to take what a task made from the store, and show what it showed, could run anything."""
    sets_generators = any(label.startswith("random:") for label, _ in task.changes)
    if sets_generators or not all(map(store.may_read, task.out)):
        return True
    return bool(task.shown) and not all(map(_is_plain, load_messages(store.objects, task.shown)))


def _is_plain(message: Sequence[Any]) -> bool:
    """Whether a page or a terminal shows a message without running anything."""
    return message[0] not in WITH_BUNDLE or _PLAIN.issuperset(message[1])
