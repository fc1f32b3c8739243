"""What would a plan do?  Looks everything up, runs nothing, writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
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

    A draft that grows is grown by what its hits give, and cannot be run afterwards.
    """
    planned, needs = draft.tasks, draft.needs
    answers: dict[int, Answer] = {}
    rows: list[dict[str, Any]] = []
    order: list[int] = []
    for number in _in_order(draft):
        order.append(number)
        rows += [_row("") for _ in range(len(rows), len(planned))]
        task, row = planned[number], rows[number]
        row |= {"task": task.label, "seconds": _expected(calls, task)}
        if all(need in answers for need in needs[number]):
            task = Planned(
                task.definition, tuple(unwrap(value, lambda own: bind(own, answers)) for value in task.values)
            )
            _look(calls, task, number, answers, row)
        row["files"] = task.declared_files()
        if number in answers and (grow := planned[number].on_done) is not None:
            planned[number].answer = answers[number]
            grow(number)
    _note_unkept(order, needs, answers, rows)
    rows += [_row(f"{name}(…)", why) for to_come in draft.to_come for name, why in to_come()]
    if not any(row["files"] for row in rows):
        for row in rows:
            del row["files"]
    return rows


def _in_order(draft: Draft) -> Iterator[int]:
    """Go through the calls, each after those that it needs, then through those that were added meanwhile."""
    known = 0
    while known < len(draft):
        new = range(known, len(draft))
        known = len(draft)
        yield from TopologicalSorter({n: [need for need in draft.needs[n] if need in new] for n in new}).static_order()


def _row(task: str, reason: str = "") -> dict[str, Any]:
    return {"task": task, "status": "waits", "reason": reason, "seconds": None, "earlier": None, "files": []}


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
