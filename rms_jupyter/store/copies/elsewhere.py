"""Has a copy what is not here?  Content that came on record from a copy is fetched when it is first used."""

from __future__ import annotations

import os
import uuid
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from blake3 import blake3

from rms_jupyter.errors import RmsWarning, StoreError
from rms_jupyter.store.copies.known_places import addresses_of
from rms_jupyter.store.copies.place import CopyPlace

T = TypeVar("T")
Kind = Literal["objects", "files"]

_places: dict[str, CopyPlace] = {}  # By address: connections.
_silent: set[str] = set()
_since: dict[Path, int] = {}  # When a store's list of copies was changed last; for as long holds what follows.
_absent: dict[Path, set[str]] = {}  # What no copy of a store had.
_listings: dict[tuple[str, str], set[str]] = {}  # What a folder of a copy holds.


def find_object(root: Path, name: str) -> bytes | None:
    """Return the bytes of an object that the copies of a store are asked for in turn; None if none has it."""
    return _first(root, name, lambda place: place.read(f"objects/{name[:2]}/{name}"))


def is_in_copy(root: Path, kind: Kind, name: str) -> bool:
    """Whether a copy that a store knows has content that need not be here."""
    return bool(_first(root, name, lambda place: name in _listed(place, f"{kind}/{name[:2]}")))


def find_file(root: Path, path: str, digest: str, project: str) -> bool:
    """Put a file of the project where it was, with the content that is on record; whether a copy had it.

    Nothing is written over, and nothing is written outside of the project.
    """
    if os.path.lexists(path) or not lies_in(path, project):
        return False
    return bool(_first(root, digest, lambda place: put_file(place, Path(path), digest)))


def put_file(place: CopyPlace, target: Path, digest: str) -> bool:
    """Bring a file of a copy, checked, to a path where nothing is; whether that was possible.

    Raises
    ------
    FileNotFoundError
        If the copy has no such content.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name[:100]}.{uuid.uuid4().hex[:8]}")
    try:
        place.fetch(f"files/{digest[:2]}/{digest}", partial)
        if blake3(max_threads=blake3.AUTO).update_mmap(str(partial)).digest(16).hex() != digest:
            return False
        os.link(partial, target)
    except FileExistsError:
        return False
    finally:
        partial.unlink(missing_ok=True)
    return True


def lies_in(path: str, folder: str) -> bool:
    """Whether a path leads into a folder, also where its parts are links.

    Examples
    --------
    >>> lies_in("/home/ada/raw/../../bob/x", "/home/ada"), lies_in("/home/ada/raw/x", "/home/ada")
    (False, True)
    """
    inside = os.path.join(os.path.realpath(folder), "")
    return ".." not in Path(path).parts and os.path.join(os.path.realpath(os.path.dirname(path)), "").startswith(inside)


def _first(root: Path, name: str, ask: Callable[[CopyPlace], T]) -> T | None:
    """Ask the copies of a store for content in turn; what none of them has they are not asked for again."""
    try:
        changed = os.stat(root / "copies.json").st_mtime_ns
    except OSError:
        return None
    if _since.get(root) != changed:
        _since[root], _absent[root] = changed, set()
        _listings.clear()
    if name in _absent[root] or "/" in name or name.startswith("."):
        return None
    are_reached = True
    for address in addresses_of(root):
        try:
            if found := _asked(address, ask):
                return found
        except FileNotFoundError:
            continue
        except StoreError as error:
            are_reached = False
            _warn_once(address, error)
    if are_reached:
        _absent[root].add(name)
    return None


def _asked(address: str, ask: Callable[[CopyPlace], T]) -> T:
    """Ask a copy, over the connection that there is; once more over another one where that was lost."""
    if known := _places.get(address):
        try:
            return ask(known)
        except StoreError:
            del _places[address]
    place = _places[address] = CopyPlace(address)
    return ask(place)


def _listed(place: CopyPlace, folder: str) -> set[str]:
    where = place.address, folder
    if where not in _listings:
        _listings[where] = set(place.names(folder))
    return _listings[where]


def _warn_once(address: str, error: StoreError) -> None:
    if address not in _silent:
        _silent.add(address)
        warnings.warn(f"content is not fetched: {error.message}", RmsWarning, stacklevel=3)
