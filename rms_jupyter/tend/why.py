"""Why did a task run, and would a call run now?  Looks everything up, runs nothing, writes nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rms_jupyter.model import TaskRecord
from rms_jupyter.naming import call_name
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.call.direct import Calls
from rms_jupyter.run.call.heard import find_heard
from rms_jupyter.run.call.lookup import expected_seconds, facts_now, facts_of, used_by, why_new
from rms_jupyter.staleness import Difference, TaskFacts, code_diff, differences
from rms_jupyter.store.store import Store
from rms_jupyter.tend.causes import Cause, Pair, SideBySide, Used, causes, differing_inputs
from rms_jupyter.tend.circumstances import changed_circumstances, circumstances_of
from rms_jupyter.tend.nearest import NewCall, nearest_earlier


@dataclass(frozen=True, slots=True)
class Account:
    """Why one call ran, or would run.

    Attributes
    ----------
    call : str
        As the user would write it.
    reason : str
        '' for a hit.
    ident : int
        The task that ran, or answers; 0 where there is none yet.
    seconds : float
        How long it took, or is expected to take: as long as the earlier task, else as the pipe's latest one.
    earlier : int
        The task it was compared with; 0 for none.
    earlier_call : str
    differences : tuple of Difference
        What differs between the two.
    diff : str
        The changed code, as a unified diff.
    causes : tuple of Cause
        Why inputs differ that other calls have made, the furthest up the chain first.
    contents : mapping of str to (int, int)
        The resources whose contents differ, as they are now and as they were before, by role.
    """

    call: str
    reason: str = ""
    ident: int = 0
    seconds: float = 0.0
    earlier: int = 0
    earlier_call: str = ""
    differences: tuple[Difference, ...] = ()
    diff: str = ""
    causes: tuple[Cause, ...] = ()
    contents: Mapping[str, Pair] = field(default_factory=dict)


def why_ran(store: Store, ident: int, task: TaskRecord) -> Account:
    """Say why a recorded task ran."""
    call, facts, used = store.call_text(task), facts_of(store, ident, task), used_by(store, ident, task)
    asked = NewCall(store.pipe_name(task.pipe), task.k, task.run, facts, used)
    walk = SideBySide(store)
    earlier = task.earlier or nearest_earlier(walk, asked)
    if not earlier:
        return Account(call, task.reason or "no reason on record", ident, task.seconds)
    return _against(walk, call, task.reason, ident, task.seconds, facts, used, earlier)


def why_would_run(calls: Calls, definition: Definition, values: tuple[Any, ...], thoroughly: bool = False) -> Account:
    """Say whether a call with these bound values would run now, and why.

    Parameters
    ----------
    calls, definition, values
    thoroughly : bool
        Whether a call that never ran is compared with the one that is nearest to it.

    Raises
    ------
    RmsError
        If the call cannot be made: a file to read is missing.
    """
    store, version = calls.store, calls.version(definition)
    call = calls.identify(definition, version, values)
    words = call_name(store.origins.of_call(call))
    found = find_heard(store, calls.files, call)
    if isinstance(found, tuple):
        return Account(words, "", found[0], found[1].seconds)
    reason = found or why_new(store, calls.files, call, version)
    earlier, seconds = reason.earlier, expected_seconds(store, call, reason)
    used = {role: (ref.id, ref.digest) for ref, role in call.inputs.used}
    walk = SideBySide(store)
    if not earlier and thoroughly:
        now = facts_now(calls.files, call, version, used)
        earlier = nearest_earlier(walk, NewCall(call.pipe_name, sys.maxsize, 0, now, used))
    if not earlier:
        return Account(words, str(reason), 0, seconds)
    before = store.record(earlier)[1]
    roles = {role for _, role in before.used} if isinstance(before, TaskRecord) else ()
    now = facts_now(calls.files, call, version, roles)
    return _against(walk, words, str(reason), 0, seconds, now, used, earlier)


def compare_tasks(store: Store, a: int, b: int) -> Account:
    """Say what differs between two recorded tasks, the second as compared with the first."""
    place, task = store.record(b)
    assert isinstance(task, TaskRecord)
    facts, used = facts_of(store, place, task), used_by(store, place, task)
    account = _against(SideBySide(store), store.call_text(task), "", place, task.seconds, facts, used, a)
    before = store.record(a)[1]
    if not isinstance(before, TaskRecord) or before.run == task.run:
        return account
    changed = changed_circumstances(circumstances_of(store, task), circumstances_of(store, before))
    return replace(account, differences=(*account.differences, *changed))


def _against(
    walk: SideBySide, call: str, reason: str, ident: int, seconds: float, now: TaskFacts, used: Used, earlier: int
) -> Account:
    store = walk.store
    place, before = store.record(earlier)
    if not isinstance(before, TaskRecord):
        return Account(call, reason, ident, seconds)
    then = facts_of(store, place, before)
    differing = differing_inputs(used, used_by(store, place, before))
    found = tuple(_by_path(walk, one, differing.get(one.name)) for one in differences(now, then))
    why = tuple(causes(walk, list(differing.values())))
    diff = code_diff(now, then)
    return Account(call, reason, ident, seconds, place, store.call_text(before), found, diff, why, differing)


def _by_path(walk: SideBySide, found: Difference, pair: Pair | None) -> Difference:
    """Name an input that is another file by its path, and not as other content."""
    if found.kind != "content" or pair is None:
        return found
    now, before = map(walk.path, pair)
    return found if now == before else Difference("argument", found.name, before, now)
