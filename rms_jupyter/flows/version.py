"""What is a version of a segment to the user?  Its code and what it made, beside those of other versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from rms_jupyter.flows.picture import counted
from rms_jupyter.handles.resource import FileResource
from rms_jupyter.harmless import fits_console, harmless
from rms_jupyter.tend.versions import Change, RecordedVersion, diff_of
from rms_jupyter.views.results import Report, Results
from rms_jupyter.views.why import made_in_words


class VersionHost(Protocol):
    """What a version asks of the session."""

    def tags_of(self, tasks: list[int]) -> list[str]:
        """List the tags that tasks have."""

    def mark(self, what: Any, deprecated: bool | None = None, tag: str = "", note: str = "") -> str:
        """Give something a tag or a note."""

    def compare_versions(self, before: RecordedVersion, after: RecordedVersion) -> list[Change]:
        """Find what differs between two versions."""

    def delete_tasks(self, tasks: list[int], dependants: bool, dry_run: bool, files: bool = False) -> Report:
        """Delete tasks with what they made."""

    def files_of_tasks(self, tasks: list[int]) -> list[FileResource]:
        """Make handles on the files that tasks made."""


class Version:
    """A version of a segment: what ran, and what that made.

    Attributes
    ----------
    id : str
        The first digits of its digest.
    counts : dict of str to int
        How many of its tasks are in each status.
    started : datetime
        When its latest task began, in UTC.
    """

    def __init__(self, host: VersionHost, code: RecordedVersion) -> None:
        self._host, self._code = host, code
        self.id, self.counts, self.started = code.pipe.version[:8], dict(code.counts), code.started

    @property
    def code(self) -> str:
        """The code: its own, then that of the user's that it refers to."""
        return "\n\n".join(self._code.pipe.sources.values())

    @property
    def tasks(self) -> list[int]:
        """Ids of its tasks, the latest last."""
        return list(self._code.tasks)

    @property
    def tags(self) -> list[str]:
        """The tags given to it."""
        return self._host.tags_of(self._code.tasks)

    @property
    def files(self) -> list[FileResource]:
        """The files that its tasks made."""
        return self._host.files_of_tasks(self._code.tasks)

    def tag(self, tag: str, note: str = "") -> str:
        """Give all its tasks a tag or a note: searches find it, and they are not evicted."""
        return self._host.mark(self._code.tasks, tag=tag, note=note)

    def compare(self, other: Version) -> Report:
        """Say what differs between this version and an earlier one: code, parameters, products."""
        changes = self._host.compare_versions(other._code, self._code)
        code = [diff_of(change) for change in changes if change.kind == "code"]
        rows = [_row(change) for change in changes if change.kind != "code"]
        headline = f"{self._code.pipe.name}: {other.id} → {self.id}" + ("" if changes else ", the same")
        return Report(headline, rows, [line for text in code for line in text.splitlines()])

    def delete(self, dependants: bool = False, dry_run: bool = False, files: bool = False) -> Report:
        """Delete its tasks with what they made, what was made from that, if asked for, and with `files` their files.

        Raises
        ------
        RmsError
            If something that is current was made from it, and `dependants` is not given.
        """
        return self._host.delete_tasks(self._code.tasks, dependants, dry_run, files)

    def row(self) -> dict[str, Any]:
        """What a table shows of it."""
        at: datetime | None = self.started
        return {
            "version": self.id,
            "tasks": counted(self.counts),
            "latest": f"{at:%Y-%m-%d %H:%M}" if at else "",
            "seconds": self._code.seconds,
            "tags": ", ".join(self.tags),
        }

    @fits_console
    def __repr__(self) -> str:
        return harmless(f"<{self._code.pipe.name} {self.id}: {counted(self.counts)}>")


def _row(change: Change) -> dict[str, Any]:
    is_made = change.kind == "product"
    before, after = made_in_words(change.before, change.after) if is_made else (change.before, change.after)
    return {"what": change.kind, "name": change.name, "before": before, "after": after}


Versions = Results[Version]
