"""Has a call changed something that it has also taken out of the argument that held it?

What has left cannot be changed again: what it has become is not kept with the argument, so that
``last = rows.pop(); last.seen = True`` would be done to a copy of the caller's object.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from rms_jupyter.fingerprint.values import SCALARS
from rms_jupyter.run.task.aliases import parts_if_any
from rms_jupyter.run.task.changes import can_change, is_plain_object
from rms_jupyter.run.task.reach import holds_what, is_same_as_noted, kind_of_container

_MOST = 100_000

Place = tuple[Any, ...]


class Whereabouts:
    """Where the objects stand that some values hold, and what each holds itself.

    Parameters
    ----------
    values : mapping of str to object
        The arguments and globals of a call, by label.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._places = _places(values)
        self._noted = [
            (part, place, holds_what(part)) for place, part in self._places.values() if _is_noted(part, place)
        ]

    def moved(self) -> str:
        """Return the label of a value with something that has changed, and is not in it any more; '' if none."""
        if not self._noted:
            return ""
        now = _places(self._values)
        for part, place, before in self._noted:
            place_now, _ = now.get(id(part), ((), None))
            if place_now[:1] != place[:1] and not is_same_as_noted(before, holds_what(part)):
                return str(place[0])
        return ""


def _is_noted(part: Any, place: Place) -> bool:
    is_looked_into = kind_of_container(part) is not None or is_plain_object(part)
    return len(place) > 1 and is_looked_into and can_change(part)


def _places(values: Mapping[str, Any]) -> dict[int, tuple[Place, Any]]:
    found: dict[int, tuple[Place, Any]] = {}
    waiting: deque[tuple[Place, Any]] = deque(((label,), value) for label, value in values.items())
    while waiting and len(found) < _MOST:
        place, value = waiting.popleft()
        if type(value) not in SCALARS and id(value) not in found:
            found[id(value)] = place, value
            waiting.extend(((*place, key), part) for key, part in parts_if_any(value))
    return found
