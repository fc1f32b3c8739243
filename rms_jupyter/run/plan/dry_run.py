"""What would a plan do?  Looks everything up, runs nothing, writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from graphlib import TopologicalSorter
from typing import Any

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.nesting import unwrap
from rms_jupyter.model import Reference
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.direct import Calls
from rms_jupyter.run.call.lookup import expected_seconds, find_hit, why_new
from rms_jupyter.run.plan.draft import Draft
from rms_jupyter.run.plan.planned import Planned


def explain(calls: Calls, draft: Draft, bind: Callable[[Reference, dict[int, Answer]], Any]) -> list[dict[str, Any]]:
    """Say of each call of a draft what would happen to it.

    Parameters
    ----------
    calls : Calls
    draft : Draft
    bind : callable
        Gives the resource that a placeholder would stand for, from the answers known so far.

    Returns
    -------
    list of dict
        ``task``, ``status`` (``hit``, ``run``, or ``waits``: it depends on what runs before), ``reason``, ``seconds``
        (how long it took last time; None if it never ran), ``earlier`` (id of the task that it was compared with),
        and, where any declares to write files, ``files`` (as far as they are known).
    """
    planned, needs = draft.tasks, draft.needs
    answers: dict[int, Answer] = {}
    rows: list[dict[str, Any]] = [{} for _ in planned]
    order = list(TopologicalSorter(dict(enumerate(needs))).static_order())
    for number in order:
        task = planned[number]
        row = rows[number] = {
            "task": "",
            "status": "waits",
            "reason": "",
            "seconds": _expected(calls, task),
            "earlier": None,
            "files": [],
        }
        row["task"] = task.label
        if all(need in answers for need in needs[number]):
            task = Planned(
                task.definition, tuple(unwrap(value, lambda own: bind(own, answers)) for value in task.values)
            )
            _look(calls, task, number, answers, row)
        row["files"] = task.declared_files()
    _note_unkept(order, needs, answers, rows)
    if not any(row["files"] for row in rows):
        for row in rows:
            del row["files"]
    return rows


def _note_unkept(
    order: Sequence[int], needs: Sequence[Collection[int]], answers: dict[int, Answer], rows: list[dict[str, Any]]
) -> None:
    """Say which hits are computed all the same, because what must run needs their values and they are not kept."""
    for number in reversed(order):
        if rows[number]["status"] == "hit" and not rows[number]["reason"]:
            continue
        for need in needs[number]:
            if need in answers and any(out.kind == "value" and not out.format for out in answers[need].task.out):
                rows[need]["reason"] = "computed again: its value is not kept"


def _look(calls: Calls, task: Planned, number: int, answers: dict[int, Answer], row: dict[str, Any]) -> None:
    try:
        version = calls.version(task.definition)
        call = calls.identify(task.definition, version, task.values)
        found = find_hit(calls.store, calls.files, call)
    except RmsError as error:
        row |= {"status": "run", "reason": error.message}
        return
    if isinstance(found, tuple):
        answers[number] = Answer(*found, True, None)
        row |= {"status": "hit", "seconds": found[1].seconds}
    else:
        reason = found or why_new(calls.store, calls.files, call, version)
        seconds = expected_seconds(calls.store, call, reason)
        row |= {"status": "run", "reason": str(reason), "seconds": seconds or None, "earlier": reason.earlier or None}


def _expected(calls: Calls, task: Planned) -> float | None:
    latest = calls.store.find_latest(task.definition.name)
    return latest[1].seconds if latest else None
