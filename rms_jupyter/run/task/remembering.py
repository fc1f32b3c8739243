"""Which results do the user's objects remember (`functools.cached_property`), and are they those of what they hold now?

What is remembered is in no digest: it can be found out again. But it stays when the object is changed, and is then
another than would be found. So it counts for a call, unless it is known that just such an object comes to it: a call
was seen that has filled it in and changed nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from rms_jupyter.fingerprint.remembered import is_of_a_package, remembered
from rms_jupyter.fingerprint.values import Undigestable, digest

Filled = dict[tuple[int, str], Any]

_MOST = 10_000
_known: dict[tuple[bytes, str], bytes] = {}


def filled_in(objects: Sequence[Any]) -> Filled:
    """Find what some objects remember: by the number of the object, and the name."""
    found: Filled = {}
    for number, value in enumerate(objects):
        cls: type = type(value)
        if names := _names_of(cls):
            attributes = getattr(value, "__dict__", {})
            found.update({(number, name): attributes[name] for name in names if name in attributes})
    return found


def pattern_of(objects: Sequence[Any], filled: Filled) -> str:
    """Describe what is remembered, but for what is known to be found by objects like these; '' for nothing."""
    parts = []
    for (number, name), value in sorted(filled.items(), key=lambda item: item[0]):
        part = _digest(value)
        if part and _known.get((_digest(objects[number]), name)) != part:
            parts.append(f"{number}.{name}={part.hex()}")
    return ",".join(parts)


def learn(objects: Sequence[Any], before: Filled) -> None:
    """Note what a call has filled in that has changed nothing."""
    for (number, name), value in filled_in(objects).items():
        if (number, name) not in before and len(_known) < _MOST and (of := _digest(objects[number])):
            _known[of, name] = _digest(value)


@functools.cache
def _names_of(cls: type) -> frozenset[str]:
    """Name what instances remember by what the user's own classes say; packages see to what they change."""
    bases = [] if is_of_a_package(cls) else [base for base in cls.__mro__ if not is_of_a_package(base)]
    return frozenset(name for base in bases for name in remembered(base) & vars(base).keys())


def _digest(value: Any) -> bytes:
    try:
        return digest(value)
    except Undigestable:
        return b""
