"""Which versions of a pipe are on record, with which tasks; and how do two of them differ?"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from rms_jupyter import model
from rms_jupyter.errors import RmsError
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.store import Store

_ALL = 2**62


@dataclass
class RecordedVersion:
    """A code version of a pipe, and its tasks.

    Attributes
    ----------
    pipe : Pipe
        As recorded.
    tasks : list of int
        Ids, the latest last.
    counts : Counter
        How many are in each status.
    started : datetime
        When the latest began.
    seconds : float
        How long they took together.
    """

    pipe: model.PipeRecord
    tasks: list[int] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    started: datetime | None = None
    seconds: float = 0.0


def code_versions(store: Store, pipe: str) -> list[RecordedVersion]:
    """List the versions of a pipe that have tasks, the latest first."""
    found: dict[str, RecordedVersion] = {}
    store.refresh()
    for pipe_id, task, status, started, seconds in store.fetch(sql_text("queries/versions_of_pipe.sql"), [pipe]):
        record = store.record(pipe_id)[1]
        assert isinstance(record, model.PipeRecord)
        version = found.pop(record.version, None) or RecordedVersion(record)
        found[record.version] = version
        version.tasks.append(task)
        version.counts[status] += 1
        version.started = started
        version.seconds += seconds
    return list(found.values())[::-1]


def pipe_record(store: Store, ident: int) -> model.PipeRecord:
    """Return the record of a version of a pipe.

    Raises
    ------
    RmsError
        If that is none.
    """
    record = store.record(ident)[1]
    if not isinstance(record, model.PipeRecord):
        raise RmsError(f"{ident} is not a version of a pipe", hint="reload the page")
    return record


def version_of(store: Store, ident: int) -> RecordedVersion:
    """Return the version of a pipe with all its tasks, by the id of its record.

    Raises
    ------
    RmsError
        If that is none.
    """
    version = RecordedVersion(pipe_record(store, ident))
    for task, status, _ in store.fetch(sql_text("queries/tasks_of_version.sql"), [ident, _ALL]):
        version.tasks.append(task)
        version.counts[status] += 1
    version.tasks.reverse()
    return version


def tags_of(store: Store, tasks: list[int]) -> list[str]:
    """List the tags that tasks have."""
    return [tag for (tag,) in store.fetch(sql_text("queries/tags_of.sql"), [tasks])]


@dataclass(frozen=True)
class Change:
    """What differs between two versions: the code, a parameter or what a call made; None where one of them has none.

    What a call made is a list of records: those that differ, where both have made as many.
    """

    kind: str
    name: str
    before: Any
    after: Any


def compare_versions(store: Store, before: RecordedVersion, after: RecordedVersion) -> Iterator[Change]:
    """Find what differs between two versions: their code, the globals that they read, and what they made of what.

    Results are compared where both versions got the same arguments.
    """
    for name in dict.fromkeys([*before.pipe.sources, *after.pipe.sources]):
        old, new = before.pipe.sources.get(name), after.pipe.sources.get(name)
        if old != new:
            yield Change("code", name, old, new)
    first, second = _globals(store, before), _globals(store, after)
    for name in dict.fromkeys([*first, *second]):
        if first.get(name) != second.get(name):
            yield Change("parameter", name, first.get(name), second.get(name))
    made, makes = _products(store, before), _products(store, after)
    for call in dict.fromkeys([*made, *makes]):
        was, now = made.get(call), makes.get(call)
        if was and now and len(was) == len(now):
            others = [n for n in range(len(was)) if _identity(was[n]) != _identity(now[n])]
            if others:
                yield Change("product", call, [was[n] for n in others], [now[n] for n in others])
        elif was != now:
            yield Change("product", call, was, now)


def _identity(made: model.ResourceRecord) -> tuple[str, str]:
    return made.path.rpartition("/")[2], made.digest


def diff_of(change: Change) -> str:
    """Write a change of code as a unified diff."""
    old, new = ((text or "").splitlines() for text in (change.before, change.after))
    return "\n".join(difflib.unified_diff(old, new, change.name, change.name, lineterm="", n=2))


def _tasks(store: Store, version: RecordedVersion) -> Iterator[model.TaskRecord]:
    for ident in version.tasks:
        record = store.record(ident)[1]
        if isinstance(record, model.TaskRecord) and record.status == "done":
            yield record


def _globals(store: Store, version: RecordedVersion) -> dict[str, Any]:
    latest: dict[str, Any] = {}
    for task in _tasks(store, version):
        latest |= msgspec.json.decode(task.globals)
    return latest


def _products(store: Store, version: RecordedVersion) -> dict[str, list[model.ResourceRecord]]:
    """What each call made; the latest task of a call counts."""
    return {store.call_text(task): list(task.out) for task in _tasks(store, version)}
