"""In which way do two values differ?  The first difference, in words."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import Any

from rms_jupyter.fingerprint.anatomy import getattr_or_none
from rms_jupyter.fingerprint.origin import kind_of_class
from rms_jupyter.fingerprint.preview import preview, type_name
from rms_jupyter.fingerprint.remembered import library_of
from rms_jupyter.fingerprint.values import Undigestable, digest

_WIDTH = 60
_DEEPEST = 20
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def difference(before: Any, now: Any, depth: int = 0) -> str:
    """Say how a value differs from an earlier one; empty where nothing is found that does.

    Examples
    --------
    >>> difference({"n": [1, 2]}, {"n": [1, 3]})
    "['n'][1]: 2 → 3"
    >>> difference("late by 3", "late by 5")
    "text differs from character 9 on: '3' → '5'"
    """
    if type(before) is not type(now):
        return f"{type_name(before)} → {type_name(now)}"
    if isinstance(before, (str, bytes)):
        return _of_text(before, now)
    if hasattr(before, "columns") and hasattr(before, "shape"):
        return _of_frames(before, now, depth)
    if hasattr(before, "dtype") and hasattr(before, "shape"):
        return _of_arrays(before, now)
    if isinstance(before, (list, tuple)) and depth < _DEEPEST:
        return _of_items(dict(enumerate(before)), dict(enumerate(now)), depth)
    if isinstance(before, dict) and depth < _DEEPEST:
        return _of_items(before, now, depth)
    if _same(before, now):
        return ""
    if found := drawn_differences(before, now):
        return found[0]
    old, new = (_ADDRESS.sub("", preview(value, _WIDTH)) for value in (before, now))
    return f"{old} → {new}" if old != new else _of_objects(before, now, depth)


def drawn_differences(before: Any, now: Any) -> list[str]:
    """List what two figures of matplotlib's show otherwise; nothing of other values."""
    if library_of(now) != "matplotlib":
        return []
    from rms_jupyter.fingerprint.drawn import drawn_otherwise, is_figure

    return drawn_otherwise(before, now, difference) if is_figure(before) and is_figure(now) else []


def first_place(before: Any, now: Any) -> str:
    """Say where two arrays of one shape, or the first columns of two frames that differ, do so first; '' of others.

    Examples
    --------
    >>> import numpy as np
    >>> first_place(np.array([[1, 2], [3, 4]]), np.array([[1, 2], [3, 5]]))
    'first at [1, 1]: 4 → 5'
    """
    if type(before) is not type(now) or getattr(before, "shape", ()) != getattr(now, "shape", ()):
        return ""
    if hasattr(before, "columns") and list(before.columns) == list(now.columns):
        pairs = ((_column(before, place), _column(now, place)) for place in range(len(before.columns)))
        differing = next((pair for pair in pairs if not _same(*pair)), None)
        place = differing and _first_item(*differing)
        return f"first in row {place[0]}: {place[1]}" if place else ""
    place = _first_item(before, now) if hasattr(before, "dtype") else None
    return f"first at [{place[0]}]: {place[1]}" if place else ""


def _first_item(before: Any, now: Any) -> tuple[str, str] | None:
    import numpy as np

    old, new = np.asarray(before), np.asarray(now)
    if not old.shape or old.dtype != new.dtype:
        return None
    differs = np.asarray((old != new) & ~((old != old) & (new != new)))
    if not differs.any():
        return None
    place = tuple(int(n) for n in np.unravel_index(int(np.argmax(differs)), old.shape))
    a, b = (preview(one.item() if hasattr(one, "item") else one, _WIDTH // 3) for one in (old[place], new[place]))
    return ", ".join(map(str, place)), f"{a} → {b}"


def _same(before: Any, now: Any) -> bool:
    try:
        return digest(before) == digest(now)
    except Undigestable:
        return False


def _of_text(before: Any, now: Any) -> str:
    if before == now:
        return ""
    unit = "text differs from character" if isinstance(now, str) else "content differs from byte"
    place = next(i for i, (a, b) in enumerate(zip_longest(before, now)) if a != b)
    old, new = before[place : place + _WIDTH // 3], now[place : place + _WIDTH // 3]
    return f"{unit} {place + 1:,} on: {old!r} → {new!r}"


def _of_items(before: dict[Any, Any], now: dict[Any, Any], depth: int) -> str:
    for key in before:
        if key in now and not _same(before[key], now[key]):
            inner = difference(before[key], now[key], depth + 1)
            if inner:
                return f"[{key!r}]{'' if inner.startswith('[') else ': '}{inner}"
    if len(before) != len(now):
        return f"{len(before):,} items → {len(now):,} items"
    new = [key for key in now if key not in before]
    if new:
        return f"new key {new[0]!r}"
    return "the same items in another order" if list(before) != list(now) else ""


def _of_objects(before: Any, now: Any, depth: int) -> str:
    """Name the first attribute in which two objects of the user's differ that look alike."""
    old, new = (getattr_or_none(value, "__dict__") or {} for value in (before, now))
    for name in old if depth < _DEEPEST and kind_of_class(type(now)) == "user" else ():
        if name in new and not _same(old[name], new[name]) and (inner := difference(old[name], new[name], depth + 1)):
            return f".{name}{'' if inner.startswith(('[', '.')) else ': '}{inner}"
    return f"two {type_name(now)} that look alike"


def _of_arrays(before: Any, now: Any) -> str:
    if before.dtype != now.dtype or before.shape != now.shape:
        return f"{before.dtype} {before.shape} → {now.dtype} {now.shape}"
    import numpy as np

    old, new = np.asarray(before), np.asarray(now)
    differs = (old != new) & ~((old != old) & (new != new))
    count = int(np.count_nonzero(differs))
    if not count:
        return ""
    if not old.shape:
        return f"{preview(before, _WIDTH)} → {preview(now, _WIDTH)}"
    text = f"{count:,} of {old.size:,} elements differ"
    if old.dtype.kind not in "iufc":
        return text
    wide = np.complex128 if old.dtype.kind == "c" else np.float64
    most = float(np.nanmax(np.abs(old[differs].astype(wide) - new[differs].astype(wide))))
    return f"{text}, by at most {most:.3g}"


def _of_frames(before: Any, now: Any, depth: int) -> str:
    old, new = [str(name) for name in before.columns], [str(name) for name in now.columns]
    if old != new:
        gone, come = [n for n in old if n not in new], [n for n in new if n not in old]
        changes = [f"-{name}" for name in gone] + [f"+{name}" for name in come]
        return f"columns: {', '.join(changes) or 'in another order'}"
    if before.shape != now.shape:
        return f"{before.shape[0]:,} rows → {now.shape[0]:,} rows"
    for place, name in enumerate(old):
        a, b = _column(before, place), _column(now, place)
        if not _same(a, b):
            return f"column {name}: {_of_column(a, b)}"
    return "the same columns under another index" if not _same(before, now) else ""


def _column(frame: Any, place: int) -> Any:
    return frame.iloc[:, place] if hasattr(frame, "iloc") else frame[frame.columns[place]]


def _of_column(before: Any, now: Any) -> str:
    if before.dtype != now.dtype:
        return f"{before.dtype} → {now.dtype}"
    import numpy as np

    return _of_arrays(np.asarray(before), np.asarray(now)) or "differs"
