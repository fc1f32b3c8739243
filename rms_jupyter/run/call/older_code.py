"""Which code did a pipe run before the code that it has now, and what of its results would count?"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from rms_jupyter.run.call.definition import Definition
from rms_jupyter.staleness import TaskFacts, code_diff, differences, in_words
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.store import Store


@dataclass(frozen=True, slots=True)
class OlderCode:
    """The code version that a pipe ran last, before the one it has now.

    Attributes
    ----------
    version : str
    tasks : int
        How many finished tasks it has.
    seconds : float
        How long they took together.
    changed : str
        What was changed since, in words.
    diff : str
        What was changed since, as a unified diff.
    """

    version: str
    tasks: int
    seconds: float
    changed: str
    diff: str


def older_code(store: Store, definition: Definition, epoch: object) -> OlderCode | None:
    """Find the code version that a pipe ran last before its code was changed.

    None if there is none, or its results count already.
    """
    now = definition.version(epoch)
    version = now.digest.hex()
    rows = store.fetch(sql_text("queries/older_code.sql"), [definition.name, version])
    if not rows or rows[0][0] in store.accepted(version):
        return None
    older, tasks, seconds, parts, sources = rows[0]
    then = TaskFacts(msgspec.json.decode(parts), sources=msgspec.json.decode(sources))
    new = TaskFacts(now.parts, sources=now.sources)
    return OlderCode(older, tasks, seconds, in_words(differences(new, then)), code_diff(new, then))


def changed_code(store: Store, definition: Definition, epoch: object) -> OlderCode | None:
    """As `older_code`, at next to no cost where the code that ran last is the code of now."""
    latest = store.find_latest(definition.name)
    if latest is None:
        return None
    pipe = store.pipe_of(latest[1])
    same = pipe is not None and pipe.version == definition.version(epoch).digest.hex()
    return None if same else older_code(store, definition, epoch)
