"""What waits to be run, and who takes what?  A file an entry, in the store; a worker holds a claim on the one it runs.

A claim dies with its holder, so that the entry of a worker that was killed is taken by another, once. What a file says
is data: an entry is run only if it is tracked.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from rms_jupyter.fingerprint.project import Project
from rms_jupyter.fingerprint.values import tagged
from rms_jupyter.store.claims import Claims
from rms_jupyter.store.modes import make_folder, share
from rms_jupyter.store.recent_index import key_mark
from rms_jupyter.store.small_files import read_json
from rms_jupyter.tracked.entry import Entry

_MOST_ATTEMPTS = 2


class Waiting(Struct, frozen=True):
    """An entry as it is in its file.

    That is the place of the script in the project, the configuration, since when it waits, and how often a worker has
    begun it.
    """

    place: str
    config: str
    added: int
    attempts: int = 0


class Queued(NamedTuple):
    """An entry in the queue, and whether somebody runs it."""

    entry: Entry
    added: int
    is_running: bool


class Queue:
    """The queue of a store.

    Parameters
    ----------
    folder : Path
    claims : Claims
    project : Project
    """

    def __init__(self, folder: Path, claims: Claims, project: Project) -> None:
        self._folder, self._claims, self._project = folder, claims, project
        self._mine: set[Entry] = set()

    def add(self, entry: Entry) -> bool:
        """Add an entry, unless it waits already; returns whether it was added."""
        make_folder(self._folder)
        waiting = Waiting(self._project.place(entry.path), entry.config, time.time_ns() // 1000)
        partial = self._write(waiting)
        try:
            os.link(partial, self._path(entry))
        except FileExistsError:
            return False
        finally:
            partial.unlink(missing_ok=True)
        return True

    def cancel(self, entry: Entry) -> bool:
        """Remove an entry that waits; returns whether it did: what has begun is not cancelled."""
        if entry in self._mine or not self._claims.take(_mark(entry), wait=False):
            return False
        try:
            return self._remove(entry)
        finally:
            self._claims.release(_mark(entry))

    def entries(self) -> list[Queued]:
        """List what waits and what runs, in the order in which it is taken."""
        return [Queued(entry, waiting.added, self._is_running(entry)) for entry, waiting in self._all()]

    def __len__(self) -> int:
        return sum(1 for _ in self._all())

    def take(self) -> Entry | None:
        """Take the entry that has waited longest and that nobody runs; None if there is none."""
        for entry, _ in self._all():
            if entry not in self._mine and self._claims.take(_mark(entry), wait=False):
                if (waiting := self._read(self._path(entry))) is not None and waiting.attempts < _MOST_ATTEMPTS:
                    self._begin(entry, waiting)
                    return entry
                self._remove(entry)
                self._claims.release(_mark(entry))
        return None

    def done(self, entry: Entry, has_run: bool = True) -> None:
        """Let go of an entry that was taken: it has run, or it waits again."""
        if has_run:
            self._remove(entry)
        elif (waiting := self._read(self._path(entry))) is not None:
            self._replace(entry, waiting, waiting.attempts - 1)
        self._mine.discard(entry)
        self._claims.release(_mark(entry))

    def _begin(self, entry: Entry, waiting: Waiting) -> None:
        self._mine.add(entry)
        self._replace(entry, waiting, waiting.attempts + 1)

    def _is_running(self, entry: Entry) -> bool:
        if entry in self._mine:
            return True
        if not self._claims.take(_mark(entry), wait=False):
            return True
        self._claims.release(_mark(entry))
        return False

    def _all(self) -> Iterator[tuple[Entry, Waiting]]:
        found: list[Waiting] = []
        with contextlib.suppress(OSError):
            paths = [Path(item.path) for item in os.scandir(self._folder) if item.name.endswith(".json")]
            found = [waiting for path in paths if (waiting := self._read(path)) is not None]
        for waiting in sorted(found, key=lambda waiting: (waiting.added, waiting.place, waiting.config)):
            yield Entry(self._project.absolute(waiting.place), waiting.config), waiting

    def _read(self, path: Path) -> Waiting | None:
        try:
            return read_json(path, Waiting)
        except (OSError, ValueError):
            return None

    def _write(self, waiting: Waiting) -> Path:
        partial = self._folder / f".{secrets.token_hex(8)}"
        partial.write_bytes(msgspec.json.encode(waiting))
        share(partial)
        return partial

    def _replace(self, entry: Entry, waiting: Waiting, attempts: int) -> None:
        self._write(msgspec.structs.replace(waiting, attempts=attempts)).replace(self._path(entry))

    def _remove(self, entry: Entry) -> bool:
        try:
            self._path(entry).unlink()
        except OSError:
            return False
        return True

    def _path(self, entry: Entry) -> Path:
        return self._folder / f"{_name(Entry(self._project.place(entry.path), entry.config))}.json"


def _name(entry: Entry) -> str:
    return tagged("queued", [os.fsencode(entry.path), entry.config.encode()]).hex()


def _mark(entry: Entry) -> int:
    return key_mark(_name(entry))
