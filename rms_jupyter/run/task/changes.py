"""How does an object become what another one of its type is, in place, so that everybody who holds it sees the change?

Which of its parts are the caller's own is not seen to here (see `twins`).
"""

from __future__ import annotations

import array
import random
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from copyreg import _slotnames  # type: ignore[attr-defined]
from typing import Any

from rms_jupyter.fingerprint.remembered import module_of
from rms_jupyter.fingerprint.values import Undigestable, digest

Become = Callable[[Any, Any], bool]


def can_change(value: Any) -> bool:
    """Whether an object can be made equal to another one of its type in place.

    Examples
    --------
    >>> can_change([1]), can_change((1,)), can_change(random.Random(1))
    (True, False, True)
    """
    return _way_of(value) is not None


def become(target: Any, new: Any) -> bool:
    """Make an object hold what another one of its type holds, those very parts; return whether that could be done."""
    way = _way_of(target)
    return way is not None and type(target) is type(new) and way(target, new)


def is_plain_object(value: Any) -> bool:
    """Whether an object holds nothing but its attributes."""
    return _way_of(value) is _become_object


def _digest(value: Any) -> bytes | None:
    try:
        return digest(value)
    except Undigestable:
        return None


# How each type becomes another of its kind ----------------------------------------------------------------------------


def _way_of(value: Any) -> Become | None:
    """Find the way in which an object takes over what another one holds."""
    cls = type(value)
    for base in cls.__mro__:
        if base is object:
            return _become_object if _is_plain_object(cls) else None
        way = _WAYS.get(base) or _LIBRARY_WAYS.get((module_of(base).partition(".")[0], base.__name__))
        if way is not None:
            return way if way is not _become_array or value.flags.writeable else None
        if not _is_made_by_class_statement(base):
            return None
    return None


def _is_made_by_class_statement(cls: type) -> bool:
    """Whether instances hold nothing but attributes; those of Rust and Cython hold what Python does not see."""
    is_first = cls.__base__ is object
    return bool(cls.__flags__ & _HEAP_TYPE) and (not is_first or "__dict__" in vars(cls) or "__slots__" in vars(cls))


_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE


def _is_plain_object(cls: type) -> bool:
    reduces_itself = any("__reduce__" in vars(base) or "__reduce_ex__" in vars(base) for base in cls.__mro__[:-1])
    return cls is not object and not reduces_itself


def state_of(value: Any) -> dict[str, Any] | None:
    """The attributes of an instance; None where it has none, or its library sees to them."""
    names = getattr(value, "__dict__", None)
    if _way_of(value) in _LIBRARY_WAYS.values() or (names is None and not _slotnames(type(value))):
        return None
    slots = {name: getattr(value, name) for name in _slotnames(type(value)) if hasattr(value, name)}
    return {**(names or {}), **slots}


def set_attribute(target: Any, name: str, value: Any) -> None:
    """Set an attribute of an instance, whatever its class says of that."""
    if name in getattr(target, "__dict__", ()):
        target.__dict__[name] = value
    else:
        object.__setattr__(target, name, value)


def _set_state(target: Any, state: dict[str, Any]) -> None:
    slots = _slotnames(type(target))
    for name in slots:
        if name in state:
            object.__setattr__(target, name, state[name])
        elif hasattr(target, name):
            object.__delattr__(target, name)
    if hasattr(target, "__dict__"):
        names = {name: value for name, value in state.items() if name not in slots}
        target.__dict__.clear()
        target.__dict__.update(names)


def _with_state(way: Callable[[Any, Any], None]) -> Become:
    """Take over the attributes of instances of subclasses too."""

    def become_with_state(target: Any, new: Any) -> bool:
        way(target, new)
        if (state := state_of(new)) is not None:
            _set_state(target, state)
        return True

    return become_with_state


def _become_object(target: Any, new: Any) -> bool:
    _set_state(target, state_of(new) or {})
    return True


def _become_list(target: list[Any], new: list[Any]) -> None:
    list.__setitem__(target, slice(None), list(list.__iter__(new)))


def _become_dict(target: dict[Any, Any], new: dict[Any, Any]) -> None:
    items = list(dict.items(new))
    dict.clear(target)
    for key, value in items:
        dict.__setitem__(target, key, value)


def _become_ordered(target: OrderedDict[Any, Any], new: OrderedDict[Any, Any]) -> None:
    items = list(new.items())
    OrderedDict.clear(target)
    for key, value in items:
        OrderedDict.__setitem__(target, key, value)


def _become_default(target: defaultdict[Any, Any], new: defaultdict[Any, Any]) -> None:
    target.default_factory = new.default_factory
    _become_dict(target, new)


def _become_set(target: set[Any], new: set[Any]) -> None:
    kept = {item: item for item in target}
    items = [kept.get(item, item) for item in new]
    set.clear(target)
    set.update(target, items)


def _become_deque(target: deque[Any], new: deque[Any]) -> bool:
    if target.maxlen != new.maxlen:
        return False
    items = list(new)
    deque.clear(target)
    deque.extend(target, items)
    return True


def _become_bytes(target: bytearray, new: bytearray) -> None:
    target[:] = bytes(new)


def _become_typed(target: array.array[Any], new: array.array[Any]) -> bool:
    if target.typecode != new.typecode:
        return False
    target[:] = new[:]
    return True


def _become_array(target: Any, new: Any) -> bool:
    if target.shape != new.shape or target.dtype != new.dtype:
        return False
    if hasattr(target, "mask"):
        target.mask = new.mask
        target.data[...] = new.data
        if (fill_value := new.__reduce__()[2][-1]) is not None:
            target.fill_value = fill_value
    else:
        target[...] = new
    return True


def _become_generator(target: Any, new: Any) -> bool:
    mine, other = target.bit_generator, new.bit_generator
    if type(mine) is not type(other):
        return False
    mine.state = other.state
    spawned = getattr(other.seed_seq, "n_children_spawned", 0) - getattr(mine.seed_seq, "n_children_spawned", 0)
    if spawned > 0:
        mine.seed_seq.spawn(spawned)
    return spawned >= 0


def _become_random_state(target: Any, new: Any) -> bool:
    target.set_state(new.get_state(legacy=False))
    return True


def _become_random(target: random.Random, new: random.Random) -> None:
    target.setstate(new.getstate())


def _become_index(target: Any, new: Any) -> Any:
    """Give the index that was there, with another name if it has one, where it has the same labels."""
    names, same = list(new.names), type(target) is type(new) and len(target) == len(new)
    if not same or _digest(target.rename(names if target.nlevels > 1 else names[0])) != _digest(new):
        return new
    if list(target.names) != names:
        target.names = names
    return target


def _become_polars(target: Any, new: Any) -> bool:
    for name in ("_df", "_s"):
        if hasattr(target, name):
            setattr(target, name, getattr(new, name))
            return True
    return False


def _become_frame(target: Any, new: Any) -> bool:
    attrs, flags = dict(new.attrs), new.flags.allows_duplicate_labels
    axes = [_become_index(before, now) for before, now in zip(target.axes, new.axes, strict=True)]
    type(target).__init__(target, new)
    for name, axis in zip(("index", "columns"), axes, strict=False):
        setattr(target, name, axis)
    target.attrs = attrs
    target.flags.allows_duplicate_labels = flags
    return True


_WAYS: dict[type, Become] = {
    list: _with_state(_become_list),
    dict: _with_state(_become_dict),
    OrderedDict: _with_state(_become_ordered),
    defaultdict: _with_state(_become_default),
    set: _with_state(_become_set),
    bytearray: _with_state(_become_bytes),
    random.Random: _with_state(_become_random),
    deque: _become_deque,
    array.array: _become_typed,
}
_LIBRARY_WAYS: dict[tuple[str, str], Become] = {
    ("numpy", "ndarray"): _become_array,
    ("numpy", "Generator"): _become_generator,
    ("numpy", "RandomState"): _become_random_state,
    ("pandas", "DataFrame"): _become_frame,
    ("pandas", "Series"): _become_frame,
    ("polars", "DataFrame"): _become_polars,
    ("polars", "Series"): _become_polars,
}
