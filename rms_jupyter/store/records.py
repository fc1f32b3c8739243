"""Which record does an id stand for, a cache key, a site, the name of a pipe, a path?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from rms_jupyter import model
from rms_jupyter.fingerprint.project import Project
from rms_jupyter.model import PipeRecord, Record, ResourceRecord, Run, TaskRecord
from rms_jupyter.naming import Called, call_name
from rms_jupyter.store.following import Following
from rms_jupyter.store.origins import Origins
from rms_jupyter.store.places import from_disk
from rms_jupyter.store.recent_index import environment_mark, key_mark, path_mark, pipe_mark, site_mark
from rms_jupyter.store.running import Note
from rms_jupyter.store.upkeep.forged import read_record

R = TypeVar("R", bound=Record)

# What a check finds is for asking only: every use looks at the file itself.
SEEN_ON_DISK = frozenset({"missing", "altered", "unreadable"})


class Records:
    """Reads records, by their ids and by what leads to them.

    Parameters
    ----------
    following : Following
        Finds lines of journals, and knows what leads where.
    project : Project
        Whose paths they hold.
    is_trusted : callable
        Whether only the user has written them.
    tell : callable
        Told of records that cannot be read any more.
    """

    def __init__(
        self, following: Following, project: Project, is_trusted: Callable[[], bool], tell: Callable[[str], None]
    ) -> None:
        self._following, self.project, self._may_read_all, self._tell = following, project, is_trusted, tell
        self.known = following.known
        self.origins = Origins(self.record, self.pipe_name)
        self._read_last: tuple[int, int, Any] = (0, -1, None)

    def record(self, ident: int) -> tuple[int, Record]:
        """Read the record that an id (of a record, or of a resource in it) stands for, with its own id.

        Raises
        ------
        LookupError
            If there is none.
        """
        place, last, record = self._read_last
        if place <= ident <= last:
            return place, record
        place, json = self._following.record(ident)
        record = from_disk(read_record(json, self._may_read_all()), self.project)
        last = place + len(record.out) + len(record.given) if isinstance(record, TaskRecord) else place
        self._read_last = place, last, record  # A call of a thousand files asks for each of them.
        return place, record

    def pipe_of(self, task: TaskRecord) -> PipeRecord | None:
        """Return the pipe of a task as it was then; None if it cannot be read any more."""
        return self._readable(task.pipe, PipeRecord)

    def run_of(self, task: TaskRecord) -> Run | None:
        """Return the run of a task; None if it had none, or it cannot be read any more."""
        return self._readable(task.run, Run) if task.run else None

    def writer_of(self, journal: int) -> model.Writer | None:
        """Return who writes the journal of a number; None if that cannot be read."""
        return self._readable(journal << 32, model.Writer)

    def _readable(self, ident: int, kind: type[R]) -> R | None:
        try:
            record = self.record(ident)[1]
        except LookupError:
            return None
        return record if isinstance(record, kind) else None

    def resource(self, ident: int) -> ResourceRecord:
        """Read a resource by its id."""
        place, record = self.record(ident)
        if isinstance(record, ResourceRecord):
            return record
        if isinstance(record, TaskRecord) and 0 < ident - place <= len(record.out) + len(record.given):
            return (*record.out, *record.given)[ident - place - 1]
        raise LookupError(f"no resource {ident}")

    def find(self, key: str) -> tuple[int, TaskRecord] | None:
        """Find the task with a cache key, done or failed; the key is checked in full."""
        return self._task_at(key_mark(key), lambda task: key in (task.key, task.traced))

    def find_site(self, site: int) -> tuple[int, TaskRecord] | None:
        """Find the latest task of a site."""
        return self._task_at(site_mark(site), lambda task: task.site == site)

    def latest_id(self, pipe_name: str) -> int:
        """Give the id of the latest task of a pipe, 0 if there is none."""
        return self.known.get(pipe_mark(pipe_name)) or 0

    def find_latest(self, pipe_name: str) -> tuple[int, TaskRecord] | None:
        """Find the latest task of a pipe."""
        return self._task_at(pipe_mark(pipe_name), lambda task: True)

    def find_path(self, path: str) -> tuple[int, ResourceRecord] | None:
        """Find the file last recorded at an absolute path."""
        for spelled in dict.fromkeys((self.project.place(path), path)):  # Earlier versions wrote all paths absolute.
            ident = self.known.get(path_mark(spelled))
            if ident is None:
                continue
            try:
                resource = self.resource(ident)
            except LookupError:
                self._tell_of_lost(ident)
                continue
            if resource.path == path:
                return ident, resource
        return None

    def find_environment(self, digest: str) -> model.Environment | None:
        """Find an environment by its digest."""
        ident = self.known.get(environment_mark(digest))
        found = self._readable(ident, model.Environment) if ident is not None else None
        return found if found is not None and found.digest == digest else None

    def status(self, ident: int) -> str:
        """Tell the status that a record was given since: ``overwritten``, ``deprecated``, ``deleted`` or ''."""
        status = self.known.facts.statuses.get(ident, "")
        return "" if status in SEEN_ON_DISK else status

    def seen(self, ident: int) -> str:
        """Tell what the last check found of a file: ``missing``, ``altered``, ``unreadable`` or ''."""
        status = self.known.facts.statuses.get(ident, "")
        return status if status in SEEN_ON_DISK else ""

    def pipe_id(self, version: str, name: str) -> int | None:
        """Find the record of a pipe's code version; other pipes may have the same code."""
        return self.known.pipe_ids.get((version, name))

    def accepted(self, version: str) -> tuple[str, ...]:
        """Give the older code versions whose results count for one."""
        return self.known.facts.accepted.get(version, ())

    def pipe_name(self, ident: int) -> str:
        """Give the name of a pipe by the id of its record."""
        pipe = self.known.facts.pipes.get(ident)
        return pipe[1] if pipe else "?"

    def call_text(self, task: TaskRecord) -> str:
        """Write a recorded call as the user would."""
        return call_name(self.origins.of_task(task))

    def noted_call(self, note: Note) -> str:
        """Write an unfinished call as the user would."""
        return call_name(Called(self.pipe_name(note.pipe), note.args))

    def _task_at(self, mark: int, fits: Any) -> tuple[int, TaskRecord] | None:
        ident = self.known.get(mark)
        if ident is None:
            return None
        try:
            place, record = self.record(ident)
        except LookupError:
            self._tell_of_lost(ident)
            return None
        return (place, record) if isinstance(record, TaskRecord) and fits(record) else None

    def _tell_of_lost(self, ident: int) -> None:
        """Tell that what is on record cannot be read, once for a journal."""
        self._tell(f"journal {ident >> 32} holds records that cannot be read any more: their calls run again")
