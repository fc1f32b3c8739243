"""How is all content of a copy fetched at once?"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import NamedTuple

from rms_jupyter.errors import StoreError, words_of
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.copies.elsewhere import lies_in, put_file
from rms_jupyter.store.copies.place import CopyPlace
from rms_jupyter.store.full import number_in, reason
from rms_jupyter.store.store import Store
from rms_jupyter.store.upkeep.holdings import Held


class Fetched(NamedTuple):
    """How many objects and files (`parts`) were fetched, their bytes, and what could not be."""

    parts: int
    bytes: int
    problems: list[str]


def fetch_all(store: Store, place: CopyPlace, files: Iterable[Held], goes_on: bool = False) -> Fetched:
    """Fetch what is on record, not here, and in a copy.

    Raises
    ------
    StoreError
        If something cannot be read; where it `goes_on`, only if nothing can be read or written any more.
    """
    count = size = 0
    problems: list[str] = []
    for name in _missing_objects(store, place, problems, goes_on):
        try:
            data = place.read(f"objects/{name[:2]}/{name}")
        except (FileNotFoundError, StoreError) as error:
            problems.append(_unread(place, name, error, goes_on))
            continue
        try:
            store.objects.take_in(name, data)
        except Exception as error:
            _refuse_full(error)
            problems.append(f"{name} of {place.address} was not taken in: {error}")
            continue
        count, size = count + 1, size + len(data)
    for _, resource in files:
        path = store.layout.root.parent / resource.path
        if path.exists() or path.is_symlink() or not lies_in(resource.path, store.project.folder):
            continue
        try:
            if put_file(place, path, resource.digest):
                count, size = count + 1, size + resource.size
            else:
                problems.append(f"{resource.path} is damaged in {place.address}")
        except FileNotFoundError:
            continue
        except StoreError as error:
            problems.append(_unread(place, resource.path, error, goes_on))
    return Fetched(count, size, problems)


def _unread(place: CopyPlace, what: str, error: StoreError | FileNotFoundError, goes_on: bool) -> str:
    """Say what could not be read.

    Raises
    ------
    StoreError
        If it does not go on, nothing of the place can be read any more, or nothing can be written here.
    """
    if isinstance(error, FileNotFoundError):
        return f"{what} of {place.address} was not read: it is not a file"
    if not goes_on:
        raise error
    _refuse_full(error)
    place.names("journal")
    return f"{what} was not read: {error.message}"


def _refuse_full(error: Exception) -> None:
    """Raise what says that there is no room here for anything more."""
    if number_in(words_of(error)) in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        raise StoreError(f"there is no room here: {reason(error)}", hint="make room, then do it again") from None


def _missing_objects(store: Store, place: CopyPlace, problems: list[str], goes_on: bool) -> list[str]:
    wanted = set(store.holdings().objects)
    shown = store.fetch("SELECT DISTINCT shown FROM raw.tasks WHERE shown IS NOT NULL AND shown <> ''")
    wanted |= {f"{name}.json" for (name,) in shown}
    missing = _not_deleted(store, [name for name in wanted if store.objects.lacks(name)])
    there: dict[str, set[str]] = {}
    for start in {name[:2] for name in missing}:
        try:
            there[start] = set(place.names(f"objects/{start}"))
        except StoreError as error:
            problems.append(_unread(place, f"the folder objects/{start}", error, goes_on))
    return [name for name in missing if name in there.get(name[:2], ())]


def _not_deleted(store: Store, names: list[str]) -> list[str]:
    digests = [name.partition(".")[0] for name in names]
    rows = store.fetch(sql_text("queries/named_objects.sql"), {"digests": digests, "ids": []}) if names else []
    return sorted(set(names).intersection(name for (name,) in rows))
