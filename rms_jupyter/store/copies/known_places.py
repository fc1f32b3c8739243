"""Which copies does a store know, and what of theirs has not come to an end?

What is remembered is a convenience: addresses that content is looked for at, the last one used, and the journals that
came from there and may grow, so that they are not sealed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from rms_jupyter.store.small_files import read_json

_MOST = 20


class Remembered(msgspec.Struct, omit_defaults=True):
    """Addresses, the last one used first, and numbers of journals that may grow elsewhere."""

    addresses: list[str] = []
    growing: list[int] = []


def remembered(root: Path) -> Remembered:
    """Read what a store remembers of copies; nothing where that is unreadable."""
    try:
        return read_json(root / "copies.json", Remembered)
    except (OSError, ValueError):
        return Remembered()


def remember(root: Path, address: str, growing: Iterable[int] | None = None) -> None:
    """Remember that a copy was used."""
    before = remembered(root)
    addresses = [address, *(other for other in before.addresses if other != address)][:_MOST]
    now = Remembered(addresses, sorted(before.growing if growing is None else growing))
    if now != before:
        partial = root / f"copies.json.{os.getpid()}.tmp"
        partial.write_bytes(msgspec.json.encode(now))
        partial.replace(root / "copies.json")
