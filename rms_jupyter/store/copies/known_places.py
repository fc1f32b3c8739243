"""Which copies does a store know, and what of theirs has not come to an end?

What is remembered is a convenience: addresses that content is looked for at, the last one used, and the journals that
came from there and may grow, so that they are not sealed. In a store that others have made, only what the user has
named counts: it is signed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from rms_jupyter.odd_text import encoder
from rms_jupyter.store.layout import Layout
from rms_jupyter.store.modes import share
from rms_jupyter.store.small_files import read_json
from rms_jupyter.store.upkeep.trust import is_trusted, own_signature

_MOST, _MOST_SIGNED = 20, 100
_encode = encoder(msgspec.json.encode)


class Remembered(msgspec.Struct, omit_defaults=True):
    """Addresses, the last one used first; users' signatures of them; numbers of journals that may grow elsewhere."""

    addresses: list[str] = []
    growing: list[int] = []
    signed: list[str] = []


def remembered(root: Path) -> Remembered:
    """Read what a store remembers of copies; nothing where that is unreadable."""
    try:
        return read_json(root / "copies.json", Remembered)
    except (OSError, ValueError):
        return Remembered()


def addresses_of(root: Path) -> list[str]:
    """List the copies that a store may use: those that the user has named, and of a trusted one, that anybody has.

    What others have written into a store sends nothing anywhere, and reaches no host.
    """
    known = remembered(root)
    if not known.addresses or is_trusted(Layout(root), read_only=True):
        return known.addresses
    signed = set(filter(None, known.signed))
    return [address for address in known.addresses if _signature(root, address) in signed]


def remember(root: Path, address: str, growing: Iterable[int] | None = None) -> None:
    """Remember that a copy was used.

    Raises
    ------
    OSError
        If the disk is full, or not writable.
    """
    before = remembered(root)
    mine = _signature(root, address)
    signed = [mine, *(other for other in before.signed if other != mine)][:_MOST_SIGNED]
    addresses = [address, *(other for other in before.addresses if other != address)][:_MOST]
    now = Remembered(addresses, sorted(before.growing if growing is None else growing), signed)
    if now != before:
        partial = root / f"copies.json.{os.getpid()}.tmp"
        try:
            partial.write_bytes(_encode(now))
            share(partial)
            partial.replace(root / "copies.json")
        except OSError:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise


def _signature(root: Path, address: str) -> str:
    signed = own_signature(f"copy of {Layout(root).read_marker().id} at {address}")
    return ".".join(signed) if signed else ""
