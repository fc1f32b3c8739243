"""Which calls succeeded?  Their results, with what was left out, see `rms_jupyter.done`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from rms_jupyter.errors import NotComputedYet
from rms_jupyter.fingerprint.values import Walk, register, tagged
from rms_jupyter.handles.plan import Plan
from rms_jupyter.handles.virtual_resource import VirtualResource
from rms_jupyter.model import Reference, Selection

_DEEPEST = 50
_MISSING: Any = object()


class Done(list[Any], Selection):
    """Results of the calls that succeeded; a call that takes it depends on what was left out, too."""

    def __repr__(self) -> str:
        return self._rms_summary() if self.left_out else super().__repr__()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        _show(list(self), self, printer)


class DoneByName(dict[Any, Any], Selection):
    """Results of the calls that succeeded, by name; a call that takes it depends on what was left out, too."""

    def __repr__(self) -> str:
        return self._rms_summary() if self.left_out else super().__repr__()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        _show(dict(self), self, printer)


def _show(results: Any, selection: Selection, printer: Any) -> None:
    """Show results in a notebook, and what is missing among them."""
    printer.pretty(results)
    if selection.left_out:
        printer.flush()  # Else a line too many would count for its width.
        printer.text(f"\n{selection._rms_summary()}")


def _digest(value: Any, walk: Walk) -> bytes:
    """Describe it as the plain list or dict that it is when nothing was left out."""
    items = walk(dict(value) if isinstance(value, dict) else list(value))
    return tagged("left out", [items, *map(walk, value.left_out)]) if value.left_out else items


register(Done, _digest)
register(DoneByName, _digest)


def chosen(rs: Any, is_result: Callable[[Any], bool]) -> Any:
    """Choose the results of the calls that succeeded; see `rms_jupyter.done`.

    Parameters
    ----------
    rs : object
    is_result : callable
        Whether a value is what a call gave: a list or dict that is one, counts as one and is kept as it is.
    """
    chooser = _Chooser(is_result)
    if isinstance(rs, (Reference, str, bytes)) or not isinstance(rs, Iterable):
        rs = [rs]
    kept: Done | DoneByName
    if isinstance(rs, dict):
        kept = DoneByName(chooser.choose(rs))
    else:
        kept = Done(chooser.choose(list(rs)))
    kept.left_out = tuple(dict.fromkeys(map(_label, chooser.left_out)))
    kept.taken, kept.total = chooser.taken, chooser.total
    if chooser.left_out:
        chooser.left_out[0]._rms_plan._host.note(f"taken: {kept._rms_summary().strip('<>')}")
    return kept


class _Chooser:
    """Takes what succeeded, and counts the items of lists and dicts that it saw, and those that it took."""

    def __init__(self, is_result: Callable[[Any], bool]) -> None:
        self._is_result = is_result
        self.left_out: list[VirtualResource] = []
        self.taken = self.total = 0
        self._has_begun = cache(_has_begun)

    def choose(self, value: Any, depth: int = 0) -> Any:
        if isinstance(value, Reference):
            return self._chosen(value) if isinstance(value, VirtualResource) else value
        if depth > _DEEPEST:
            return value
        if isinstance(value, dict):
            chosen = {key: self._item(old, depth) for key, old in value.items()}
            return {key: item for key, item in chosen.items() if item is not _MISSING}
        if isinstance(value, tuple):
            items = [self.choose(item, depth + 1) for item in value]
            if any(item is _MISSING for item in items):
                return _MISSING
            return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
        if isinstance(value, (list, set, frozenset)):
            return [item for item in (self._item(old, depth) for old in value) if item is not _MISSING]
        return value

    def _item(self, old: Any, depth: int) -> Any:
        holds_more = isinstance(old, (dict, list, set, frozenset)) and not self._is_result(old)
        item = self.choose(old, depth + 1) if holds_more or isinstance(old, (tuple, Reference)) else old
        if not holds_more:
            self.total += 1
            self.taken += item is not _MISSING
        return item

    def _chosen(self, placeholder: VirtualResource) -> Any:
        plan = placeholder._rms_plan
        planned = plan.settled(placeholder._rms_number)
        if planned.answer is not None:
            return placeholder._rms_given()
        if planned.error is None and not self._has_begun(plan):
            raise NotComputedYet(
                f"{planned.label} is not computed until the cell ends", hint="take rms.done(...) in the next cell"
            )
        self.left_out.append(placeholder)
        return _MISSING


def _has_begun(plan: Plan) -> bool:
    return any(task.answer or task.error for task in plan.tasks)


def _label(placeholder: VirtualResource) -> str:
    label: str = placeholder._rms_plan.tasks[placeholder._rms_number].label
    return label
