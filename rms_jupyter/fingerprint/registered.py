"""What has the user's code registered with Python: adapters, ways to pickle, codecs, classes with abstract ones?

Python does not tell which codecs and classes are registered. So functions of ours stand before those that do it, and
pass everything on.
"""

from __future__ import annotations

import abc
import codecs
import contextlib
import copyreg
import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from rms_jupyter.fingerprint.origin import kind_of
from rms_jupyter.fingerprint.values import Undigestable, digest

_finding_codecs: list[Any] = []
_on_errors: dict[str, Any] = {}
adopted: dict[tuple[type, type], None] = {}
_listens = False


def listen() -> None:
    """Hear what is registered, from now on."""
    global _listens
    if not _listens:
        _listens = True
        _stand_before(codecs, "register", _note_codec)
        _stand_before(codecs, "unregister", _forget_codec)
        _stand_before(codecs, "register_error", _note_on_error)
        _stand_before(abc.ABCMeta, "register", _note_adopted)


def _stand_before(place: Any, name: str, note: Callable[..., None]) -> None:
    own = getattr(place, name)

    @functools.wraps(own)
    def heard(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        done = own(*args, **kwargs)
        if kind_of(sys._getframe(1).f_globals.get("__name__")) == "user":
            with contextlib.suppress(Exception):
                note(*args, **kwargs)
        return done

    heard.__module__ = place.__module__ if isinstance(place, type) else place.__name__  # Where pickle looks for it.
    setattr(place, name, heard)


def _note_codec(find: Any) -> None:
    _finding_codecs.append(find)


def _forget_codec(find: Any) -> None:
    _finding_codecs.remove(find)


def _note_on_error(name: str, does: Any) -> None:
    _on_errors[name] = does


def _note_adopted(cls: type, subclass: type) -> None:
    if kind_of(cls.__module__) != "user":
        adopted[cls, subclass] = None


def adapters() -> dict[str, str]:
    """Describe what SQLite is told of types, beside what Python and pandas tell it."""
    sqlite3 = sys.modules["sqlite3"]
    adapting = _told_by_others(tuple(sqlite3.adapters.items()))
    converting = _told_by_others(tuple(sqlite3.converters.items()))
    found = {name: _described(does) for name, does in _of_what_is_there((kind, does) for (kind, _), does in adapting)}
    return found | {name: _described(does) for name, does in converting}


@functools.lru_cache(maxsize=2)
def _told_by_others(told: tuple[tuple[Any, Any], ...]) -> list[tuple[Any, Any]]:
    return [one for one in told if getattr(one[1], "__module__", "") not in ("sqlite3.dbapi2", "pandas.io.sql")]


def ways_to_pickle() -> dict[str, str]:
    """Describe how the user has classes pickled and copied."""
    return {name: _described(does) for name, does in _of_what_is_there(_users(tuple(copyreg.dispatch_table.items())))}


@functools.lru_cache(maxsize=1)
def _users(registered: tuple[tuple[type, Any], ...]) -> list[tuple[type, Any]]:
    return [one for one in registered if any(kind_of(getattr(of, "__module__", "")) == "user" for of in one)]


def codecs_registered() -> dict[str, str]:
    """Describe what finds codecs, in the order in which it is asked, and what is done on errors."""
    if not (_finding_codecs or _on_errors):
        return {}
    found = {f"codec {place}": _described(find) for place, find in enumerate(_finding_codecs)}
    return found | {f"on errors {name}": _described(does) for name, does in _on_errors.items()}


def adopted_by_packages() -> dict[str, list[str]]:
    """Name the classes that were registered with abstract ones of packages, by these: ``Sequence.register(Deck)``."""
    found: dict[str, list[str]] = {}
    for name, cls in _of_what_is_there((subclass, cls) for cls, subclass in [*adopted]):
        found.setdefault(f"{cls.__module__}.{cls.__qualname__}", []).append(name)
    return {name: sorted({*names}) for name, names in found.items()}


def _of_what_is_there(registered: Iterable[tuple[type, Any]]) -> Iterator[tuple[str, Any]]:
    """Leave out what was registered for a class that was defined again since: it says nothing of the new one."""
    for kind, what in registered:
        found: Any = sys.modules.get(kind.__module__)
        for part in kind.__qualname__.split("."):
            found = getattr(found, part, None)
        if found is kind or found is None:
            yield f"{kind.__module__}.{kind.__qualname__}", what


def _described(registered: Any) -> str:
    """Digest what was registered; it counts as another each time where nothing can be said of it."""
    try:
        return digest(registered).hex()
    except Undigestable:
        return repr(registered)
