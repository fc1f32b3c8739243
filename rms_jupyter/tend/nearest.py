"""With which earlier call is a new one compared, where none is the same but for what it was made from?

A parameter that is given further up the chain makes another call of each one below it. The call that is meant is the
one of the same pipe, in an earlier run if there is one, from which it differs in the fewest things; one that was made
from another file is another item, not an earlier version. Looked at first are those that stood in the same place of
their runs: where many differ by one thing, that one is meant, and where chains are long, not all can be walked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from rms_jupyter import model
from rms_jupyter.run.call.lookup import facts_of, used_by
from rms_jupyter.staleness import Difference, TaskFacts, differences
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.tend.causes import Pair, SideBySide, Used, differing_inputs

_MOST_CALLS = 200
_MOST_PAIRS = 20_000
_MOST_DIFFERENCES = 20_000


@dataclass(frozen=True, slots=True)
class NewCall:
    """A call for which the nearest earlier one is looked for: of which pipe, when and in which run, and what it is."""

    pipe: str
    k: int
    run: int
    facts: TaskFacts
    used: Used


def nearest_earlier(walk: SideBySide, asked: NewCall) -> int:
    """Find the earlier task from which a call differs least, and further up than in itself; 0 for none."""
    store = walk.store
    given = {"pipe": asked.pipe, "k": asked.k, "run": asked.run, "most": _MOST_CALLS}
    calls = store.fetch(sql_text("queries/earlier_calls.sql"), given)
    of_other_runs = [ident for ident, is_sibling in calls if not is_sibling]
    fewest, best = _MOST_DIFFERENCES, 0
    for ident in of_other_runs or [ident for ident, _ in calls]:
        if fewest == 1 or (best and walk.pairs > _MOST_PAIRS):
            break
        place, task = store.record(ident)
        assert isinstance(task, model.TaskRecord)
        differing = list(differing_inputs(asked.used, used_by(store, place, task)).values())
        if not differing or _are_other_files(walk, differing):
            continue
        own = sum(found.kind != "content" for found in differences(asked.facts, facts_of(store, place, task)))
        further_up = _count(walk, differing, fewest - own)
        if further_up and own + further_up < fewest:
            fewest, best = own + further_up, place
    return best


def _count(walk: SideBySide, differing: Sequence[Pair], most: int) -> int:
    """Count what differs further up, each thing once, up to `most`; that, too, where the item is another."""
    found = set[tuple[Difference, str]]()
    for difference, pipe, _, pair in islice(walk.up(differing), _MOST_DIFFERENCES):
        found.add((difference, pipe))
        if len(found) >= most or (pair != (0, 0) and _are_other_files(walk, [pair])):
            return most
    return len(found)


def _are_other_files(walk: SideBySide, pairs: Sequence[Pair]) -> bool:
    return any(walk.path(now) != walk.path(before) for now, before in pairs)
