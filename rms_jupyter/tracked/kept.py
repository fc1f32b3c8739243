"""Which scripts are tracked?  Each is a record with the ways in which it is run; the last one of a path counts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from rms_jupyter import model
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.store import Store
from rms_jupyter.tracked.body import pipe_name_of
from rms_jupyter.tracked.entry import Entry


class KeptEntries:
    """The tracked scripts of a store.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def configs(self) -> dict[str, tuple[str, ...]]:
        """Return the names of the run configurations by absolute path."""
        place = self._store.project.absolute
        rows = self._store.fetch(sql_text("queries/tracked.sql"))
        return {place(path): tuple(configs) for path, configs in rows if configs}

    def entries(self) -> list[Entry]:
        """Return what is tracked."""
        return [Entry(path, config) for path, configs in self.configs().items() for config in configs]

    def add(self, paths: Iterable[str], config: str) -> list[Entry]:
        """Track scripts; returns those that were not tracked in this way."""
        known = self.configs()
        new = [path for path in paths if config not in known.get(path, ())]
        self._keep({path: (*known.get(path, ()), config) for path in new})
        return [Entry(path, config) for path in new]

    def remove(self, entries: Sequence[Entry]) -> None:
        """Track scripts no more; what they have made stays."""
        known = self.configs()
        paths = dict.fromkeys(entry.path for entry in entries)
        left = {path: tuple(c for c in known.get(path, ()) if Entry(path, c) not in entries) for path in paths}
        self._keep({path: configs for path, configs in left.items() if configs != known.get(path, ())})

    def _keep(self, configs: dict[str, tuple[str, ...]]) -> None:
        changed = time.time_ns() // 1000
        places = {self._store.project.place(path): own for path, own in configs.items()}
        self._store.append_all(
            [
                model.TrackedRecord(place, pipe_name_of(place), own, changed=changed, k=self._store.next_k())
                for place, own in places.items()
            ]
        )
