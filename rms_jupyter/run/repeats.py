"""Which finished work would a run repeat only because code was changed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.run.accept import older_code
from rms_jupyter.run.definition import Definition
from rms_jupyter.store.database import sql_text
from rms_jupyter.store.known import key_mark
from rms_jupyter.store.store import Store

WORTH_A_WORD = 1.0  # seconds of work that would be repeated


@dataclass(frozen=True, slots=True)
class Repeated:
    """Finished tasks of a pipe that run again, and would count if the change of its code were accepted.

    Attributes
    ----------
    pipe : str
    tasks : int
    seconds : float
        How long they took.
    changed : str
        What was changed, in words.
    diff : str
        The same as a unified diff.
    """

    pipe: str
    tasks: int
    seconds: float
    changed: str
    diff: str


def edited(store: Store, definitions: Mapping[str, Definition], epoch: object) -> dict[str, list[bytes]]:
    """List the pipes that are on record with other code than now, and its versions; at next to no cost."""
    versions: dict[str, list[bytes]] = {}
    for version, (_, name) in store.known.facts.pipes.items():
        if name in definitions and version != definitions[name].version(epoch).digest.hex():
            versions.setdefault(name, []).append(bytes.fromhex(version))
    return versions


def has_older_result(store: Store, call: Call, versions: Sequence[bytes]) -> bool:
    """Tell whether a call was tried with one of these versions of its code."""
    return any(store.known.get(key_mark(call.key_under(version))) is not None for version in versions)


def repeated(store: Store, definition: Definition, epoch: object, calls: Sequence[Call]) -> Repeated | None:
    """Count the calls of a pipe that have results of the code that ran last; None if that is not worth a word."""
    older = older_code(store, definition, epoch)
    if older is None:
        return None
    versions = [bytes.fromhex(version) for version in (older.version, *store.accepted(older.version))]
    keys = [call.key_under(version) for call in calls if not call.obstacle for version in versions]
    [(tasks, seconds)] = store.fetch(sql_text("queries/finished.sql"), [keys])
    return Repeated(definition.name, tasks, seconds, older.changed, older.diff) if seconds >= WORTH_A_WORD else None
