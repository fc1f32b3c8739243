"""Which flows are on record?  Their segments, the versions of these, and what they have made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from rms_jupyter import model
from rms_jupyter.errors import RmsError
from rms_jupyter.flows.environment import read_parameters
from rms_jupyter.flows.graph import parse
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.store import Store

_FAILED = ("failed", "timed_out", "cut_off")


@dataclass
class SegmentVersion:
    """A version of the pipe of a segment, and its tasks.

    Attributes
    ----------
    id : int
        Of the pipe's record.
    version : str
    counts : Counter
        How many tasks are in each status.
    seconds : float
    when : int
        When the latest task began, in milliseconds since 1970.
    latest : int
        Its id.
    tags : list of str
    parameters : dict of str to object
        The globals that the latest task has read, and what it has exposed.
    """

    id: int
    version: str
    counts: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    when: int = 0
    latest: int = 0
    tags: list[str] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)


class SegmentOnRecord(NamedTuple):
    """A segment of a flow; `depth` counts those that it follows, one after the other."""

    name: str
    parents: tuple[str, ...]
    depth: int
    pipe: str
    versions: list[SegmentVersion]


class FlowOnRecord(NamedTuple):
    """A flow as it was run last; `when` is in milliseconds since 1970."""

    name: str
    when: int
    segments: list[SegmentOnRecord]


class Product(NamedTuple):
    """A file that a task has made."""

    id: int
    path: str
    size: int
    task: int


def flows_on_record(store: Store, file_of: Callable[[int, str], str]) -> list[FlowOnRecord]:
    """List the flows of a store, the one that was run last first.

    Parameters
    ----------
    store : Store
    file_of : callable
        Finds the file with an ending that a task has made.
    """
    store.refresh()
    rows = store.fetch(sql_text("queries/flows.sql"))
    flows = [(name, text, msgspec.json.decode(pipes), when) for name, text, pipes, when in rows]
    versions = _versions(store, sorted({pipe for _, _, pipes, _ in flows for pipe in pipes.values()}), file_of)
    return [FlowOnRecord(name, when, _segments(text, pipes, versions)) for name, text, pipes, when in flows]


def _segments(text: str, pipes: dict[str, str], versions: dict[str, list[SegmentVersion]]) -> list[SegmentOnRecord]:
    try:
        graph = parse(text)
    except RmsError:  # Whoever wrote the record.
        return []
    depths: dict[str, int] = {}
    for name in graph.segments:
        depths[name] = max((depths[parent] + 1 for parent in graph.parents[name]), default=0)
    return [
        SegmentOnRecord(
            name, graph.parents[name], depths[name], pipes.get(name, ""), versions.get(pipes.get(name, ""), [])
        )
        for name in graph.segments
    ]


def _versions(store: Store, pipes: list[str], file_of: Callable[[int, str], str]) -> dict[str, list[SegmentVersion]]:
    found: dict[str, dict[str, SegmentVersion]] = {}
    for row in store.fetch(sql_text("queries/flow_versions.sql"), [pipes]):
        pipe, text, ident, status, count, seconds, when, latest = row
        version = found.setdefault(pipe, {}).setdefault(text, SegmentVersion(ident, text))
        version.counts[status] += count
        version.seconds += seconds
        if when > version.when:
            version.when, version.latest = when, latest
    for pipe, text, tag in store.fetch(sql_text("queries/flow_tags.sql"), [pipes]):
        if text in found.get(pipe, {}):
            found[pipe][text].tags.append(tag)
    for own in found.values():
        for version in own.values():
            version.parameters = _parameters(store, version.latest, file_of)
    return {pipe: list(own.values()) for pipe, own in found.items()}


def _parameters(store: Store, task: int, file_of: Callable[[int, str], str]) -> dict[str, Any]:
    """Return the globals that a task has read, and the parameters that it has exposed."""
    record = store.record(task)[1]
    found: dict[str, Any] = msgspec.json.decode(record.globals) if isinstance(record, model.TaskRecord) else {}
    with suppress(OSError, ValueError, SyntaxError, RmsError):
        if path := file_of(task, ".exposed"):
            found |= read_parameters(path)
    return found


def products_of(store: Store, version: int, offset: int, limit: int) -> tuple[int, list[Product]]:
    """List files that the tasks of a version have made, the latest first, and how many there are."""
    rows = store.fetch(sql_text("queries/products_of_version.sql"), [version, limit, offset])
    return (rows[0][-1] if rows else 0), [Product(*row[:-1]) for row in rows]


def printed_of(store: Store, version: int, most: int) -> list[int]:
    """List the latest tasks of a version that have printed something or failed."""
    rows = store.fetch(sql_text("queries/tasks_of_version.sql"), [version, most])
    return [task for task, status, has_printed in rows if has_printed or status in _FAILED]
