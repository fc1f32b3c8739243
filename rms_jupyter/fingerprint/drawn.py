"""In which way do two figures of matplotlib's differ?  By what is drawn in their axes, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Say = Callable[[Any, Any], str]

_SHORT = 60
_MARGIN = ("title", "x label", "y label", "x scale", "y scale")


def is_figure(value: Any) -> bool:
    """Whether a value is a figure of matplotlib's."""
    return any(f"{cls.__module__}.{cls.__qualname__}" == "matplotlib.figure.Figure" for cls in type(value).__mro__)


def drawn_otherwise(before: Any, now: Any, say: Say) -> list[str]:
    """List what two figures show otherwise, the most telling first.

    Parameters
    ----------
    before, now : matplotlib.figure.Figure
    say : callable
        Words how two values differ.
    """
    old, new = _shown_by(before), _shown_by(now)
    lines = [f"{name}: {_said(old[name], new[name], say)}" for name in new if name in old and _differ(old, new, name)]
    lines += [f"new: {name}" for name in new if name not in old]
    return lines + [f"gone: {name}" for name in old if name not in new]


def _differ(old: dict[str, Any], new: dict[str, Any], name: str) -> bool:
    a, b = old[name], new[name]
    return not np.array_equal(a, b, equal_nan=a.dtype.kind in "fc") if isinstance(a, np.ndarray) else bool(a != b)


def _said(old: Any, new: Any, say: Say) -> str:
    if isinstance(old, np.ndarray) and len(old) != len(new):
        return f"{len(old):,} → {len(new):,}"
    if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) <= _SHORT:
        return f"{old!r} → {new!r}"
    return say(old, new)


def _shown_by(figure: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    several = len(figure.axes) > 1
    for number, axes in enumerate(figure.axes, 1):
        place = f"axes {number}, " if several else ""
        shown.update((place + name, value) for name, value in _shown_in(axes))
    return {**shown, "title above all": figure.get_suptitle(), "size in inches": tuple(figure.get_size_inches())}


def _shown_in(axes: Any) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(axes.lines, 1):
        yield f"points of line {number}", np.asarray(line.get_xydata(), float)
        yield f"colour of line {number}", line.get_color()
    for number, collection in enumerate(axes.collections, 1):
        yield f"points of collection {number}", np.asarray(collection.get_offsets(), float)
    for number, image in enumerate(axes.images, 1):
        yield f"pixels of image {number}", np.asarray(image.get_array())
    bars = [(bar.get_x(), bar.get_width(), bar.get_height()) for bar in axes.patches if hasattr(bar, "get_height")]
    if bars:
        yield "bars", np.asarray(bars, float)
    margin = (axes.get_title(), axes.get_xlabel(), axes.get_ylabel(), axes.get_xscale(), axes.get_yscale())
    yield from zip(_MARGIN, margin, strict=True)
    for name, limits in (("x limits", axes.get_xlim()), ("y limits", axes.get_ylim())):
        yield name, tuple(round(float(limit), 6) for limit in limits)
    yield "texts", [text.get_text() for text in axes.texts]
