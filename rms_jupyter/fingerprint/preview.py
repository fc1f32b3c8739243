"""How is a value shown in one short line, or named by its type?"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from rms_jupyter.fingerprint.nesting import unwrap
from rms_jupyter.fingerprint.values import SCALARS
from rms_jupyter.model import Selection

_LONGEST = 2000
_LONG = 400
_MOST_ITEMS = 100
_LISTS = (list, tuple, set, frozenset)


def type_name(value: Any) -> str:
    """Name a value's type as its users do.

    Examples
    --------
    >>> import fractions
    >>> type_name(1), type_name(fractions.Fraction(1, 3))
    ('int', 'fractions.Fraction')
    """
    cls = type(value)
    root = cls.__module__.partition(".")[0]
    return cls.__qualname__ if root == "builtins" else f"{root}.{cls.__qualname__}"


def preview(value: Any, width: int = 120) -> str:
    """Describe a value in one line that is quick to make, whatever the value.

    Examples
    --------
    >>> preview(list(range(1000)))
    'list of 1,000'
    """
    try:
        text = _shape_of(value) or (repr(value) if not _is_long(value) else f"{type(value).__name__} of {len(value):,}")
    except Exception:
        text = f"<{type_name(value)}>"
    text = " ".join(text[: 4 * width].split())
    if len(text) <= width:
        return text
    return f"{type(value).__name__} of {len(value):,}" if isinstance(value, _LISTS) else text[: width - 1] + "…"


def shown(value: Any) -> Any:
    """Give what stands for an argument in JSON: itself where JSON can show it, else a preview.

    Resources show as their paths or values, wherever they are nested.
    """
    kind = type(value)
    if kind in SCALARS and kind is not bytes:
        return value if kind is not str or (len(value) <= _LONGEST and _is_well_formed(value)) else marked(value)
    if isinstance(value, Selection) and value.left_out:
        return value._rms_summary()
    value = unwrap(value, lambda reference: reference._rms_shown())
    if isinstance(value, (list, tuple, dict)) and len(value) <= _MOST_ITEMS:
        try:
            json = msgspec.json.encode(value, enc_hook=marked)
        except (TypeError, ValueError, OverflowError, RecursionError):
            return marked(value)
        return Raw(json) if len(json) <= _LONG else marked(value)
    return value if type(value) in SCALARS and kind is not bytes else marked(value)


def marked(value: Any) -> str:
    """Preview a value between angle brackets, so that it is not taken for text."""
    text = preview(value)
    return text if text.startswith("<") else f"<{text}>"


def _shape_of(value: Any) -> str:
    shape = getattr(value, "shape", None)
    if not isinstance(shape, tuple) or not all(isinstance(n, int) for n in shape):
        return ""
    if len(shape) == 2 and hasattr(value, "columns"):
        return f"{shape[0]:,} rows × {shape[1]:,} columns"
    return f"{getattr(value, 'dtype', '')} {shape}".strip() if shape else ""


def _is_well_formed(text: str) -> bool:
    """Tell text that UTF-8 can hold; names of files with odd bytes are none."""
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)


def _is_long(value: Any) -> bool:
    if isinstance(value, (str, bytes)):
        return len(value) > 1000
    return isinstance(value, (list, tuple, set, frozenset, dict)) and len(value) > 20
