"""Is a copy the user's own?  Else what it holds is read as what others have made: plain data only.

As a store, a copy has an identity, and a signature of it by the key of each user who made or trusts it; see `trust`.
Both are names of empty files, so that nothing in a copy is ever written over.
"""

from __future__ import annotations

import hmac
import secrets

from rms_jupyter.store.copies.place import CopyPlace
from rms_jupyter.store.upkeep.trust import own_signature


def is_trusted(place: CopyPlace) -> bool:
    """Whether the user has made a copy, or trusts it."""
    signed = own_signature(f"copy {_identity(place)}")
    names = place.names("signed")
    return signed is not None and any(hmac.compare_digest(name, ".".join(signed)) for name in names)


def sign(place: CopyPlace) -> None:
    """Take a copy for the user's own."""
    if not _identity(place):
        place.write(f"identity/{secrets.token_hex(16)}", b"")
    if signed := own_signature(f"copy {_identity(place)}"):
        place.write(f"signed/{'.'.join(signed)}", b"")


def _identity(place: CopyPlace) -> str:
    return min(place.names("identity"), default="")
