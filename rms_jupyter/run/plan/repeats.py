"""Which finished work would a run repeat only because code was changed?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.call.older_code import older_code
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.recent_index import key_mark
from rms_jupyter.store.store import Store

WORTH_A_WORD = 1.0  # seconds of work that would be repeated
_LOOK_UPS_AHEAD = 5_000


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


def foresee(
    store: Store,
    definitions: Mapping[str, Definition],
    epoch: object,
    misses: Callable[[float], Iterable[Call]],
) -> list[Repeated]:
    """Find the finished work that a run would repeat, at next to no cost if there is none.

    Parameters
    ----------
    store : Store
    definitions : mapping of str to Definition
        The pipes of the run by name.
    epoch : object
        The cell being run; see `Definition.version`.
    misses : callable
        Gives the calls that are to run, after as many look-ups.
    """
    versions = _edited(store, definitions, epoch)
    if not versions:
        return []
    ahead = (call for call in misses(_LOOK_UPS_AHEAD) if call.pipe_name in versions)
    if not any(_has_older_result(store, call, versions[call.pipe_name]) for call in ahead):
        return []
    calls: dict[str, list[Call]] = {name: [] for name in versions}
    for call in misses(math.inf):
        if call.pipe_name in calls:
            calls[call.pipe_name].append(call)
    found = [_repeated(store, definitions[name], epoch, own) for name, own in calls.items()]
    return [one for one in found if one is not None]


def _edited(store: Store, definitions: Mapping[str, Definition], epoch: object) -> dict[str, list[bytes]]:
    """List the pipes that are on record with other code than now, and its versions."""
    versions: dict[str, list[bytes]] = {}
    for version, name in dict.fromkeys(store.known.facts.pipes.values()):
        if name in definitions and version != definitions[name].version(epoch).digest.hex():
            versions.setdefault(name, []).append(bytes.fromhex(version))
    return versions


def _has_older_result(store: Store, call: Call, versions: Sequence[bytes]) -> bool:
    """Tell whether a call was tried with one of these versions of its code."""
    return any(store.known.get(key_mark(call.key_under(version))) is not None for version in versions)


def _repeated(store: Store, definition: Definition, epoch: object, calls: Sequence[Call]) -> Repeated | None:
    """Count the calls of a pipe that have results of the code that ran last; None if that is not worth a word."""
    older = older_code(store, definition, epoch)
    if older is None:
        return None
    versions = [bytes.fromhex(version) for version in (older.version, *store.accepted(older.version))]
    keys = [call.key_under(version) for call in calls if not call.obstacle for version in versions]
    [(tasks, seconds)] = store.fetch(sql_text("queries/finished.sql"), [keys])
    return Repeated(definition.name, tasks, seconds, older.changed, older.diff) if seconds >= WORTH_A_WORD else None
