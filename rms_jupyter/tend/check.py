"""Is what is recorded still on disk, and as it was recorded?  Looks only; nothing is changed."""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from functools import cache
from typing import Literal, NamedTuple

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.fingerprint.values import Undigestable, digest
from rms_jupyter.model import ResourceRecord, TaskRecord
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.copies.elsewhere import is_in_copy
from rms_jupyter.store.store import Store, status_record
from rms_jupyter.store.upkeep.holdings import Held

Kind = Literal["missing", "altered", "unreadable", "corrupt"]


class Problem(NamedTuple):
    """Something on record that is not on disk as it was.

    Attributes
    ----------
    id : int
    what : str
        Path of the file, or the call whose result it is.
    kind : str
    path : str
        Of the file; of the store's own for a corrupt result, empty for a missing one.
    made_by : str
        The call that made it; empty for what was registered or read.
    registered : bool
        Whether the user has put the file on record.
    """

    id: int
    what: str
    kind: Kind
    path: str
    made_by: str
    registered: bool = False


class CheckFindings(NamedTuple):
    """What a check has looked at, and what it found wrong."""

    files: int
    results: int
    problems: list[Problem]


def check(store: Store, files: FileDigests, full: bool = False, results: bool = False) -> CheckFindings:
    """Look at every file and kept result that is current.

    Parameters
    ----------
    store, files
    full : bool
        Read all content again, also where size and time are as before.
    results : bool
        Read all kept results again.
    """
    holdings = store.holdings()
    statuses, held = store.known.facts.statuses, [*holdings.files.values()]
    looked_at = 0
    problems: list[Problem] = []
    seen: dict[str, list[int]] = {}
    for ident, resource in held:
        if (status := statuses.get(ident, "")) and store.status(ident):
            continue
        looked_at += 1
        flaw = files.flaw(resource.path, resource.digest, resource.state, full)
        if flaw == "missing" and is_in_copy(store.layout.root, "files", resource.digest):
            flaw = ""  # It is fetched when it is used.
        if flaw:
            registered = isinstance(store.record(ident)[1], ResourceRecord)
            problems.append(Problem(ident, resource.path, flaw, resource.path, _maker(store, ident), registered))
        if flaw != status:
            seen.setdefault(flaw or "current", []).append(ident)
    if not store.read_only:
        for status, ids in seen.items():
            store.append(status_record(ids, status, store.next_k()))
    kept = [held for held in holdings.objects.values() if not store.status(held.id)]
    problems += _check_results(store, kept, full or results)
    return CheckFindings(looked_at, len(kept), problems)


def edited_files(store: Store, files: FileDigests, most: int) -> list[int]:
    """List files on record that have other content now; where there are more than `most`, none is looked at."""
    ids = [ident for (ident,) in store.fetch(sql_text("queries/latest_files.sql"), {"most": most + 1})]
    held = [(ident, store.resource(ident)) for ident in ids] if len(ids) <= most else []
    return [ident for ident, file in held if files.flaw(file.path, file.digest, file.state) == "altered"]


def _check_results(store: Store, kept: list[Held], full: bool) -> Iterator[Problem]:
    evicted = cache(lambda: {name for (name,) in store.fetch("SELECT object FROM raw.evictions")})
    for ident, resource in kept:
        kind: Kind | None = None
        if not store.objects.exists(resource.digest, resource.format):
            name = f"{resource.digest}.{resource.format}"
            is_elsewhere = name in evicted() or is_in_copy(store.layout.root, "objects", name)
            kind = None if is_elsewhere else "missing"
        elif full and is_corrupt(store, resource):
            kind = "corrupt"
        if kind:
            call = _maker(store, ident)
            what = call or resource.preview or resource.type
            path = str(store.objects.path(resource.digest, resource.format)) if kind == "corrupt" else ""
            yield Problem(ident, what, kind, path, call)


def is_corrupt(store: Store, resource: ResourceRecord) -> bool:
    """Read a result again: are its bytes those that were written?  What has no seal tells that by its digest."""
    flaw = store.objects.flaw(resource.digest, resource.format, reread=True)
    return flaw == "damaged" or (not flaw and not _is_sealed(store, resource) and _is_another(store, resource))


def _is_sealed(store: Store, resource: ResourceRecord) -> bool:
    return store.objects.is_sealed(resource.digest, resource.format)


def _is_another(store: Store, resource: ResourceRecord) -> bool:
    """Whether a result has another digest than the recorded one, where that says something."""
    try:
        value = store.restore(resource)
        own = digest(value).hex()
    except Undigestable:
        return False  # There is nothing to compare with.
    except RmsError as error:
        needs_more = isinstance(error.__cause__, (AttributeError, ImportError))  # What is not defined here.
        return error.__cause__ is not None and not needs_more
    except Exception:
        return True
    return not (own == resource.digest or resource.by_origin or _depends_on_code(store, resource))


def _depends_on_code(store: Store, resource: ResourceRecord) -> bool:
    """Tell frames and objects of classes: their digest counts the class, which may be of another version by now."""
    if resource.format != "pickle":
        return resource.format in ("arrow", "polars.arrow")
    with store.objects.path(resource.digest, resource.format).open("rb") as file:
        return any("GLOBAL" in opcode.name for opcode, _, _ in pickletools.genops(file))


def _maker(store: Store, ident: int) -> str:
    place, record = store.record(ident)
    if not isinstance(record, TaskRecord) or ident - place > len(record.out):
        return ""
    return store.call_text(record)
