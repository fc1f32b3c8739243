"""How is everything about one task or resource shown on a page?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from html import escape
from types import MappingProxyType
from typing import Any

import msgspec

from rms_jupyter import model
from rms_jupyter.harmless import fits_console
from rms_jupyter.naming import short_id
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.content import object_names
from rms_jupyter.store.store import Store
from rms_jupyter.tend.circumstances import circumstances_of
from rms_jupyter.views.display import GREY
from rms_jupyter.views.results import html_table, text_table
from rms_jupyter.views.wording import duration, size

_LONGEST = 4000


class Shown:
    """Everything about a task or resource.

    Attributes
    ----------
    title : str
    facts : mapping of str to str
        Status, time, cell, reason, ...
    inputs, outputs : list of dict
        One row each.
    texts : mapping of str to str
        Longer texts by their headings: code, what was printed, the error.
    packages : mapping of str to str
        The packages that were installed, with their versions.
    """

    def __init__(
        self,
        title: str,
        facts: Mapping[str, str],
        inputs: list[dict[str, Any]],
        outputs: list[dict[str, Any]],
        texts: Mapping[str, str],
        packages: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.title, self.facts, self.inputs, self.outputs = title, facts, inputs, outputs
        self.packages = dict(packages)
        self.texts = {heading: _cut(text) for heading, text in texts.items() if text}

    @fits_console
    def __str__(self) -> str:
        width = max(map(len, self.facts), default=0)
        lines = [self.title, *(f"  {name.ljust(width)}  {value}" for name, value in self.facts.items())]
        for heading, rows in (("made from", self.inputs), ("gave", self.outputs)):
            lines += ["", heading, text_table(rows)] if rows else []
        for heading, text in self.texts.items():
            lines += ["", heading, text]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        facts = " · ".join(f"{escape(name)} {escape(value)}" for name, value in self.facts.items())
        parts = [f"<div><b>{escape(self.title)}</b></div>", f'<div style="{GREY}">{facts}</div>']
        for heading, rows in (("made from", self.inputs), ("gave", self.outputs)):
            parts += [f'<div style="{GREY}">{heading}</div>', html_table(rows)] if rows else []
        packages = "\n".join(f"{name} {version}" for name, version in self.packages.items())
        for heading, text in (self.texts | ({"packages": packages} if packages else {})).items():
            block = f'<pre style="white-space:pre-wrap">{escape(text)}</pre>'
            parts.append(
                f"<details{' open' if heading == 'code' else ''}><summary>{escape(heading)}</summary>{block}</details>"
            )
        return "".join(parts)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n… {len(text) - _LONGEST:,} more characters"


def shown(store: Store, status_of: Callable[[int], str], ident: int) -> Shown:
    """Put together all that is known of a task or resource.

    Parameters
    ----------
    store : Store
    status_of : callable
        Gives the status of a record, '' where nothing has changed.
    ident : int
    """
    place, record = store.record(ident)
    if not isinstance(record, model.TaskRecord):
        resource = store.resource(ident)
        facts = {"status": status_of(ident) or "current", "size": size(resource.size), "digest": resource.digest}
        return Shown(resource.path or resource.preview, facts, [], [], {})
    pipe = store.pipe_of(record)
    ids = [(model.resource_id(target, place), role) for target, role in record.used]
    inputs = [{"role": role, **_row(store, status_of, target)} for target, role in ids]
    outputs = [_row(store, status_of, place + slot) for slot in range(1, len(record.out) + 1)]
    values = {**msgspec.json.decode(record.args), **msgspec.json.decode(record.globals)}
    texts = {
        "arguments and globals": "\n".join(f"{name} = {value!r}" for name, value in values.items()),
        "code": "\n\n".join(pipe.sources.values()) if pipe else "",
        "printed": record.printed,
        "error": record.error.traceback or record.error.message if record.error else "",
        "SQL for what it was made from": f"SELECT * FROM ancestors({ident})",
    }
    where = circumstances_of(store, record)
    packages = {"packages": f"{len(found):,}, see .packages"} if (found := where.packages()) else {}
    facts = _facts(store, record, pipe) | where.facts() | packages | {"id": f"{short_id(place)} ({place})"}
    facts = {"status": status_of(place) or record.status} | facts
    facts |= {"content": gone} if (gone := _what_became_of_content(store, record)) else {}
    return Shown(store.call_text(record), facts, inputs, outputs, texts, found)


def _facts(store: Store, task: model.TaskRecord, pipe: model.PipeRecord | None) -> dict[str, str]:
    run = store.run_of(task)
    facts = {
        "took": duration(task.seconds),
        "cpu": duration(task.cpu) if task.cpu else "",
        "memory": size(task.memory) if task.memory else "",
        "at": f"{datetime.fromtimestamp(task.started / 1e6):%Y-%m-%d %H:%M:%S}",
        "cell": f"[{run.count}]" if run and run.count else "",
        "reason": task.reason,
        "version": f"#{pipe.version[:8]}" if pipe else "",
    }
    return {name: fact for name, fact in facts.items() if fact}


def _what_became_of_content(store: Store, task: model.TaskRecord) -> str:
    """Say whether what a task gave is kept no more, and why; '' while it is there."""
    gone = [name for out in task.out for name in object_names(out) if store.objects.lacks(name)]
    if not gone:
        return ""
    rows = store.fetch(sql_text("queries/eviction.sql"), [gone])
    return f"evicted {rows[0][1].astimezone():%Y-%m-%d %H:%M}: {rows[0][0]}" if rows else "no longer kept"


def _row(store: Store, status_of: Callable[[int], str], ident: int) -> dict[str, Any]:
    try:
        resource = store.resource(ident)
    except LookupError:
        return {"what": "(not on record)"}
    what = resource.path or resource.preview or repr(resource.value)
    status = status_of(ident) or "current"
    return {"what": what, "type": resource.type, "size": size(resource.size), "status": status, "id": short_id(ident)}
