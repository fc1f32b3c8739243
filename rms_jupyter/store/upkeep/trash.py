"""Where is what was deleted, until the store is cleared out, and how does it come back?

Each deletion has a folder of its own in the store's trash: the objects and files that went, and a list of them. What
something else has the place of by then stays in the trash.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from rms_jupyter.errors import StoreError
from rms_jupyter.store.full import writing_to
from rms_jupyter.store.layout import Layout
from rms_jupyter.store.modes import make_folder, share
from rms_jupyter.store.small_files import read_json

_LIST = "deleted.json"


class Thrown(msgspec.Struct, frozen=True):
    """What went at once: the ids of its records, and where its content was, by the names that it has in the trash."""

    ids: tuple[int, ...]
    places: dict[str, str] = {}


class Trash:
    """What was deleted from a store.

    Parameters
    ----------
    layout : Layout
    """

    def __init__(self, layout: Layout) -> None:
        self._folder = layout.root / "trash"

    def begin(self, ids: Sequence[int], places: Sequence[str]) -> tuple[Path, Thrown]:
        """Write down what goes, before it does.

        Raises
        ------
        StoreError
            If the disk is full, or not writable; nothing is left behind then.
        """
        folder = self._folder / f"{time.time_ns():020}-{secrets.token_hex(4)}"
        thrown = Thrown(tuple(ids), {str(number): place for number, place in enumerate(places)})
        try:
            with writing_to(self._folder.parent):
                make_folder(self._folder)
                make_folder(folder)
                (folder / _LIST).write_bytes(msgspec.json.encode(thrown))
                share(folder / _LIST)
        except StoreError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return folder, thrown

    def throw(self, folder: Path, thrown: Thrown) -> dict[str, str]:
        """Move files and folders here, as `begin` has written down; return those that could not be moved, and why."""
        failed = {}
        for name, place in thrown.places.items():
            try:
                shutil.move(place, folder / name)
            except FileNotFoundError:
                continue
            except OSError as error:
                failed[place] = error.strerror or str(error)
        return failed

    def entries(self) -> list[tuple[Path, Thrown]]:
        """List the deletions that can be undone, the latest first."""
        found = []
        for folder in sorted(self._folder.iterdir(), reverse=True) if self._folder.is_dir() else []:
            with contextlib.suppress(OSError, ValueError):
                found.append((folder, read_json(folder / _LIST, Thrown)))
        return found

    def bring_back(self, folder: Path, thrown: Thrown) -> Mapping[str, str]:
        """Put everything back where it was; return what could not be put there, and why."""
        failed = {}
        for name, place in thrown.places.items():
            source = folder / name
            if not os.path.lexists(source):
                continue
            if os.path.lexists(place):
                failed[place] = "something else is there now"
                continue
            try:
                os.makedirs(os.path.dirname(place), exist_ok=True)
                shutil.move(source, place)
            except OSError as error:
                failed[place] = error.strerror or str(error)
        if not failed:
            shutil.rmtree(folder, ignore_errors=True)
        return failed

    def size(self) -> int:
        """Return the bytes of all that is here."""
        total = 0
        for folder, _, names in os.walk(self._folder):
            for name in names:
                with contextlib.suppress(OSError):
                    total += os.lstat(os.path.join(folder, name)).st_size
        return total

    def empty(self) -> int:
        """Remove all that is here; return the bytes that are free now."""
        before = self.size()
        shutil.rmtree(self._folder, ignore_errors=True)
        return before - self.size()
