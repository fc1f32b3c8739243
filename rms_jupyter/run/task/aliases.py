"""Which parts of a result are objects that the caller holds, or look into their memory?

What the arguments (and globals) hold is numbered (see `reach`), so that a number names the same object of theirs in any
kernel. On a hit the caller's own objects take their places in the result again.
"""

from __future__ import annotations

import enum
import gc
import itertools
import types
import weakref
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from rms_jupyter.fingerprint.nesting import contents, items_of
from rms_jupyter.fingerprint.values import SCALARS
from rms_jupyter.run.task.array_memory import (
    address,
    can_look_into,
    frozen_view_of,
    is_any_array,
    is_array,
    is_row,
    root_of,
    view_of,
)
from rms_jupyter.run.task.changes import can_change, is_plain_object, set_attribute, state_of
from rms_jupyter.run.task.frame_memory import array_of, column_of, is_frame
from rms_jupyter.run.task.reach import Reach, cells_of, held_by, kind_of_container

_MOST = 1000
_DEEPEST = 50
_CODE = (types.FunctionType, types.MethodType)
_OF_PYTHON = frozenset({"builtins", "itertools", "weakref", "_io", "functools", "collections"})

Place = tuple[int | str, ...]


class ArrayView(Struct, frozen=True, array_like=True):
    """Which part of an array another one is a view of; bytes, and the dtype as NumPy writes it."""

    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: str
    is_frozen: bool = False


class Alias(Struct, frozen=True, array_like=True):
    """Something in a result, or in what a call has made of an argument, that the caller holds.

    Attributes
    ----------
    place : tuple of int and str
        Where it stands in the result: indices, keys, names of attributes.
    number : int
        Which of the objects that the arguments hold.
    was : bool
        Whether that is its number before the call: the arguments do not hold it any more.
    view : View or None
        What of its memory.
    into : str
        The argument that it is in now, and did not belong to; '' for the result.
    column : int or None
        Which column it is of a frame that they hold.
    """

    place: Place
    number: int
    was: bool = False
    view: ArrayView | None = None
    into: str = ""
    column: int | None = None


class NotToBeTold(Exception):
    """What a result shares with the arguments cannot be written down; the message says what."""


def aliases_in(value: Any, before: Reach, after: Reach) -> list[Alias]:
    """Find what a result shares with the arguments, as they were before the call and are after it.

    Raises
    ------
    NotToBeTold
    """
    if not any(map(_has_identity, before.objects)) and after is before:
        return []
    return _limited(_Search(before, after).of(value, ()))


def aliases_put_into(value: Any, label: str, before: Reach, own: Collection[int]) -> list[Alias]:
    """Find what a changed argument holds of the others; `own` are the ids of what it held itself before.

    Raises
    ------
    NotToBeTold
    """
    search = _Search(before, before, own)
    found = _limited(alias for key, part in parts_if_any(value) for alias in search.of(part, (key,)))
    return [msgspec.structs.replace(alias, into=label) for alias in found]


def _limited(aliases: Iterator[Alias]) -> list[Alias]:
    found = list(itertools.islice(aliases, _MOST + 1))
    if len(found) > _MOST:
        raise NotToBeTold(f"it shares more than {_MOST} objects with its arguments")
    return found


def with_aliases(value: Any, aliases: Sequence[Alias], before: Reach, after: Reach) -> Any:
    """Put the caller's own objects into a result that was read from the store."""
    for alias in aliases:
        own = (before if alias.was else after).objects[alias.number]
        if alias.view is not None:
            view = alias.view
            make = frozen_view_of if view.is_frozen else view_of
            own = make(own, view.dtype, view.shape, view.offset, view.strides)
        if alias.column is not None:
            own = array_of(own, alias.column)
        value = _with_item(value, alias.place, own)
    return value


class _Search:
    def __init__(self, before: Reach, after: Reach, own: Collection[int] = ()) -> None:
        self._before, self._after, self._own = before, after, own
        self._seen: set[int] = set()

    def of(self, value: Any, place: Place) -> Iterator[Alias]:
        cls = type(value)
        if cls in SCALARS or (not issubclass(cls, tuple) and id(value) in self._seen):
            return
        if alias := self._alias(value, place):
            yield alias
            return
        self._seen.add(id(value))
        if len(place) == _DEEPEST:
            raise NotToBeTold("its result is nested too deeply to say what of it belongs to its arguments")
        if isinstance(value, _CODE):
            self._refuse_shared(value)
        elif cls.__module__ in _OF_PYTHON and kind_of_container(value) is None and not _is_of_generator(value):
            self._refuse_look(value)
        elif any(can_change(cell) and self._alias(cell, ()) for cell in cells_of(value)):
            raise NotToBeTold("its result holds an argument where it cannot be put again")
        for key, part in parts_if_any(value):
            if type(part) in SCALARS:
                continue
            if type(key) not in (int, str):
                self._refuse_shared(part)
            else:
                yield from self.of(part, (*place, key))

    def _alias(self, value: Any, place: Place) -> Alias | None:
        if id(value) in self._own:
            return None
        for reach in (self._after, self._before):
            if (number := reach.number(value)) is not None and (
                _has_identity(value) or _holds_more_than_scalars(value)
            ):
                return Alias(place, number, reach is not self._after)
            if is_row(value) and (reach.looks_into(value.base) or id(root_of(value.base)) in reach.anchors):
                raise NotToBeTold("its result is a row of an argument")
            if is_array(value) and (anchor := reach.anchors.get(id(root_of(value)))) is not None:
                if not can_look_into(anchor, value) or value.dtype.names or not value.size:
                    raise NotToBeTold("its result is a view of an argument")
                offset, is_frozen = address(value) - address(anchor), not value.flags.writeable
                view = ArrayView(offset, value.shape, value.strides, value.dtype.str, is_frozen)
                return Alias(place, self._number(reach, anchor), reach is not self._after, view)
            if is_any_array(value) and (frame := reach.frame_of(value)) is not None:
                if (column := column_of(frame, value)) is not None:
                    return Alias(place, self._number(reach, frame), reach is not self._after, column=column)
                raise NotToBeTold("its result is a view of an argument")
            if (is_any_array(value) and reach.looks_into(value)) or (is_frame(value) and reach.has_memory_of(value)):
                raise NotToBeTold("its result is a view of an argument")
        return None

    @staticmethod
    def _number(reach: Reach, value: Any) -> int:
        number = reach.number(value)
        assert number is not None
        return number

    def _refuse_shared(self, value: Any) -> None:
        """Refuse what holds something of the arguments where it cannot be put again."""
        held = Reach({"": getattr(value, "__self__", None), **held_by(getattr(value, "__func__", value))})
        for part in (value, *held.objects):
            if can_change(part) and self._alias(part, ()):
                raise NotToBeTold("its result holds an argument where it cannot be put again")

    def _refuse_look(self, value: Any) -> None:
        """Refuse what looks at an argument, or at something in it, as it is by then: its keys, an iterator over it."""
        for part in itertools.islice(_behind(value), _MOST):
            number = next((n for reach in (self._after, self._before) if (n := reach.number(part)) is not None), None)
            if number is not None and _has_identity(part) and id(part) not in self._own:
                raise NotToBeTold(f"its result is {_with_article(type(value).__name__)} that looks at an argument")


def _is_of_generator(value: Any) -> bool:
    """Whether a result is what a generator function gives: that is read where it is recorded."""
    return isinstance(value, types.GeneratorType) and value.__name__ != "<genexpr>"


def _behind(value: Any) -> Iterator[Any]:
    """What an object of Python's own refers to, and what that does, one after the other."""
    if type(value) in weakref.ProxyTypes:
        return
    seen, open_ = {id(value)}, [value() if isinstance(value, weakref.ReferenceType) else value]
    while open_:
        part = open_.pop()
        yield part
        if part is value or type(part).__module__ in _OF_PYTHON:
            for inner in gc.get_referents(part):
                if id(inner) not in seen and not isinstance(inner, (type, types.ModuleType)):
                    seen.add(id(inner))
                    open_.append(inner)


def _with_article(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _has_identity(value: Any) -> bool:
    """Whether it matters which of several objects that count the same this is."""
    return can_change(value) or type(value) is object or is_any_array(value) or _has_attributes(type(value))


def _has_attributes(cls: type) -> bool:
    """Whether attributes can be set on what else cannot be changed, as on numbers of a class of the user's."""
    return cls.__dictoffset__ != 0 and not issubclass(cls, enum.Enum)


def _holds_more_than_scalars(value: Any) -> bool:
    return issubclass(type(value), tuple) and not SCALARS.issuperset(map(type, tuple.__iter__(value)))


def parts_if_any(value: Any) -> list[tuple[Any, Any]]:
    """Return what a container, or an object of its attributes alone, holds by index, key or name."""
    try:
        return list(_parts(value))
    except Exception:
        return []  # What cannot be looked into is a whole.


def _parts(value: Any) -> Iterator[tuple[Any, Any]]:
    container = kind_of_container(value)
    if container in (list, tuple):
        items = list(container.__iter__(value))
        if not SCALARS.issuperset(map(type, items)):
            yield from enumerate(items)
    elif container is dict:
        if not SCALARS.issuperset(map(type, contents(value))):
            yield from items_of(value)
    elif isinstance(value, BaseException):
        yield "args", value.args
        yield from sorted(vars(value).items())
    elif is_plain_object(value):
        yield from sorted((state_of(value) or {}).items())


def _with_item(value: Any, place: Place, item: Any) -> Any:
    if not place:
        return item
    first, *rest = place
    if isinstance(value, tuple):
        items = list(value)
        items[int(first)] = _with_item(value[int(first)], tuple(rest), item)
        return tuple(items) if type(value) is tuple else tuple.__new__(type(value), items)
    if isinstance(value, (list, dict)):
        value[first] = _with_item(value[first], tuple(rest), item)  # type: ignore[index]
    else:
        set_attribute(value, str(first), _with_item(getattr(value, str(first)), tuple(rest), item))
    return value
