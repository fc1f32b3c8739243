"""Which frames was something drawn from?  Those that its call was given, or else the nearest call before it."""

from __future__ import annotations

import contextlib

from rms_jupyter.model import ResourceRecord, TaskRecord, resource_id
from rms_jupyter.store.store import Store

_FRAMES = ("DataFrame", "Series", "Table", "Dataset", "DataArray")


def frames_behind(store: Store, ident: int) -> dict[str, int]:
    """Find the frames that something was made from, the nearest ones.

    Parameters
    ----------
    store : Store
    ident : int
        Id of a task, or of a resource that a task has made.

    Returns
    -------
    dict of str to int
        Their ids, by what the call names them; empty where there is none on the way.
    """
    level, met = {ident}, set[int]()
    while level:
        frames: dict[str, int] = {}
        above: set[int] = set()
        for place, task in map(store.record, level):
            met.add(place)
            for target, role in task.used if isinstance(task, TaskRecord) else ():
                found = resource_id(target, place)
                with contextlib.suppress(LookupError):  # It was deleted, or cannot be read any more.
                    if _is_frame(store.resource(found)):
                        frames.setdefault(role.removeprefix("global:"), found)
                    above.add(store.record(found)[0])
        if frames:
            return frames
        level = above - met
    return {}


def _is_frame(resource: ResourceRecord) -> bool:
    return resource.type.rpartition(".")[2] in _FRAMES
