"""Which resource is this plain value the content of?

Kept by identity, as long as the object lives. Small numbers, short text and the like are left out, because Python
shares them: a 3 typed by the user would be taken for a 3 that was computed.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from typing import Any

import msgspec

from rms_jupyter.fingerprint.values import Undigestable, digest
from rms_jupyter.model import Ref

_MOST_STRONG = 512
_MOST_ITEMS = 100


class Tracker:
    """Remembers objects that were handed out as the content of resources.

    Attributes
    ----------
    scalars : set of int
        The `id` of each number that was handed out.
    """

    def __init__(self) -> None:
        self._weak: dict[int, tuple[weakref.ref[Any], Ref]] = {}
        self._strong: OrderedDict[int, tuple[Any, Ref]] = OrderedDict()
        self.scalars: set[int] = set()

    def track(self, value: Any, ref: Ref, items: bool = True) -> None:
        """Remember an object, and the items of a small tuple, list or dict."""
        if _is_shared(value):
            return
        ident = id(value)
        try:
            self._weak[ident] = weakref.ref(value, lambda _: self._weak.pop(ident, None)), ref
        except TypeError:
            self._strong[ident] = value, ref
            self._strong.move_to_end(ident)
            if type(value) in (int, float):
                self.scalars.add(ident)
            if len(self._strong) > _MOST_STRONG:
                self.scalars.discard(self._strong.popitem(last=False)[0])
        if items and type(value) in (tuple, list, dict) and len(value) <= _MOST_ITEMS:
            for key, item in value.items() if isinstance(value, dict) else enumerate(value):
                if type(key) in (int, str):
                    self._track_item(item, ref, key)

    def lookup(self, value: Any) -> Ref | None:
        """Find the resource whose content an object is; None when it was mutated since."""
        ident = id(value)
        weak = self._weak.get(ident)
        if weak is not None and weak[0]() is value:
            ref = weak[1]
        elif (strong := self._strong.get(ident)) is not None and strong[0] is value:
            ref = strong[1]
        else:
            return None
        return ref if _is_same(value, ref) else None

    def _track_item(self, item: Any, whole: Ref, key: int | str) -> None:
        if _is_shared(item):
            return
        try:
            part = digest(item).hex()
        except Undigestable:
            return
        self.track(item, msgspec.structs.replace(whole, digest=part, shown=None, item=key), items=False)


def _is_shared(value: Any) -> bool:
    if value is None or issubclass(type(value), (bool, type)):
        return True
    if type(value) is int:
        return -5 <= value <= 256
    if type(value) in (str, bytes):
        return len(value) < 2 or str(value).isidentifier()
    return value == () if type(value) is tuple else False


def _is_same(value: Any, ref: Ref) -> bool:
    try:
        return digest(value).hex() == ref.digest
    except Undigestable:
        return True
