"""What does a call do beside giving a value: to its arguments, to globals, and to the generators of random numbers?

After a call its mutable arguments and globals are digested again. What has changed is an output, which a hit makes of
the caller's own object, in place; where that is impossible the call is not answered from the store. A result that is
one of the arguments, holds one, or is a view of one, is that again on a hit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from rms_jupyter import model
from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.fingerprint.preview import type_name
from rms_jupyter.fingerprint.values import SCALARS, Undigestable, digest
from rms_jupyter.model import Reference
from rms_jupyter.run.changes import can_change, change
from rms_jupyter.run.definition import Definition
from rms_jupyter.run.made import Made

_DEEPEST = 3
_MOST_ITEMS = 100
_IMMUTABLE = SCALARS | {complex, range, slice, type}

Place = tuple[int | str, ...]


class View(Struct, frozen=True, array_like=True):
    """Which part of an array another one is a view of; bytes, and the dtype as NumPy writes it."""

    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: str


class Alias(Struct, frozen=True, array_like=True):
    """Something in a result that is an argument (or a global): where it stands, which one, and what of it."""

    place: Place
    of: str
    view: View | None = None


class Effects(Struct):
    """What a call did.

    Attributes
    ----------
    changed : list of (str, object)
        Arguments and, as ``global:label``, globals, and what they are now.
    aliases : list of Alias
    obstacle : str
        Why that cannot be repeated from the store, if it cannot.
    """

    changed: list[tuple[str, Any]]
    aliases: list[Alias]
    obstacle: str = ""


def effects_of(call: Call, value: Any) -> Effects:
    """Find out what a call that has just run has done."""
    if not call.digests:
        return Effects([], [])
    found = Effects([], [])
    held = list(_mutable(call))
    for label, held_value in held:
        if _digest(held_value) != call.digests[label]:
            found.changed.append((label, held_value))
            if not can_change(held_value):
                name = label.removeprefix("global:")
                found.obstacle = f"it changes {name} ({type_name(held_value)}) in place, which cannot be done again"
    if held and type(value) not in _IMMUTABLE:
        found.aliases, views = _aliases(value, held)
        found.obstacle = found.obstacle or views
    return found


def _mutable(call: Call) -> Iterator[tuple[str, Any]]:
    """The arguments and globals that the function could have changed; those that hold handles came as copies."""
    named = zip(call.names, call.values, strict=True)
    for name, value in (*named, *((f"global:{label}", value) for label, value in call.globals.items())):
        kind = type(value)
        is_copy = issubclass(kind, Reference) or name in call.inputs.wrapped
        if name in call.digests and kind not in _IMMUTABLE and not is_copy:
            yield name, value


def digests_of(args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[bytes | None]:
    """Describe the arguments that a function could change."""
    return [_digest(value) for value in (*args, *kwargs.values()) if type(value) not in _IMMUTABLE]


def _digest(value: Any) -> bytes | None:
    try:
        return digest(value)
    except Undigestable:
        return None


def unseen(definition: Definition, made: Made) -> str:
    """Say that nothing can be seen of what a call did, if so: it gives no value, and does something all the same."""
    [value] = made.out if len(made.out) == 1 else [None]
    nothing = value is not None and value.type == "NoneType" and not (made.printed or made.shown or made.written_aside)
    return "it returns nothing, and what it does is not seen" if nothing and definition.is_procedure else ""


# What of the result is an argument ------------------------------------------------------------------------------------


def _aliases(value: Any, held: list[tuple[str, Any]]) -> tuple[list[Alias], str]:
    arguments = {id(argument): label for label, argument in held}
    arrays = [(label, argument) for label, argument in held if _is_array(argument)]
    found: list[Alias] = []
    for place, item in _items(value, (), 0):
        if (label := arguments.get(id(item))) is not None:
            found.append(Alias(place, label))
        elif arrays and _is_array(item):
            for label, argument in arrays:
                if _share_memory(item, argument):
                    if (view := _view_of(item, argument)) is None:
                        return [], f"its result is a view of {label.removeprefix('global:')}"
                    found.append(Alias(place, label, view))
    return found, ""


def _items(value: Any, place: Place, depth: int) -> Iterator[tuple[Place, Any]]:
    yield place, value
    if depth < _DEEPEST and type(value) in (list, tuple, dict) and len(value) <= _MOST_ITEMS:
        items = value.items() if type(value) is dict else enumerate(value)
        for key, item in items:
            if type(key) in (int, str) and type(item) not in _IMMUTABLE:
                yield from _items(item, (*place, key), depth + 1)


def _is_array(value: Any) -> bool:
    return type(value).__module__ == "numpy" and type(value).__name__ == "ndarray"


def _share_memory(a: Any, b: Any) -> bool:
    import numpy as np

    return bool(np.may_share_memory(a, b))


def _view_of(item: Any, argument: Any) -> View | None:
    """Describe a view of an array that lies in memory in one piece."""
    if not argument.flags.c_contiguous or item.dtype.hasobject or argument.dtype.hasobject:
        return None
    offset = item.__array_interface__["data"][0] - argument.__array_interface__["data"][0]
    lowest = offset + sum(min(0, step * (size - 1)) for step, size in zip(item.strides, item.shape, strict=True))
    highest = offset + sum(max(0, step * (size - 1)) for step, size in zip(item.strides, item.shape, strict=True))
    if not item.size or lowest < 0 or highest + item.itemsize > argument.nbytes:
        return None
    return View(offset, item.shape, item.strides, item.dtype.str) if not item.dtype.names else None


# On a hit -------------------------------------------------------------------------------------------------------------


class NotRepeatable(Exception):
    """What a call did cannot be done again to these objects."""


def repeat(
    call: Call,
    task: model.Task,
    restore: Callable[[model.Resource], Any],
    restore_generator: Callable[[str, Any], None],
) -> tuple[bool, Any]:
    """Do to the caller's objects what a recorded call did.

    Parameters
    ----------
    call : Call
    task : model.Task
        The record that answers it.
    restore : callable
        Reads the content of a resource.
    restore_generator : callable
        Puts a generator of random numbers, by its name, into a state.

    Returns
    -------
    (bool, object)
        Whether the result is (or holds) an argument, and then the result.

    Raises
    ------
    NotRepeatable
        If that is impossible; nothing was changed then.
    """
    caller = dict(zip(call.names, call.values, strict=True))
    caller |= {f"global:{label}": value for label, value in call.globals.items()}
    try:
        states, new = [], []
        for label, slot in task.changes:
            content = restore(task.out[slot - 1])
            if label.startswith("random:"):
                states.append((label.removeprefix("random:"), content))
            else:
                new.append((caller[label], content))
        value = restore(task.out[0]) if any(place for place, *_ in task.aliases) else None
        aliases = msgspec.convert(task.aliases, list[Alias])
        if not all(alias.of in caller for alias in aliases):
            raise NotRepeatable
    except Exception as error:
        raise NotRepeatable from error
    if not all(_fits(target, content) for target, content in new):
        raise NotRepeatable
    for target, content in new:
        if not change(target, content):
            raise NotRepeatable
    for name, state in states:
        restore_generator(name, state)
    for alias in aliases:
        own = caller[alias.of] if alias.view is None else _as_view(caller[alias.of], alias.view)
        value = _with_item(value, alias.place, own)
    return bool(aliases), value


def _fits(target: Any, content: Any) -> bool:
    same = type(target) is type(content) and can_change(target)
    return same and (not _is_array(target) or (target.shape, target.dtype) == (content.shape, content.dtype))


def _as_view(argument: Any, view: View) -> Any:
    import numpy as np

    return np.ndarray(view.shape, view.dtype, argument.data, view.offset, view.strides)


def _with_item(value: Any, place: Place, item: Any) -> Any:
    if not place:
        return item
    first, *rest = place
    inner = _with_item(value[first], tuple(rest), item)
    if type(value) is tuple:
        items = list(value)
        items[int(first)] = inner
        return tuple(items)
    value[first] = inner
    return value
