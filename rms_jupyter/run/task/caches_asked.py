"""Does a result rest on what a function remembers (`functools.lru_cache`) of a time when things stood otherwise?

What such a function has once given it gives again, though a global or a function that it rests on was changed since, or
an object that it was given. A call that gets such a result is answered by it here, but nowhere else.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.fingerprint.code import CodeVersion, describe
from rms_jupyter.fingerprint.values import digest, tagged
from rms_jupyter.run.task.changes import can_change

_OF_SEVERAL = b"several"
_filled_under: WeakKeyDictionary[Any, tuple[bytes, int]] = WeakKeyDictionary()
_versions: WeakKeyDictionary[Any, CodeVersion] = WeakKeyDictionary()


def caches_of(version: CodeVersion, call: Call) -> list[Any]:
    """Find the functions that remember what they give and that a call may call."""
    return [cache for one in (version, *call.described) for cache in one.caches]


class CachesAsked:
    """What functions remember, before a call runs.

    Parameters
    ----------
    caches : iterable of object
        Those that its code may call.
    """

    def __init__(self, caches: Iterable[Any]) -> None:
        self._before = {id(cache): (cache, cache.cache_info()) for cache in caches}
        for cache, info in self._before.values():
            _look(cache, info.currsize, info.misses)

    def doubt(self) -> str:
        """Say which of them has given what it may not give anywhere else, once the call has run; '' for none."""
        found = ""
        for cache, before in self._before.values():
            now = cache.cache_info()
            if before.currsize and now.hits > before.hits and (_is_of_another(cache) or _is_given_objects(cache)):
                found = f"{cache.__name__} gives what it remembers, and what it rests on may have changed since"
            _look(cache, before.currsize, now.misses)
        return found


def _look(cache: Any, size: int, misses: int) -> None:
    """Note how all stands that a function rests on, while it remembers what it gives."""
    state = _state_of(cache)
    filled_under, known = _filled_under.get(cache, (state, misses)) if size else (state, misses)
    _filled_under[cache] = (filled_under if misses == known or state == filled_under else _OF_SEVERAL), misses


def _is_of_another(cache: Any) -> bool:
    return _filled_under[cache][0] != _state_of(cache)


def _state_of(cache: Any) -> bytes:
    version = _versions.get(cache)
    try:
        if version is None or not version.holds():
            version = _versions[cache] = describe(cache)
        return tagged("state", [version.digest, *(digest(read.namespace.get(read.name)) for read in version.reads)])
    except Exception:
        return b""


def _is_given_objects(cache: Any) -> bool:
    """Whether it tells some of what it was given apart by which object it is, whatever that holds."""
    of_each: Any = object.__hash__
    return any(type(item).__hash__ is of_each and can_change(item) for item in _given(cache))


def _given(cache: Any) -> Iterator[Any]:
    for held in gc.get_referents(cache):
        for key in list(held) if type(held) is dict else ():
            yield from key if isinstance(key, (list, tuple)) else (key,)
