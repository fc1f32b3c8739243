"""How is an object described that nothing more is known of?  By its fields, or by the recipe that pickle would follow.

The recipe (PEP 307) is read, not run. What only remembers (`remembered`) does not count, nor does the order in which
attributes were set. A recipe may hold what is another in each process or after each use (addresses, counters); so the
first instances of a class that has a recipe of its own are rebuilt by it, and if that makes another digest, instances
of the class have none.
"""

from __future__ import annotations

import copyreg
import dataclasses
import functools
import pickle
import sys
import types
from collections.abc import Iterable
from typing import Any

from rms_jupyter.fingerprint.classes_of_data import is_dataclass
from rms_jupyter.fingerprint.holding import has_own_recipe, holds, is_another_once_read
from rms_jupyter.fingerprint.origin import kind_of, kind_of_function
from rms_jupyter.fingerprint.remembered import full_name, is_of_a_package, looks_remembered, module_of, remembered
from rms_jupyter.fingerprint.values import Handler, Undigestable, Walk, digest, indescribable, packed_attributes, tagged

_UNORDERED_RECIPES: tuple[Any, ...] = (set.__reduce__, frozenset.__reduce__)
_MADE_IN_PYTHON = 1 << 9  # Py_TPFLAGS_HEAPTYPE
_UNSET: Any = object()


def by_fields(value: Any, walk: Walk) -> bytes:
    """Describe an instance of a dataclass or of an attrs class by the fields that are set, and what was added to it."""
    cls = type(value)
    names = [field.name for field in getattr(cls, "__attrs_attrs__", ()) or dataclasses.fields(cls)]
    fields = {name: found for name in names if (found := getattr(value, name, _UNSET)) is not _UNSET}
    others = [name for name in (*getattr(value, "__dict__", ()), *_other_slots(cls)) if name not in names]
    extra = {name: found for name in others if (found := getattr(value, name, _UNSET)) is not _UNSET}
    return tagged("dataclass", [walk(cls), _in_any_order(cls, fields, walk), attributes_of(cls, extra, walk)])


def has_fields(cls: type) -> bool:
    """Tell classes of data, whose fields and attributes say it all: they are made from no built-in class."""
    if not (is_dataclass(cls) or isinstance(getattr(cls, "__attrs_attrs__", None), tuple)):
        return False
    return all(base is object or base.__flags__ & _MADE_IN_PYTHON for base in cls.__mro__)


def _other_slots(cls: type) -> list[str]:
    """Name the slots that classes without fields have; the others' hold fields, or what attrs remembers."""
    without = [base for base in cls.__mro__ if not {"__attrs_attrs__", "__dataclass_fields__"} & vars(base).keys()]
    return [name for base in without for name in _slots(base) if name not in ("__dict__", "__weakref__")]


def _slots(cls: type) -> Iterable[str]:
    slots = vars(cls).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else slots


def by_attributes(names: str) -> Handler:
    """Make a handler that describes objects by some of their attributes; what cannot be read is missing."""

    def describe(value: Any, walk: Walk) -> bytes:
        walk.doubts = True
        return tagged(
            "by attributes", [walk(type(value)), *(walk(getattr(value, name, None)) for name in names.split())]
        )

    return describe


def by_token(value: Any, walk: Walk) -> bytes:
    """Describe an object by what it says of itself to Dask; by its recipe if it says nothing."""
    try:
        token = value.__dask_tokenize__()
    except Exception:
        return by_reduce(value, walk)
    return tagged("token", [walk(type(value)), walk(token)])


def by_reduce(value: Any, walk: Walk) -> bytes:
    """Describe an object by the recipe that pickle would follow (PEP 307), never by running it.

    Parameters
    ----------
    value : object
    walk : Walk
    """
    cls: Any = type(value)
    if not has_own_recipe(cls):
        return by_recipe(value, walk)
    walk.doubts = walk.doubts or not _is_of_python(cls)
    described = by_recipe(value, walk)
    if not holds(value, digest):
        raise Undigestable(
            f"{full_name(cls)} is another once it was pickled; say what counts: rms.digest_by({cls.__name__}, function)"
        )
    return described


@functools.cache
def _is_of_python(cls: type) -> bool:
    return kind_of(module_of(cls)) == "stdlib"


def by_recipe(value: Any, walk: Walk) -> bytes:
    """Describe an object as `by_reduce` does, whether its digest holds or not."""
    cls, recipe = type(value), recipe_of(value)
    if isinstance(recipe, str):
        return _by_name(value, recipe, walk)
    maker, args, state, items, pairs = (*recipe, None, None, None)[:5]
    if cls.__reduce__ in _UNORDERED_RECIPES:  # Theirs lists the items as they come.
        args = (frozenset(value),)
    parts = [_maker(maker, walk), walk(args), _state(cls, state, walk)]
    if untold := _untold(value, state, walk):
        parts.append(tagged("untold", untold))
    if items is not None:
        parts.append(tagged("items", map(walk, items)))
    if pairs is not None:
        parts.append(tagged("pairs", (walk(key) + walk(item) for key, item in pairs)))
    return tagged("object", parts)


def _by_name(value: Any, name: str, walk: Walk) -> bytes:
    cls = type(value)
    found: Any = sys.modules.get(pickle.whichmodule(value, name))  # type: ignore[attr-defined]
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not value:
        raise Undigestable(f"{full_name(cls)} {name} is not found by its name")
    return tagged("global", [walk(module_of(value) or module_of(cls)), walk(name)])


def recipe_of(value: Any) -> Any:
    """Ask an object how it would be pickled.

    Raises
    ------
    Undigestable
        If it has no answer.
    """
    cls = type(value)
    # Importing Dask registers a recipe for exceptions that keeps their tracebacks.
    reducer = None if issubclass(cls, BaseException) else copyreg.dispatch_table.get(cls)
    try:
        return reducer(value) if reducer else value.__reduce_ex__(4)
    except RecursionError:
        raise
    except Exception as error:
        raise indescribable(cls, error) from error


def _untold(value: Any, state: Any, walk: Walk) -> list[bytes]:
    """Describe the public attributes of an instance of the user's class that its own recipe leaves out."""
    cls: Any = type(value)
    if not has_own_recipe(cls) or is_of_a_package(cls):
        return []
    attributes: dict[str, Any] = getattr(value, "__dict__", {})
    told = state.keys() if type(state) is dict else ()
    untold = sorted(name for name in attributes.keys() - remembered(cls) - set(told) if not name.startswith("_"))
    described = {name: walk.if_any(attributes[name]) for name in untold}
    return [part for name, item in described.items() if item is not None for part in (walk(name), item)]


def is_lost(value: Any) -> bool:
    """Whether an instance of the user's class is another once it was pickled: its recipe leaves something out."""
    cls: Any = type(value)
    return is_another_once_read(cls) and not is_of_a_package(cls)


def _maker(maker: Any, walk: Walk) -> bytes:
    """Describe what a recipe calls: by name, whatever the version, where it is not the user's."""
    if isinstance(maker, types.FunctionType) and kind_of_function(maker) in ("stdlib", "package"):
        return tagged("maker", [walk(maker.__module__), walk(maker.__qualname__)])
    return walk(maker)


def _state(cls: type, state: Any, walk: Walk) -> bytes:
    """Describe an object's state: its attributes, or several parts of which some are attributes, or anything."""
    if isinstance(state, dict):
        return attributes_of(cls, state, walk)
    if type(state) is not tuple:
        return walk(state)
    parts = tuple(part or None if type(part) is dict else part for part in state)  # Some get one when it is looked for.
    if not any(isinstance(part, dict) for part in parts):
        return walk(parts)
    described = [attributes_of(cls, part, walk) if isinstance(part, dict) else walk(part) for part in parts]
    return tagged("tuple", described)


def attributes_of(cls: type, attributes: dict[Any, Any], walk: Walk) -> bytes:
    """Describe the attributes of an object of a class, in any order, but for what it only remembers."""
    names, packaged = remembered(cls), is_of_a_package(cls)
    counted = {
        name: item
        for name, item in attributes.items()
        if name not in names and not (packaged and looks_remembered(name, item))
    }
    return _in_any_order(cls, counted, walk) if counted else walk(None)


def _in_any_order(cls: type, items: dict[Any, Any], walk: Walk) -> bytes:
    if packed := packed_attributes(items):
        return packed
    pairs = (
        walk(name) + (attributes_of(cls, item, walk) if name == "__dict__" and isinstance(item, dict) else walk(item))
        for name, item in items.items()
    )
    return tagged("dict", sorted(pairs))
