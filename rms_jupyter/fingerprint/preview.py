"""How is a value shown in one short line, or named by its type?"""

from __future__ import annotations

import itertools
from pathlib import PurePath
from typing import Any

import msgspec
from msgspec import Raw

from rms_jupyter.fingerprint.nesting import contents, is_container, unwrap
from rms_jupyter.fingerprint.remembered import module_of
from rms_jupyter.fingerprint.values import SCALARS
from rms_jupyter.model import Selection

_LONGEST = 2000
_LONG = 400
_MOST_ITEMS = 100
_MOST_PARTS = 1000
_MOST_BITS = 2000
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
    root = module_of(cls).partition(".")[0]
    if root == "rms_jupyter":  # A dict or int that carries more is one to the user.
        cls = next((base for base in cls.__mro__[:-1] if base.__module__ == "builtins"), cls)
        root = module_of(cls).partition(".")[0]
    return cls.__qualname__ if root in ("builtins", "") else f"{root}.{cls.__qualname__}"


def preview(value: Any, width: int = 120) -> str:
    """Describe a value in one line that is quick to make, whatever the value.

    Examples
    --------
    >>> preview(list(range(1000)))
    'list of 1,000'
    """
    try:
        text = _shape_of(value) or (_count(value) if _is_long(value) else repr(value))
        text = " ".join(text[: 4 * width].split())
        if len(text) <= width:
            return text
        return _count(value) if issubclass(type(value), _LISTS) else text[: width - 1] + "…"
    except Exception:
        return f"<{type_name(value)}>"


def as_python(preview: str) -> str:
    """Return the preview of a value that is kept as JSON as Python writes it.

    Examples
    --------
    >>> as_python("null"), as_python("true"), as_python("[1, 2]")
    ('None', 'True', '[1, 2]')
    """
    return {"null": "None", "true": "True", "false": "False"}.get(preview, preview)


def _count(value: Any) -> str:
    return f"{type(value).__name__} of {len(value):,}"


def shown(value: Any) -> Any:
    """Give what stands for an argument in JSON: itself where JSON can show it, else a preview.

    Resources show as their paths or values, wherever they are nested, and paths as text.

    Examples
    --------
    >>> from pathlib import Path
    >>> shown(Path("raw/00.csv")), shown(1j)
    ('raw/00.csv', '<1j>')
    """
    kind = type(value)
    if issubclass(kind, PurePath):
        value, kind = str(value), str
    if kind in SCALARS and kind is not bytes:
        return value if _fits_json(value, kind) else marked(value)
    if issubclass(kind, Selection) and value.left_out:
        return value._rms_summary()
    if _has_many_parts(value):
        return marked(value)
    value = unwrap(value, lambda reference: reference._rms_shown())
    if issubclass(type(value), (list, tuple, dict)) and not _has_many_parts(value):
        try:
            json = msgspec.json.encode(value, enc_hook=_spelled)
        except (TypeError, ValueError, OverflowError, RecursionError):
            return marked(value)
        return Raw(json) if len(json) <= _LONG else marked(value)
    return value if type(value) in SCALARS and kind is not bytes else marked(value)


def _fits_json(value: Any, kind: type) -> bool:
    if kind is str:
        return len(value) <= _LONGEST and is_well_formed(value)
    return kind is not int or value.bit_length() <= _MOST_BITS


def marked(value: Any) -> str:
    """Preview a value between angle brackets, so that it is not taken for text."""
    text = preview(value)
    return text if text.startswith("<") else f"<{text}>"


def _spelled(value: Any) -> str:
    """What stands for a part of an argument that JSON does not know."""
    text = str(value) if issubclass(type(value), PurePath) else ""
    return text if text and is_well_formed(text) else marked(value)


def _shape_of(value: Any) -> str:
    shape = getattr(value, "shape", None) if hasattr(type(value), "shape") else None
    if not isinstance(shape, tuple) or not all(isinstance(n, int) for n in shape):
        return ""
    if len(shape) == 2 and hasattr(value, "columns"):
        return " × ".join(f"{n:,} {what}{'s' * (n != 1)}" for n, what in zip(shape, ("row", "column"), strict=True))
    return f"{getattr(value, 'dtype', '')} {shape}".strip() if shape else ""


def is_well_formed(text: str) -> bool:
    """Tell text that UTF-8 can hold; names of files with odd bytes are none."""
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)


def _is_long(value: Any) -> bool:
    if issubclass(type(value), (str, bytes)):
        return len(value) > 1000
    return is_container(value) and (len(value) > 20 or _has_many_parts(value))


def _has_many_parts(value: Any) -> bool:
    """Tell a container of many items, or what would be long if written out, each part wherever it stands."""
    waiting, count = [value], 0
    while waiting and count <= _MOST_PARTS:
        item = waiting.pop()
        count += 1
        if is_container(item):
            waiting += itertools.islice(contents(item), _MOST_PARTS)
    return bool(waiting) or (is_container(value) and len(value) > _MOST_ITEMS)
