"""What came of calls, succeeded or not, as a table: a row a call, see `rms_jupyter.table`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import msgspec

from rms_jupyter import model
from rms_jupyter.errors import NotComputedYet
from rms_jupyter.fingerprint.preview import preview
from rms_jupyter.fingerprint.scalar_items import read_back
from rms_jupyter.handles.plan import Plan
from rms_jupyter.handles.resource import Resource
from rms_jupyter.handles.virtual_resource import VirtualResource
from rms_jupyter.model import Reference
from rms_jupyter.naming import Called, call_name, column_name, named_by_origin, short_id, source_name
from rms_jupyter.run.plan.planned import Planned
from rms_jupyter.views.wording import exception_line

_OURS = ("pipe", "origin", "status", "seconds", "value", "error", "id")
_DEEPEST = 50

Behind = Callable[[Any], "Resource | None"]


def tabulated(rs: Any, behind: Behind) -> Any:
    """Lay out what came of calls, a row a call; see `rms_jupyter.table`.

    Parameters
    ----------
    rs : object
    behind : callable
        Finds the resource behind a value.
    """
    stopped_by = cache(_stopped_by)
    rows = [_row_or_error(leaf, stopped_by) for leaf in _leaves(rs, behind)]
    arguments, items = ({name: "" for row in rows for name in getattr(row, part)} for part in ("args", "items"))
    arguments = {name: column_name(name, "args", _OURS) for name in arguments}
    items = {name: column_name(name, "value", {*_OURS, *arguments.values()}) for name in items}
    columns = [*arguments.values(), *items.values(), *(name for name in _OURS if name not in _left_out(rows))]
    full = [
        {column: row.args.get(name) for name, column in arguments.items()}
        | {column: row.items.get(name) for name, column in items.items()}
        | row.ours
        for row in rows
    ]
    tidy = [{name: _tidy(row[name]) for name in columns} for row in full]
    try:
        import pandas as pd
    except ImportError:
        return tidy
    frame = pd.DataFrame(tidy, columns=columns)
    frame["seconds"] = frame["seconds"].astype(float)
    return frame


def _left_out(rows: list[Row]) -> Iterator[str]:
    """Name the columns that would say nothing."""
    if len({row.ours["pipe"] for row in rows if row.ours["pipe"]}) < 2:
        yield "pipe"
    if not any(row.ours["origin"] for row in rows):
        yield "origin"
    if any(row.items for row in rows) and all(row.items or row.ours["value"] is None for row in rows):
        yield "value"


Leaf = tuple[Any, ...]  # A plain value, a resource, or all outputs of one call.


def _leaves(value: Any, behind: Behind, depth: int = 0) -> Iterator[Leaf]:
    if isinstance(value, Reference) or depth > _DEEPEST:
        yield (value,)
    elif (resource := behind(value)) is not None:
        yield (resource,)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item, behind, depth + 1)
    elif isinstance(value, tuple) and _is_one_call(value):
        yield value
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from _leaves(item, behind, depth + 1)
    elif depth == 0 and hasattr(type(value), "__next__"):
        yield from _leaves(_exhausted(value), behind, 1)
    else:
        yield (value,)


def _exhausted(iterator: Iterator[Any]) -> list[Any]:
    items: list[Any] = []
    try:
        items.extend(iterator)
    except Exception as error:
        items.append(error)
    return items


def _is_one_call(items: tuple[Any, ...]) -> bool:
    """Tell whether these are the several outputs of a call."""
    places = [_place(item) for item in items]
    calls = {place[:2] for place in places if place is not None}
    return len(items) > 1 and None not in places and len(calls) == 1 and len(set(places)) == len(items)


def _place(item: Any) -> tuple[int, int, int] | None:
    """Say where something stands: by plan, number and slot, or by task and id."""
    if isinstance(item, VirtualResource):
        return id(item._rms_plan), item._rms_number, -1 if item._rms_slot is None else item._rms_slot
    return (item._rms.task_id, 0, item._rms.id) if isinstance(item, Resource) and item._rms.task_id else None


class Row(NamedTuple):
    """Our columns, the arguments, and the scalars that the result holds by name."""

    ours: dict[str, Any]
    args: dict[str, Any]
    items: dict[str, Any]


StoppedBy = Callable[[Plan], Mapping[int, int]]


def _row_or_error(leaf: Leaf, stopped_by: StoppedBy) -> Row:
    try:
        return _row(leaf, stopped_by)
    except Exception as error:
        return _cells(status="unknown", error=exception_line(error))


def _row(leaf: Leaf, stopped_by: StoppedBy) -> Row:
    first, called = leaf[0], None
    if isinstance(first, VirtualResource):
        planned = first._rms_plan.tasks[first._rms_number]
        if planned.answer is None:
            return _row_without_result(first._rms_plan, first._rms_number, planned, stopped_by)
        leaf, called = tuple(item.replacement for item in leaf), planned.called
        leaf = leaf[0] if isinstance(leaf[0], tuple) else leaf
    if isinstance(leaf[0], Resource):
        return _row_of(leaf, called)
    if isinstance(first, BaseException):
        return _cells(status="failed", error=exception_line(first))
    return _cells(status="given", value=_shown(first))


def _row_of(resources: tuple[Resource, ...], called: Called | None) -> Row:
    """Lay out a result; `called` is the call that was asked for here, which another may have answered."""
    state = resources[0]._rms
    values = [_value(resource) for resource in resources]
    value = values[0] if len(values) == 1 else ", ".join(map(str, values))
    items = read_back(state.record.items or {}) if len(resources) == 1 else None
    given = state.home.status(state.id)
    if state.task is None:
        return _cells(status=given or "current", value=value, id=state.id or None, items=items)
    handle = state.home.task_handle(state.task_id, state.task, state.hit, "")
    status = given or handle.status
    called = called or handle.called
    return _cells(handle.pipe.name, status, state.task.seconds, value, "", state.task_id, called, items)


def _row_without_result(plan: Plan, number: int, planned: Planned, stopped_by: StoppedBy) -> Row:
    name, called = planned.definition.name, planned.called
    if isinstance(planned.error, NotComputedYet):
        return _cells(name, "pruned", error=exception_line(planned.error), called=called)
    if planned.error is None:
        if number not in stopped_by(plan):
            return _cells(name, "not_run", called=called)
        first = plan.tasks[stopped_by(plan)[number]]
        assert first.error is not None
        error = f"{first.label} failed: {exception_line(first.error)}"
        return _cells(name, "upstream_failed", error=error, called=called)
    ident, record = plan._host.failed_task(planned) or (None, None)
    error = f"{record.error.type}: {record.error.message}" if record and record.error else exception_line(planned.error)
    seconds, status = (record.seconds, record.status) if record else (None, "failed")
    return _cells(name, status, seconds, None, error, ident, called)


def _stopped_by(plan: Plan) -> dict[int, int]:
    """Return the calls of a plan that need one that has failed, at any distance, with the first such call."""
    dependents: dict[int, list[int]] = {}
    for task in plan.unrun():
        for need in task.needs:
            dependents.setdefault(need, []).append(task.number)
    found: dict[int, int] = {}
    for failed, planned in enumerate(plan.tasks):
        ends = [failed] if planned.error is not None else []
        while ends:
            new = [number for number in dependents.get(ends.pop(), ()) if number not in found]
            found.update(dict.fromkeys(new, failed))
            ends += new
    return found


def _cells(
    pipe: str = "",
    status: str = "",
    seconds: float | None = None,
    value: Any = None,
    error: str = "",
    id: int | None = None,
    called: Called | None = None,
    items: dict[str, Any] | None = None,
) -> Row:
    origin = source_name(called) if called else ""
    shown = short_id(id) if id else None
    ours = dict(zip(_OURS, (pipe, origin, status, seconds, value, error, shown), strict=True))
    return Row(ours, _arguments(called), items or {})


def _arguments(called: Called | None) -> dict[str, Any]:
    """Return the arguments of a call, with the calls that some of them came from."""
    if called is None:
        return {}
    args: dict[str, Any] = msgspec.json.decode(called.args)
    return args | {name: call_name(one) for name, one in named_by_origin(called, args).items() if name in args}


def _value(resource: Resource) -> Any:
    record: model.ResourceRecord = resource._rms.record
    if record.format == "json":
        return record.value
    if record.type.startswith("numpy.") and record.preview and record.data:
        value = resource._rms.load()
        return value.item() if getattr(value, "ndim", None) == 0 else record.preview
    return record.path or record.preview or record.type


def _shown(value: Any) -> Any:
    return value if isinstance(value, (bool, int, float, str, type(None))) else preview(value)


def _tidy(value: Any) -> Any:
    """Give text that any frame can hold."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
