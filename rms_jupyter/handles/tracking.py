"""Which resource is this plain value the content of?

Kept by identity, as long as the object lives. What Python shares (None, True, short text) is left out: a text typed by
the user would be taken for one that was computed. Objects that cannot be referred to weakly (numbers, text, lists,
dicts) are held, and let go of once nobody else holds them.
"""

from __future__ import annotations

import sys
import threading
import weakref
from functools import partial
from typing import Any, NamedTuple

import msgspec

from rms_jupyter.fingerprint.traced import TracedInt, is_shared
from rms_jupyter.fingerprint.values import Undigestable, digest
from rms_jupyter.model import Ref

_MOST_ITEMS = 100
_FEW = 512
_LONGEST_NAME = 32  # What is longer and looks like one is data: a sequence of DNA, say.
_SCALARS = frozenset({int, float, complex, str, bytes})


class ValueOrigin(NamedTuple):
    """Where a value came from: the resource, and how the call that gave it here was answered; holds no value."""

    ref: Ref
    hit: bool
    reason: str


class Tracker:
    """Remembers objects that were handed out as the content of resources.

    Attributes
    ----------
    scalars : set of int
        The `id` of each number that was handed out.
    """

    def __init__(self) -> None:
        self._weak: dict[int, tuple[weakref.ref[Any], ValueOrigin]] = {}
        self._held: dict[int, tuple[Any, ValueOrigin]] = {}
        self._most_held = _FEW
        self._letting_go = threading.Lock()
        self.scalars: set[int] = set()

    def track(self, value: Any, ref: Ref, hit: bool = True, reason: str = "") -> None:
        """Remember an object, and the items of a small tuple, list or dict."""
        if _is_shared(value):
            return
        if ref.shown is not None:
            ref = msgspec.structs.replace(ref, shown=None)
        origin = ValueOrigin(ref, hit, reason)
        self._track(value, origin)
        if type(value) in (tuple, list, dict) and len(value) <= _MOST_ITEMS:
            self._track_items(value, origin)

    def track_names(self, names: dict[str, Any], ref: Ref, hit: bool, reason: str) -> None:
        """Remember the variables that a cell has left, each by itself."""
        if len(names) <= _MOST_ITEMS:
            self._track_items(names, ValueOrigin(ref, hit, reason))

    def _track_items(self, value: Any, origin: ValueOrigin) -> None:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if type(key) in (int, str) and not _is_shared(item) and (part := _digest(item)):
                known = self.origin(item)
                if known is None or known.ref.digest != part:  # What came in and went out is still what it was.
                    ref = msgspec.structs.replace(origin.ref, digest=part, item=key)
                    self._track(item, origin._replace(ref=ref))

    def origin(self, value: Any) -> ValueOrigin | None:
        """Find where an object came from, whether or not it was changed since."""
        ident = id(value)
        held = self._held.get(ident)
        if held is not None and held[0] is value:
            return held[1]
        weak = self._weak.get(ident)
        return weak[1] if weak is not None and weak[0]() is value else None

    def lookup(self, value: Any) -> Ref | None:
        """Find the resource whose content an object is, or was when it was handed out."""
        origin = self.origin(value)
        return origin.ref if origin else None

    def let_go(self) -> None:
        """Forget the held objects that nobody else holds."""
        if not self._letting_go.acquire(blocking=False):
            return  # Another thread is at it.
        try:
            while dead := [ident for ident in list(self._held) if sys.getrefcount(self._held[ident][0]) <= _OURS]:
                for ident in dead:
                    del self._held[ident]  # What it holds may go in the next round.
                self.scalars.difference_update(dead)
            self._most_held = max(_FEW, 2 * len(self._held))
        finally:
            self._letting_go.release()

    def _track(self, value: Any, origin: ValueOrigin) -> None:
        ident = id(value)
        try:
            self._weak[ident] = weakref.ref(value, partial(_forget, self._weak, ident)), origin
        except TypeError:
            self._held[ident] = value, origin
            if type(value) in (int, float):
                self.scalars.add(ident)
            if len(self._held) > self._most_held:
                self.let_go()


def _forget(weak: dict[int, Any], ident: int, _: object) -> None:
    weak.pop(ident, None)


def _references() -> int:
    """Count the references to an object that only the tracker holds, as `let_go` counts them."""
    held = {0: (object(), None)}
    return sys.getrefcount(held[0][0])


_OURS = _references()


def _is_shared(value: Any) -> bool:
    kind = type(value)
    if value is None or issubclass(kind, (bool, type)):
        return True
    if kind is int:
        return is_shared(value)
    if kind in (str, bytes):
        return len(value) < 2 or (len(value) <= _LONGEST_NAME and str(value).isidentifier())
    return value == () if kind is tuple else False


def _digest(item: Any) -> str:
    try:
        return digest(item).hex()
    except Undigestable:
        return ""


def own(value: Any) -> Any:
    """Return a value as an object of its own where Python shares one for all whole numbers like it."""
    return TracedInt(value) if type(value) is int and is_shared(value) else value
