"""Would a call that the store answers say the same now, as loggers and the filters of warnings are?

Where a logger or a filter lets something through now that it did not when the call ran, the call runs, and is recorded
anew. Where a warning is an exception now, the call runs too, as it may handle that itself; such a run answers no other
call.
"""

from __future__ import annotations

import logging

from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.model import TaskRecord, Unheard
from rms_jupyter.run.call.lookup import DamagedResult, DrawTokens, find_hit
from rms_jupyter.run.task.said import category_named, logger_there, warned_among
from rms_jupyter.run.task.shown import load_messages
from rms_jupyter.run.task.warning_filters import action_for, filters_now
from rms_jupyter.staleness import Reason
from rms_jupyter.store.objects import Objects
from rms_jupyter.store.store import Store


class RaisesNow(Reason):
    """Warnings of a call are exceptions now."""

    __slots__ = ()


def find_heard(
    store: Store, files: FileDigests, call: Call, draws: DrawTokens | None = None, by_value: bool = True
) -> tuple[int, TaskRecord] | Reason | None:
    """Look a call up, as `find_hit` does, that is to say what it would say now, and to give its value (`by_value`)."""
    found = find_hit(store, files, call, draws)
    if not isinstance(found, tuple):
        return found
    ident, task = found
    if by_value and _is_to_be_computed(task) and (why := _better_at_once(task)):
        return Reason("output_missing", why, ident)
    for out in task.out:
        if out.format not in ("", "json") and (flaw := store.flaw(out)) and not store.bring(out):
            if flaw == "damaged":
                return DamagedResult("output_changed", "its stored result is damaged", ident)
            if by_value or task.changes or not _can_be_made_again(store, task):
                return Reason("output_missing", "what it gave is no longer kept", ident)
    if not (task.unheard or task.shown):
        return found
    if raised := _raised_now(store.objects, task):
        return RaisesNow("not_cached", f"its {raised} is an exception now", ident)
    if task.unheard and (newly := heard_now(task.unheard)):
        return Reason("not_cached", newly, ident)
    return found


def _can_be_made_again(store: Store, task: TaskRecord) -> bool:
    """Whether the values that a task was given are kept, so that what it gave can be made from them."""
    return all(not store.flaw(given) or store.bring(given) for given in task.given if given.kind == "given")


def _is_to_be_computed(task: TaskRecord) -> bool:
    """Whether what a task gave was not kept."""
    return any(out.kind != "file" and not out.format for out in task.out[:1])


def _better_at_once(task: TaskRecord) -> str:
    """Say why a call whose value was not kept runs, and is not answered and computed on from the record; '' if not."""
    if task.printed or task.shown:
        return "what it gave was not kept, and computing it shows something"
    is_lost = any(given.kind == "given" and not given.format for given in task.given)
    return "what it gave was not kept, nor what it was given" if is_lost else ""


def heard_now(unheard: Unheard) -> str:
    """Say why something is heard now that was not when a task ran; '' if nothing is."""
    for name, level in unheard.loggers.items():
        if logger_there(name).isEnabledFor(level):
            return f"the logger {name} was not enabled for {logging.getLevelName(level)} when it ran"
    for action, text, category, base, module in unheard.warnings:
        if action_for(text, category_named(category, base), module) != action:
            was = "ignored" if action == "ignore" else "an exception"
            return f"its {_short(category)} was {was} when it ran"
    return ""


def _raised_now(objects: Objects, task: TaskRecord) -> str:
    """Name the category of a warning of a task that is an exception now and was none; '' if there is none."""
    if not any(action == "error" for action, *_ in filters_now()):
        return ""
    for action, text, category, base, module in task.unheard.warnings if task.unheard else ():
        if action != "error" and action_for(text, category_named(category, base), module) == "error":
            return _short(category)
    warned = warned_among(load_messages(objects, task.shown)) if task.shown else ()
    return next((_short(warning.category) for warning in warned if warning.is_error()), "")


def _short(category: str) -> str:
    return category.rpartition(":")[2]
