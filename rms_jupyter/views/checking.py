"""How are checks and deletions shown?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rms_jupyter.model import ResourceRecord
from rms_jupyter.tend.check import CheckFindings, Problem
from rms_jupyter.tend.delete import STAYS, Deletion
from rms_jupyter.tend.verify import Verified
from rms_jupyter.views.results import Report
from rms_jupyter.views.wording import size


def check_report(
    found: CheckFindings, remade: dict[str, str], mended: dict[str, str], verified: Verified | None
) -> Report:
    """Show what a check has found.

    Parameters
    ----------
    found : Found
    remade : dict of str to str
        Files that were to be made again, by path: empty, or why that was not possible.
    mended : dict of str to str
        Damaged results that were to be computed again, likewise.
    verified : Verified or None
        What became of a sample that was run again.
    """
    rows = [_problem_row(problem, (remade | mended).get(problem.path, "")) for problem in found.problems]
    made = [path for path, why_not in remade.items() if not why_not]
    notes = [f"made again: {_count(len(made), 'file')}"] if made else []
    computed = [path for path, why_not in mended.items() if not why_not]
    notes += [f"computed again: {_count(len(computed), 'damaged result')}"] if computed else []
    if verified is not None:
        rows += [_different_row(pipe, cases) for pipe, cases in verified.different.items()]
        rows += [_unreliable_row(cases) for cases in verified.unreliable.values()]
        notes += _about_sample(verified)
    looked_at = [_count(found.files, "file")] + ([_count(found.results, "kept result")] if found.results else [])
    told = f"{', '.join(looked_at)}, {_count(len(rows), 'problem') if rows else 'no problems'}"
    return Report(told, rows, notes, is_sound=not rows)


def deletion_report(deletion: Deletion, labels: dict[int, str], dry_run: bool) -> Report:
    """Show what was deleted, or would be."""
    values = [] if deletion.tasks else [ident for ident, resource in deletion.resources.items() if not resource.path]
    rows = [{"what": labels[ident], "id": ident, "on disk": ""} for ident in (*deletion.tasks, *values)]
    for path, ident in deletion.files.items():
        fate = deletion.kept.get(path, "would go to the trash" if dry_run else "in the trash")
        rows.append({"what": path, "id": ident, "on disk": fate})
    thrown = {resource.path or resource.digest: resource.size for resource in _thrown(deletion)}
    stay = list(deletion.kept.values()).count(STAYS)
    headline = (
        f"{'would delete' if dry_run else 'deleted'} {_what(deletion)}, {size(sum(thrown.values()))} to the trash"
    )
    if stay:
        headline += f"; {_count(stay, 'file')} on disk stay{'s' * (stay == 1)}"
    notes = [] if dry_run else ["bring it back: %rms delete --undo, until %rms gc empties the trash"]
    return Report(headline, rows, notes)


def undo_report(deletion: Deletion, failed: Mapping[str, str]) -> Report:
    """Show what was brought back."""
    rows = [{"what": place, "not brought back": why} for place, why in failed.items()]
    return Report(f"brought back {_what(deletion)}", rows)


def _what(deletion: Deletion) -> str:
    counts = [_count(len(deletion.tasks), "task")] if deletion.tasks else []
    counts += [_count(len(deletion.files), "file")] if deletion.files else []
    return " and ".join(counts) or _count(len(deletion.resources), "result")


def _thrown(deletion: Deletion) -> Iterable[ResourceRecord]:
    """Resources whose content goes."""
    for resource in deletion.resources.values():
        name = f"{resource.digest}.{resource.format}"
        if (resource.path and resource.path not in deletion.kept) or name in deletion.objects:
            yield resource


def _problem_row(problem: Problem, why_not: str) -> dict[str, Any]:
    return {"what": problem.what, "problem": problem.kind, "id": problem.id, "what to do": why_not or _advice(problem)}


def _advice(problem: Problem) -> str:
    if problem.kind == "corrupt":
        if not problem.made_by:
            return f"{problem.path}: call the pipe again with the value itself"
        return f"{problem.path}: it is computed again when it is used, or now: %rms check --repair"
    if not problem.path:
        return "it is computed again when it is read"
    if problem.kind == "unreadable":
        return "check the permissions"
    if problem.made_by and problem.kind == "missing":
        return f"make it again: %rms check --repair, or call {problem.made_by}"
    if problem.made_by:
        return f"make it anew: call {problem.made_by}; or keep it: register_file(path, force=True)"
    if problem.kind == "missing":
        return "bring it back"
    if not problem.registered:
        return "if the new content is right: nothing; calls that read it run again"
    return "if the new content is right: register_file(path, force=True)"


def _different_row(pipe: str, cases: list[tuple[int, str, str]]) -> dict[str, Any]:
    ident, call, how = cases[0]
    times = f" ({len(cases)} such results)" if len(cases) > 1 else ""
    advice = f"declare it: @rms.pipe(deterministic=False) on {pipe}"
    return {"what": call, "problem": f"not deterministic: {how}{times}", "id": ident, "what to do": advice}


def _unreliable_row(cases: list[tuple[int, str, str]]) -> dict[str, Any]:
    ident, call, kind = cases[0]
    times = f" ({len(cases)} such results)" if len(cases) > 1 else ""
    advice = f"say what counts: rms.digest_by({kind.rpartition('.')[2]}, function)"
    return {"what": call, "problem": f"the digest of {kind} does not hold{times}", "id": ident, "what to do": advice}


def _about_sample(verified: Verified) -> Iterable[str]:
    yield f"ran {verified.ran:,} of {_count(verified.stored, 'stored result')} again (seed {verified.seed})"
    for why, count in verified.left_out.items():
        yield f"left out {count:,}: {why}"


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' if count != 1 else ''}"
