"""What goes when something is deleted, what stands in the way, and how does it come back?

A list in the store's trash and a record say first what is deleted; then its content goes to the trash: objects that
nothing else names and, if asked for, files that a call has made and that still hold what it wrote. The records
themselves stay, so that lineages can be shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rms_jupyter.errors import RmsError, UntrustedContent
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.fingerprint.trees import existing
from rms_jupyter.model import ResourceRecord, TaskRecord
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.store import Store, status_record
from rms_jupyter.store.upkeep.holdings import is_object
from rms_jupyter.store.upkeep.trash import Trash

_NAMED = 3
STAYS = "stays: --files (files=True) moves it to the trash, too"
_HINT = "delete those, too: s.delete(..., dependants=True), or %rms delete WHAT --with-dependants"


@dataclass
class Deletion:
    """What goes, or would go.

    Attributes
    ----------
    tasks : dict of int to Task
    resources : dict of int to Resource
    kept : dict of str to str
        Files that stay on disk, and why.
    objects : list of str
        Content in the store that nothing else needs.
    """

    tasks: dict[int, TaskRecord] = field(default_factory=dict)
    resources: dict[int, ResourceRecord] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    objects: list[str] = field(default_factory=list)

    @property
    def ids(self) -> list[int]:
        """All ids, sorted."""
        return sorted([*self.tasks, *self.resources])

    @property
    def files(self) -> dict[str, int]:
        """Ids by path."""
        return {resource.path: ident for ident, resource in self.resources.items() if resource.path}


class Deleter:
    """Deletes tasks and resources.

    Parameters
    ----------
    store, files
    """

    def __init__(self, store: Store, files: FileDigests) -> None:
        self._store, self._files = store, files

    def results(self, name: str, dependants: bool) -> Deletion:
        """Delete what calls of a pipe have made, the pipe itself stays; see `nodes`."""
        return self.nodes(self._tasks_of(name), dependants, False)

    def pipe(self, name: str, dependants: bool, dry_run: bool, with_files: bool = False) -> Deletion:
        """Delete all tasks of a pipe; see `nodes`."""
        ids = self._tasks_of(name)
        if not ids:
            raise RmsError(f"{name} has no tasks on record", hint="there is nothing to delete")
        if not dependants:
            raise self._refusal(name, ids)
        return self.nodes(ids, True, dry_run, with_files)

    def _tasks_of(self, name: str) -> list[int]:
        return [row[0] for row in self._store.fetch(sql_text("queries/tasks_of_pipe.sql"), [name])]

    def nodes(self, ids: Sequence[int], dependants: bool, dry_run: bool, with_files: bool = False) -> Deletion:
        """Delete tasks and resources.

        Parameters
        ----------
        ids : sequence of int
            Of tasks, with all they made; or of single resources.
        dependants : bool
            Delete what was made from them, too.
        dry_run : bool
            Only say what would be deleted.
        with_files : bool
            Move the files that they made to the trash, too.

        Raises
        ------
        RmsError
            If something that is current was made from them, and `dependants` is not given.
        """
        store = self._store
        store.refresh()
        deletion = Deletion()
        for ident in ids:
            self._take(deletion, self._current(ident))
        # What was made from a file before it was written again, with the same content, was made from this file.
        same = [row[0] for row in store.fetch(sql_text("queries/same_files.sql"), [list(deletion.files.values())])]
        rows = store.fetch(sql_text("queries/made_from.sql"), {"nodes": [*deletion.ids, *same]})
        if not dependants and (current := [ident for ident, is_current in rows if is_current]):
            raise self._refusal(label(store, ids[0]), current)
        if dependants:
            for ident, _ in rows:
                self._take(deletion, ident)
        for (ident,) in store.fetch(sql_text("queries/only_given_to.sql"), [list(deletion.tasks)]):
            deletion.resources[ident] = store.resource(ident)
        self._find_content(deletion, with_files)
        if not dry_run:
            self._remove(deletion)
        return deletion

    def _current(self, ident: int) -> int:
        """Give the latest record of a file, if its content is the same."""
        if self._store.status(ident) == "overwritten":
            before = self._store.resource(ident)
            known = self._store.find_path(before.path)
            if known is not None and known[1].digest == before.digest and self._store.status(known[0]) != "deleted":
                return known[0]
        return ident

    def _take(self, deletion: Deletion, ident: int) -> None:
        """Add a task with its outputs, or a resource; with its last output goes the task."""
        store = self._store
        try:
            place, record = store.record(ident)
        except LookupError:
            raise RmsError(f"nothing on record has the id {ident}", hint="search: %rms tasks WORDS") from None
        if store.status(ident) == "deleted":
            raise RmsError(f"{label(store, ident)} is deleted already", hint="%rms lineage shows what it was")
        if not isinstance(record, (TaskRecord, ResourceRecord)):
            raise RmsError(f"{ident} is neither a task nor a resource", hint="search: %rms tasks WORDS")
        if isinstance(record, TaskRecord):
            gone = {place + slot for slot in range(1, len(record.out) + 1) if store.status(place + slot) == "deleted"}
            left = {place + slot: out for slot, out in enumerate(record.out, 1) if place + slot not in gone}
            if ident == place or left.keys() - deletion.resources == {ident}:
                deletion.tasks[place] = record
                deletion.resources |= left
                return
        deletion.resources[ident] = store.resource(ident)

    def undo(self) -> tuple[Deletion, Mapping[str, str]]:
        """Bring the latest deletion back; returns what it was, and what cannot be put where it was, with the reason.

        Raises
        ------
        RmsError
            If there is nothing to bring back.
        UntrustedContent
            If others have made the store: they could have files put anywhere.
        """
        store, trash = self._store, Trash(self._store.layout)
        if not store.is_trusted:
            raise UntrustedContent("what is in the trash of this store was put there elsewhere", hint="%rms trust")
        entries = trash.entries()
        if not entries:
            raise RmsError("there is nothing in the trash", hint="%rms gc has emptied it, or nothing was deleted")
        folder, thrown = entries[0]
        store.refresh()
        failed = trash.bring_back(folder, thrown)
        earlier: dict[str, list[int]] = {}
        for ident, status in store.fetch(sql_text("queries/status_before.sql"), [list(thrown.ids)]):
            earlier.setdefault(status, []).append(ident)
        store.append(status_record(thrown.ids, "restored", store.next_k()))
        for status, ids in earlier.items():
            store.append(status_record(ids, status, store.next_k()))
        deletion = Deletion()
        for ident in thrown.ids:
            place, record = store.record(ident)
            if isinstance(record, TaskRecord) and place == ident:
                deletion.tasks[ident] = record
            else:
                deletion.resources[ident] = store.resource(ident)
        for path in deletion.files:
            self._files.forget(path)
        return deletion, failed

    def _find_content(self, deletion: Deletion, with_files: bool) -> None:
        names = {f"{r.digest}.{r.format}" for r in deletion.resources.values() if is_object(r)}
        names |= {f"{task.shown}.json" for task in deletion.tasks.values() if task.shown}
        digests = sorted({name.partition(".")[0] for name in names})
        rows = self._store.fetch(sql_text("queries/named_objects.sql"), {"digests": digests, "ids": deletion.ids})
        deletion.objects = sorted(names - {name for (name,) in rows})
        paths = list(deletion.files)
        inputs = {path for (path,) in self._store.fetch(sql_text("queries/input_paths.sql"), [paths])}
        for path in paths:
            known = self._store.find_path(path)
            if existing(path) is None:
                deletion.kept[path] = "gone before"
            elif path in inputs:
                deletion.kept[path] = "kept: it is an input"
            elif known is None or known[0] not in deletion.resources:
                deletion.kept[path] = "kept: another call has written it since"
            elif flaw := self._files.flaw(path, known[1].digest, known[1].state):
                deletion.kept[path] = f"kept: it is {flaw}"
            elif not with_files:
                deletion.kept[path] = STAYS

    def _remove(self, deletion: Deletion) -> None:
        files = [path for path in deletion.files if path not in deletion.kept]
        store = self._store
        objects = [place for name in deletion.objects if (place := store.objects.place(name))]
        store.begin()
        trash = Trash(store.layout)
        begun = trash.begin(deletion.ids, [*objects, *files])
        store.append(status_record(deletion.ids, "deleted", store.next_k()))
        failed = trash.throw(*begun)
        deletion.kept |= {path: f"kept: {failed[path]}" for path in files if path in failed}
        for path in files:
            self._files.forget(path)

    def _refusal(self, what: str, ids: Sequence[int]) -> RmsError:
        named = ", ".join(label(self._store, ident) for ident in ids[:_NAMED])
        count = f"{len(ids):,} task{'s' if len(ids) != 1 else ''}"
        return RmsError(f"{what} is used by {count}: {named}{', …' if len(ids) > _NAMED else ''}", hint=_HINT)


def label(store: Store, ident: int) -> str:
    """Name a task by its call, a file by its path, a value by the call that made it."""
    place, record = store.record(ident)
    if isinstance(record, TaskRecord):
        resource = store.resource(ident) if ident != place else None
        return (resource.path if resource else "") or store.call_text(record)
    return record.path if isinstance(record, ResourceRecord) else str(ident)
