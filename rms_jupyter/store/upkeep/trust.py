"""Has this user made a store, or said that it is to be trusted?

What lies in a store may be a pickle, and to read one can run anything. So a store has an identity, and a signature of
it for each user who made or trusts it, by a random key in that user's own data directory. Nothing but plain data is
read from a store that lacks the user's signature.

Stores of older versions have no identity. Such a one counts as the user's own where nothing of it can have come from
elsewhere: its files are the user's, its journals were written on this host, and all of them after the store's first
file was put there. No archive, clone or copy looks so: that file is as new as its unpacking.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import socket
import stat
import time
from pathlib import Path

from rms_jupyter import model
from rms_jupyter.errors import StoreError, UntrustedContent
from rms_jupyter.store.layout import Layout, Marker
from rms_jupyter.store.reader import Journals

_KEY_SIZE = 32


def admit(is_trusted: bool) -> None:
    """Let content be read that could run anything: the one gate before whatever unpickles what a store holds.

    Raises
    ------
    UntrustedContent
    """
    if not is_trusted:
        raise UntrustedContent(
            "it is a pickle in a store that was made elsewhere, and to read it could run anything",
            hint="if you trust all that have written to that store: %rms trust",
        )


def is_trusted(layout: Layout, read_only: bool = False) -> bool:
    """Whether the user has made a store, or trusts it; one of the user's that has no signature yet gets one."""
    marker, key = layout.read_marker(), _own_key()
    if key is not None and marker.id:
        found = marker.signatures.get(_name_of(key), "")
        return hmac.compare_digest(found.encode("utf-8", "replace"), _signature(key, marker.id).encode())
    if marker.id or not _is_all_from_here(layout):
        return False
    if not read_only:
        with contextlib.suppress(StoreError):  # Without a signature, it is looked at in the same way the next time.
            trust(layout)
    return True


def trust(layout: Layout) -> None:
    """Sign a store.

    Raises
    ------
    StoreError
        If it cannot be signed.
    """
    key = _own_key()
    if key is None:
        raise StoreError(
            f"the key of your own stores cannot be kept in {_folder()}", hint="make that directory yours, and writable"
        )
    marker = layout.read_marker()
    ident = marker.id or secrets.token_hex(16)
    layout.write_marker(Marker(marker.format, ident, marker.signatures | {_name_of(key): _signature(key, ident)}))


def distrust(layout: Layout) -> None:
    """Take the user's signature away: what others have made has come into the store."""
    marker, key = layout.read_marker(), _own_key()
    others = {name: sign for name, sign in marker.signatures.items() if key is None or name != _name_of(key)}
    layout.write_marker(Marker(marker.format, marker.id or secrets.token_hex(16), others))


def own_signature(what: str) -> tuple[str, str] | None:
    """Return the name of the user's key, and its signature of something; None where there is no key."""
    key = _own_key()
    data = what.encode("utf-8", "surrogatepass")
    return None if key is None else (_name_of(key), hmac.digest(key, data, "sha256").hex())


def concealed(digest: bytes) -> bytes:
    """Return what stands for the digest of a secret: the same for this user, and of no use to others."""
    signed = own_signature(f"secret {digest.hex()}")
    return bytes.fromhex(signed[1])[:16] if signed else secrets.token_bytes(16)


def _name_of(key: bytes) -> str:
    return hmac.digest(key, b"name", "sha256").hex()[:16]


def _signature(key: bytes, ident: str) -> str:
    return hmac.digest(key, b"store " + ident.encode(), "sha256").hex()


def _folder() -> Path:
    from platformdirs import user_data_path

    return user_data_path("rms_jupyter", appauthor=False)


def _own_key() -> bytes | None:
    """Return the user's key, which is made when it is first needed; None where it cannot be kept for the user alone."""
    path = _folder() / "key"
    try:
        if not path.exists():
            _make_key(path)
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid():
            return None
        if stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o600)
        key = path.read_bytes()
    except OSError:
        return None
    return key if len(key) == _KEY_SIZE else None


def _make_key(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f".key-{secrets.token_hex(8)}")
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(fd, secrets.token_bytes(_KEY_SIZE))
        os.fsync(fd)
    finally:
        os.close(fd)
    try:
        with contextlib.suppress(FileExistsError):  # Another process was first.
            os.link(partial, path)
    finally:
        partial.unlink()


def _is_all_from_here(layout: Layout) -> bool:
    """Whether nothing of a store without identity can have come from elsewhere."""
    try:
        placed = layout.marker.stat()
        journals = Journals(layout.journal)
        owners = {path.lstat().st_uid for path in (layout.root, layout.marker, *layout.journal.iterdir())}
        writers = [_writer(journals, number) for number in journals.numbers()]
        journals.close()
    except (OSError, ValueError):
        return False
    if not writers and any(path.is_file() for path in layout.objects.glob("*/*")):
        return False
    began, now, here = placed.st_ctime_ns // 1000, time.time_ns() // 1000, socket.gethostname()
    return owners == {os.getuid()} and all(
        writer is not None and writer.host == here and began <= writer.started <= now for writer in writers
    )


def _writer(journals: Journals, number: int) -> model.Writer | None:
    """Return who wrote a journal; None if that is not to be read."""
    try:
        record = model.decode(journals.record(number << 32)[1])
    except (LookupError, ValueError, RecursionError):
        return None
    return record if isinstance(record, model.Writer) else None
