"""Which scalars does a result hold by name?  Scores in a dict, a record or a series are columns of tables."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator
from typing import Any

from rms_jupyter.fingerprint.classes_of_data import is_dataclass
from rms_jupyter.fingerprint.nesting import items_of
from rms_jupyter.fingerprint.preview import is_well_formed

Scalar = bool | int | float | str | None

_MOST, _DEEPEST = 64, 3
_LONGEST = 200  # Characters of a name or text.
_MOST_BITS = 63


def scalar_items(value: Any) -> dict[str, Scalar] | None:
    """Give the scalars in a small dict, named tuple, dataclass or pandas series by name; None if there are none.

    Those further inside are named by the way to them. JSON has no word for NaN, which is None, nor for infinity,
    which is text.

    Examples
    --------
    >>> scalar_items({"r2": 0.9, "train": {"n": 30}, "folds": [1, 2]})
    {'r2': 0.9, 'train.n': 30}
    >>> scalar_items([1, 2])
    """
    try:
        found = dict(_scalars(value, "", _DEEPEST))
    except Exception:  # Of a class of the user's.
        return None
    return found if 0 < len(found) <= _MOST else None


def read_back(items: dict[str, Scalar]) -> dict[str, Scalar]:
    """Give recorded items with infinity as the number that it is.

    Examples
    --------
    >>> read_back({"loss": "-inf", "kind": "inf."})
    {'loss': -inf, 'kind': 'inf.'}
    """
    return {name: float(item) if item in ("inf", "-inf") else item for name, item in items.items()}


def _scalars(value: Any, way: str, depth: int) -> Iterator[tuple[str, Scalar]]:
    for name, item in _named_parts(value):
        if type(name) is not str or not _is_brief(name):
            continue
        if _is_of_numpy(item):
            item = item.item()
        if _is_scalar(item):
            yield way + name, _in_json(item)
        elif depth > 1:
            yield from _scalars(item, f"{way}{name}.", depth - 1)


def _named_parts(value: Any) -> Iterable[tuple[Any, Any]]:
    """Give the parts of what has few enough of them, with their names."""
    kind = type(value)
    if issubclass(kind, dict):
        return items_of(value) if len(value) <= _MOST else ()
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return zip(kind._fields, value, strict=True)
    if is_dataclass(kind):
        return [(field.name, object.__getattribute__(value, field.name)) for field in dataclasses.fields(kind)]
    if kind.__name__ == "Series" and kind.__module__.partition(".")[0] == "pandas" and len(value) <= _MOST:
        return zip(value.index.tolist(), value.tolist(), strict=True)
    return ()


def _is_of_numpy(item: Any) -> bool:
    return type(item).__module__ == "numpy" and getattr(item, "ndim", None) == 0


def _is_scalar(item: Any) -> bool:
    kind = type(item)
    if kind is int:
        return bool(item.bit_length() <= _MOST_BITS)
    return kind in (bool, float) or (kind is str and _is_brief(item))


def _is_brief(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and is_well_formed(text)


def _in_json(scalar: Any) -> Scalar:
    if type(scalar) is float and not math.isfinite(scalar):
        return None if math.isnan(scalar) else str(scalar)
    plain: Scalar = scalar
    return plain
