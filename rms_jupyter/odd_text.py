"""How is text kept that UTF-8 cannot hold: the names of files with odd bytes?

Python reads such a byte as a lone surrogate (U+DC80 to U+DCFF). In records each stands as the character of a private
plane with the same last digits (U+10DC80 to U+10DCFF), and becomes what it was when the record is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

T = TypeVar("T")

_OUT = {code: chr(0x100000 + code) for code in range(0xDC80, 0xDD00)}
_BACK = {0x100000 + code: chr(code) for code in range(0xDC80, 0xDD00)}
_MARK = b"\xf4\x8d"  # How the private characters begin in UTF-8.


def escaped(value: T) -> T:
    """Put private characters in place of lone surrogates, in text at any depth of containers and records."""
    found: T = _translated(value, _OUT)
    return found


def encoder(encode: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """Let an encoder take any text."""

    def encode_any(value: Any) -> bytes:
        try:
            return encode(value)
        except UnicodeEncodeError:
            return encode(escaped(value))

    return encode_any


def decoder(decode: Callable[[Any], T]) -> Callable[[Any], T]:
    """Let a decoder give back what an `encoder` was given."""

    def decode_any(data: Any) -> T:
        value = decode(data)
        data = bytes(data)  # No copy where it is that already.
        if not data.isascii() and _MARK in data:
            value = _translated(value, _BACK)
        return value

    return decode_any


def _translated(value: Any, table: dict[int, str]) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else value.translate(table)
    if isinstance(value, Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        return msgspec.structs.replace(value, **{name: _translated(item, table) for name, item in fields.items()})
    if type(value) in (list, tuple, set):
        return type(value)(_translated(item, table) for item in value)
    if type(value) is dict:
        return {_translated(key, table): _translated(item, table) for key, item in value.items()}
    return value
