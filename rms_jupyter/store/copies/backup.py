"""How is a store kept safe in another place, all of it or what matters, and is what is kept there sound?"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, NamedTuple

from blake3 import blake3

from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.model import TaskRecord
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.copies.place import CopyPlace
from rms_jupyter.store.copies.send import SentCounts, send, texts_at
from rms_jupyter.store.copies.take import read_text
from rms_jupyter.store.objects import Objects
from rms_jupyter.store.store import Store
from rms_jupyter.store.upkeep.holdings import Held, is_object

Part = Literal["all", "key", "record"]
_FILE = re.compile(r"[0-9a-f]{32}")


class Kept(NamedTuple):
    """What a backup holds, and what was left out of it: calls, each with whether it can be computed again."""

    sent: SentCounts
    left_out: list[tuple[str, bool]]


def back_up(
    store: Store,
    digests: FileDigests,
    place: CopyPlace,
    part: Part,
    files: Iterable[Held],
    can_run: Callable[[int], bool],
) -> Kept:
    """Bring a backup up to date.

    Parameters
    ----------
    store, digests, place
    part : str
        ``record``: what was done and where it came from, no content. ``key``: raw and key results too: what no call has
        made, what nothing else was made from, and what was tagged or noted. ``all``: everything.
    files : iterable of Held
        The files of the project.
    can_run : callable
        Whether the task with an id can be computed again.
    """
    if part == "all":
        return Kept(send(store, digests, place, files), [])
    key = _key_results(store) if part == "key" else set[int]()
    holdings = store.holdings()
    wanted = {
        name for name, held in holdings.objects.items() if held.id in key or (part == "key" and _is_raw(store, held))
    }
    if part == "key":
        wanted |= _shown_by(store, key)
    chosen = [held for held in files if part == "key" and (held.id in key or _is_raw(store, held))]
    sent = send(store, digests, place, chosen, wanted.__contains__)
    kept = {held.id for held in chosen} | {held.id for name, held in holdings.objects.items() if name in wanted}
    out = [held for held in (*holdings.objects.values(), *files) if held.id not in kept and not store.status(held.id)]
    return Kept(sent, _left_out(store, out, can_run))


def verify(place: CopyPlace) -> tuple[int, list[str]]:
    """Read all of a backup again; how much there is, and what is damaged."""
    count, damaged = 0, []
    for text in texts_at(place).values():
        count += 1
        if read_text(place, text) is None:
            damaged.append(f"journal {text.number}")
    with tempfile.TemporaryDirectory(prefix="rms-") as folder:
        objects = Objects(Path(folder, "objects"))
        for start in place.names("objects"):
            for name in place.names(f"objects/{start}"):
                count += 1
                if not _is_sound(objects, name, place.read(f"objects/{start}/{name}")):
                    damaged.append(f"result {name}")
    for start in place.names("files"):
        for name in place.names(f"files/{start}"):
            count += 1
            if not _FILE.fullmatch(name) or blake3(place.read(f"files/{start}/{name}")).digest(16).hex() != name:
                damaged.append(f"file {name}")
    return count, damaged


def _is_sound(objects: Objects, name: str, data: bytes) -> bool:
    try:
        objects.take_in(name, data)
    except LookupError:
        return False
    objects.remove(name)
    return True


def _key_results(store: Store) -> set[int]:
    return {ident for (ident,) in store.fetch(sql_text("queries/key_results.sql"))}


def _shown_by(store: Store, key: set[int]) -> set[str]:
    """Name what the tasks that made key results have shown."""
    rows = store.fetch(
        "SELECT r.id, t.shown FROM raw.tasks t JOIN raw.resources r ON r.task = t.id WHERE t.shown <> ''"
    )
    return {f"{shown}.json" for ident, shown in rows if ident in key}


def _is_raw(store: Store, held: Held) -> bool:
    """Whether no call has made something: it was read, registered, or given."""
    place, record = store.record(held.id)
    return not isinstance(record, TaskRecord) or held.id - place > len(record.out)


def _left_out(store: Store, held: Iterable[Held], can_run: Callable[[int], bool]) -> list[tuple[str, bool]]:
    found = []
    for ident, resource in held:
        if not (resource.path or is_object(resource)):
            continue
        place, record = store.record(ident)
        what = resource.path or (store.call_text(record) if isinstance(record, TaskRecord) else resource.preview)
        is_made = isinstance(record, TaskRecord) and ident - place <= len(record.out)
        found.append((what, is_made and can_run(place)))
    return found
