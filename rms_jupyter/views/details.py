"""What is said beside a lineage of the box that was clicked?"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
from msgspec import UNSET, Struct, UnsetType

from rms_jupyter import model
from rms_jupyter.harmless import cut, one_line
from rms_jupyter.run.task.shown import load_displays
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.ask.lineage import Kind
from rms_jupyter.store.store import Store
from rms_jupyter.views.preview import Glimpse, glimpse, literal, picture_of
from rms_jupyter.views.wording import duration, size
from rms_jupyter.working_folder import in_short

Pair = tuple[str, str]

_MOST_ROWS, _LONGEST = 20, 20_000


class Item(Struct, frozen=True):
    """Something that a task was made from, or gave; the id is '' where that is not on record."""

    id: str
    role: str
    what: str
    status: str


class Items(Struct, frozen=True):
    """The first of so many."""

    total: int
    rows: list[Item]


class Changes(Struct, frozen=True):
    """What was changed in a pipe's code, as the lines of a unified diff."""

    since: str
    lines: list[str]


class Details(Struct, frozen=True):
    """What is known of a task, file or value; what comes after `glimpse` is told of tasks only.

    `code` comes in pieces of one kind: see `tokens`.
    """

    id: str
    kind: Kind
    title: str
    status: str
    facts: list[Pair]
    glimpse: Glimpse | None
    arguments: list[Pair] | UnsetType = UNSET
    inputs: Items | UnsetType = UNSET
    outputs: Items | UnsetType = UNSET
    code: list[Pair] | UnsetType = UNSET
    changes: Changes | UnsetType | None = UNSET
    log: str | UnsetType = UNSET
    failure: str | UnsetType = UNSET


@dataclass(frozen=True)
class Witness:
    """Who knows what a record alone does not say.

    Attributes
    ----------
    store : Store
    status_of : callable
        Gives the status of a record, '' where nothing has changed.
    code_now : callable
        Gives the text of a pipe's code as it would run now, by its name and a version on record; None where that
        version still counts, or the pipe is not defined here.
    """

    store: Store
    status_of: Callable[[int], str]
    code_now: Callable[[str, str], Mapping[str, str] | None]


def details(witness: Witness, ident: int) -> Details:
    """Put together what is known of a task or resource.

    Raises
    ------
    LookupError
        If there is none.
    """
    place, record = witness.store.record(ident)
    if isinstance(record, model.TaskRecord) and place == ident:
        return _task(witness, ident, record)
    return _resource(witness, ident, place, record if isinstance(record, model.TaskRecord) else None)


def _task(witness: Witness, ident: int, task: model.TaskRecord) -> Details:
    store = witness.store
    pipe = store.pipe_of(task)
    now = witness.code_now(pipe.name, pipe.version) if pipe and task.status == "done" else None
    values = {**msgspec.json.decode(task.args), **msgspec.json.decode(task.globals)}
    ids = [(model.resource_id(target, ident), role) for target, role in task.used]
    error = task.error
    return Details(
        id=str(ident),
        kind="task",
        title=one_line(store.call_text(task)),
        status="stale" if now else witness.status_of(ident) or task.status,
        facts=[(name, fact) for name, fact in _facts(store, task, pipe).items() if fact],
        glimpse=picture_of(load_displays(store.objects, task.shown)) if task.shown else None,
        arguments=[(one_line(name, 60), literal(value)) for name, value in values.items()],
        inputs=_items(witness, ids),
        outputs=_items(witness, [(ident + slot, "") for slot in range(1, len(task.out) + 1)]),
        code=tokens("\n\n".join(pipe.sources.values())) if pipe else [],
        changes=_changes(store, pipe, now) if pipe else None,
        log=cut(task.printed, _LONGEST),
        failure=cut(error.traceback or f"{error.type}: {error.message}", _LONGEST) if error else "",
    )


def _resource(witness: Witness, ident: int, place: int, task: model.TaskRecord | None) -> Details:
    resource = witness.store.resource(ident)
    made = task is not None and ident - place <= len(task.out)
    shown = picture_of(load_displays(witness.store.objects, task.shown)) if made and task and task.shown else None
    facts = {
        "path": one_line(resource.path),
        "type": one_line(resource.type, 80) if not (resource.path or resource.preview) else "",
        "size": size(resource.size),
        "digest": resource.digest,
        "made by": one_line(witness.store.call_text(task)) if made and task else "",
        "kept": "" if resource.path or resource.format else "no; computed again when it is needed",
    }
    value = f"{resource.type} {resource.preview}" if resource.preview else repr(resource.value)
    return Details(
        id=str(ident),
        kind="file" if resource.path else resource.kind,
        title=one_line(in_short(resource.path) or value),
        status=witness.status_of(ident) or "current",
        facts=[(name, fact) for name, fact in facts.items() if fact],
        glimpse=(shown if not resource.path else None) or glimpse(witness.store, resource),
    )


def _facts(store: Store, task: model.TaskRecord, pipe: model.PipeRecord | None) -> dict[str, str]:
    run = store.run_of(task)
    where = f"{one_line(os.path.basename(run.notebook), 80)} [{run.count}]" if run and run.count else ""
    return {
        "when": f"{datetime.fromtimestamp(task.started / 1e6):%-d %b %Y %H:%M}",
        "took": duration(task.seconds),
        "processor": duration(task.cpu) if task.cpu else "",
        "memory": size(task.memory) if task.memory else "",
        "cell": where,
        "ran because": one_line(task.reason),
        "version": f"#{pipe.version[:8]}" if pipe else "",
    }


def _items(witness: Witness, ids: list[tuple[int, str]]) -> Items:
    return Items(len(ids), [_item(witness, ident, role) for ident, role in ids[:_MOST_ROWS]])


def _item(witness: Witness, ident: int, role: str) -> Item:
    try:
        resource = witness.store.resource(ident)
    except LookupError:
        return Item("", one_line(role, 60), "(not on record)", "")
    what = one_line(resource.path or resource.preview or repr(resource.value), 200)
    status = witness.status_of(ident) or "current"
    told = f"{what} · {size(resource.size)}" if resource.path else what
    return Item(str(ident), one_line(role, 60), told, status)


def _changes(store: Store, pipe: model.PipeRecord, now: Mapping[str, str] | None) -> Changes | None:
    """Compare a code version with the one that runs now, or else with the one before it."""
    if now is not None:
        return Changes("since this ran", _diff(pipe.sources, now))
    rows = store.fetch(sql_text("queries/previous_code.sql"), [pipe.name, pipe.version, pipe.version])
    if not rows or not rows[0][0]:
        return None
    return Changes("to the version before", _diff(msgspec.json.decode(rows[0][0]), pipe.sources))


def _diff(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    lines: list[str] = []
    for name in {**before, **after}:
        old, new = before.get(name, ""), after.get(name, "")
        lines += list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=3))[2:]
    return cut("\n".join(lines), _LONGEST).split("\n") if lines else []


def tokens(code: str) -> list[Pair]:
    """Split code into pieces of one kind: ``keyword``, ``string``, ``comment``, ``number``, ``name`` or ''.

    Examples
    --------
    >>> tokens("def f(x): return 'a'")
    [('keyword', 'def'), ('', ' '), ('name', 'f'), ('', '(x): '), ('keyword', 'return'), ('', ' '), ('string', "'a'")]
    """
    from pygments import lex
    from pygments.lexers.python import PythonLexer
    from pygments.token import Token

    kinds = (
        ("keyword", Token.Keyword),
        ("keyword", Token.Operator.Word),
        ("string", Token.Literal.String),
        ("number", Token.Literal.Number),
        ("comment", Token.Comment),
        ("name", Token.Name.Function),
        ("name", Token.Name.Class),
        ("name", Token.Name.Decorator),
    )
    pieces: list[Pair] = []
    for token, text in lex(cut(code, _LONGEST), PythonLexer(ensurenl=False)):
        kind = next((name for name, family in kinds if token in family), "")
        if pieces and pieces[-1][0] == kind:
            pieces[-1] = kind, pieces[-1][1] + text
        else:
            pieces.append((kind, text))
    return pieces
