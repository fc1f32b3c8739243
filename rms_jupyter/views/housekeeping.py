"""How is it shown what went when a store was cleared out?"""

from __future__ import annotations

from typing import Any

from rms_jupyter.store.upkeep.contents import Content
from rms_jupyter.tend.gc import Cleared
from rms_jupyter.views.results import Report
from rms_jupyter.views.wording import duration, size


def clearing_report(cleared: Cleared, budget: int | None, dry_run: bool) -> Report:
    """Show what went, or would go, a row a pipe: ``pipe, results, bytes, to get back``."""
    rows = [_row(pipe, contents) for pipe, contents in _by_pipe(cleared.evicted).items()]
    left = cleared.bytes - cleared.freed
    count = f"{len(cleared.evicted):,} result{'s' * (len(cleared.evicted) != 1)}"
    seconds = sum(content.seconds for content in cleared.evicted)
    again = f"; to compute {'it' if len(cleared.evicted) == 1 else 'them'} again takes {duration(seconds)}"
    verb = "would evict" if dry_run else "evicted"
    headline = f"{verb} {count}, {size(sum(content.file.size for content in cleared.evicted))}"
    headline = f"{headline}{again}" if cleared.evicted else "nothing to evict"
    return Report(headline, rows, _notes(cleared, left, budget, dry_run))


def _notes(cleared: Cleared, left: int, budget: int | None, dry_run: bool) -> list[str]:
    notes = []
    if cleared.unnamed:
        removed = size(sum(file.size for file in cleared.unnamed))
        notes.append(
            f"{'would remove' if dry_run else 'removed'} {len(cleared.unnamed):,} files that nothing names, {removed}"
        )
    if cleared.trash:
        notes.append(f"{'would empty' if dry_run else 'emptied'} the trash, {size(cleared.trash)}")
    if cleared.compacted > 0:
        notes.append(f"the database was made again, {size(cleared.compacted)} smaller")
    notes.append(
        f"the store {'would take' if dry_run else 'takes'} {size(left)}" + (f" of {size(budget)}" if budget else "")
    )
    if cleared.staying:
        parts = ", ".join(f"{size(count)} {why}" for why, count in cleared.staying.most_common())
        notes.append(f"kept: {parts}")
    if budget is not None and left > budget:
        notes.append(
            "no more can go: see what is kept; raise the budget, or delete what is not needed: %rms delete WHAT"
        )
    return notes


def _by_pipe(evicted: list[Content]) -> dict[str, list[Content]]:
    found: dict[str, list[Content]] = {}
    for content in evicted:
        found.setdefault(content.pipe, []).append(content)
    return dict(sorted(found.items(), key=lambda item: -sum(content.file.size for content in item[1])))


def _row(pipe: str, contents: list[Content]) -> dict[str, Any]:
    return {
        "pipe": pipe,
        "results": len(contents),
        "bytes": size(sum(content.file.size for content in contents)),
        "to get back": duration(sum(content.seconds for content in contents)),
    }
