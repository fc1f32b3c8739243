"""Does the record answer this call, and if not, why not?"""

from __future__ import annotations

import os
import time
from collections.abc import Container, Iterable, Mapping
from typing import Protocol

import msgspec

from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.fingerprint.code import CodeVersion
from rms_jupyter.fingerprint.files import FileDigests, FileRule
from rms_jupyter.fingerprint.project import Project
from rms_jupyter.fingerprint.questions import in_words, is_question
from rms_jupyter.fingerprint.trees import existing
from rms_jupyter.fingerprint.values import tagged
from rms_jupyter.model import ResourceRecord, TaskRecord, resource_id
from rms_jupyter.run.call.trusted import could_run_anything
from rms_jupyter.staleness import Reason, TaskFacts, compare
from rms_jupyter.store.copies.elsewhere import find_file
from rms_jupyter.store.store import Store

_AT_ONCE = 1_000_000  # Bytes; content that is larger is checked when it is read.


class Untrusted(Reason):
    """What is kept of a call could run anything when it is read, and the store was made elsewhere."""

    __slots__ = ()


class NewInput(Reason):
    """The pipe has run before, and is asked for what it was not asked for."""

    __slots__ = ()


class DamagedResult(Reason):
    """What is kept of a call is not what was written."""

    __slots__ = ()


class DrawTokens(Protocol):
    """Tells draws of random numbers apart."""

    def now(self, call: Call, names: Iterable[str]) -> dict[str, str]:
        """Say which draws a call would make from generators by name."""


def find_hit(
    store: Store, files: FileDigests, call: Call, draws: DrawTokens | None = None
) -> tuple[int, TaskRecord] | Reason | None:
    """Look a call up.

    Parameters
    ----------
    store, files, call
    draws : Draws, optional
        Tells whether the same numbers would be drawn; without it, any draw will do.

    Returns
    -------
    (int, Task), Reason or None
        The task that answers it; or why the task found does not; or None where nothing is recorded under the key.
    """
    if call.obstacle:
        return Reason("not_cached", call.obstacle)
    answer = _find(store, files, call, call.key, draws)
    if answer is None and call.former_inputs_key:
        answer = _find(store, files, call, call.former_key, draws)
    if answer is None or isinstance(answer, Reason):
        for version in store.accepted(call.version.hex()):
            older = _find(store, files, call, call.key_under(bytes.fromhex(version)), draws)
            if isinstance(older, tuple):
                return older
    return answer


def _find(
    store: Store, files: FileDigests, call: Call, key: str, draws: DrawTokens | None
) -> tuple[int, TaskRecord] | Reason | None:
    found = store.find(key)
    if found is None:
        return None
    _, task = found
    flaw = flaw_of(store, files, call, *found)
    if flaw is None and not task.draws:
        return found
    drawn = draws.now(call, dict(task.draws)) if draws is not None and task.draws else dict(task.draws)
    is_other_draw = drawn != dict(task.draws)
    if is_other_draw or (flaw is not None and flaw.kind == "input_changed" and (task.files or task.draws)):
        contents = trace_of(files, [path for path, content in task.files if content], call.file_rule)
        other = store.find(traced_key(key, contents | drawn, store.project)) or store.find(
            traced_key(key, contents | drawn, None)
        )
        if other is not None and dict(other[1].draws) == drawn and flaw_of(store, files, call, *other) is None:
            return other
        if is_other_draw:
            return flaw
    return flaw or found


def flaw_of(store: Store, files: FileDigests, call: Call, ident: int, task: TaskRecord) -> Reason | None:
    """Say why a recorded task cannot serve as a hit; None when it can."""
    if task.uncached:
        return Reason("not_cached", task.uncached, ident)
    if task.status != "done":
        return Reason("failed_before", task.error.type if task.error else task.status, ident)
    if statuses := store.known.facts.statuses:
        if statuses.get(ident) == "deprecated":
            return Reason("deprecated", "", ident)
        if any(statuses.get(ident + slot) == "deleted" for slot in range(len(task.out) + 1)):
            return Reason("never_run")
    if call.expires_after and (age := time.time() - task.started / 1e6 - task.seconds) > call.expires_after:
        return Reason("expired", f"{age:,.0f} s old", ident)
    if task.mentions and task.mentions != store.project.folder:
        return Reason("input_changed", f"the project's folder {task.mentions} → {store.project.folder}", ident)
    if not store.is_trusted and could_run_anything(store, task):
        return Untrusted("not_cached", "it is a pickle in a store that was made elsewhere: %rms trust", ident)
    changed = changed_file(files, call, task)
    if changed:
        return Reason("input_changed", changed, ident)
    for out in task.out:
        if out.kind == "file":
            if flaw := _output_flaw(store, files, out, ident):
                return flaw
        elif out.format != "json" and out.size <= _AT_ONCE and store.flaw(out) == "damaged":
            return DamagedResult("output_changed", "its stored result is damaged", ident)
    for given in task.given:
        if given.kind == "given" and given.size <= _AT_ONCE and store.flaw(given) == "damaged":
            return DamagedResult("output_changed", "the stored copy of an argument is damaged", ident)
    if task.shown and store.objects.flaw(task.shown, "json") == "damaged":
        return DamagedResult("output_changed", "the stored copy of what it showed is damaged", ident)
    return None


def traced_key(key: str, contents: Mapping[str, str], project: Project | None) -> str:
    """Extend a key by the contents of the files that plain paths named, those of the project by their places."""
    placed = [(project.place(path) if project else path, content) for path, content in contents.items()]
    return tagged("traced", [key.encode(), repr(sorted(placed)).encode()]).hex()


def trace_of(files: FileDigests, paths: list[str], rule: FileRule = "") -> dict[str, str]:
    """Say what files count as now; those that are missing are left out."""
    return {path: files.identity(path, rule) for path in paths if is_question(path) or existing(path)}


def why_new(store: Store, files: FileDigests, call: Call, version: CodeVersion, asked: Container[int] = ()) -> Reason:
    """Say why nothing is recorded under a call's key, by comparing with the nearest earlier task.

    Parameters
    ----------
    asked : container of int
        Tasks that the current run has asked for already: with other arguments they are other calls, not earlier
        versions of this one.
    """
    found = store.find_site(call.site)
    same_site = found is not None
    if found is None and store.latest_id(call.pipe_name) not in asked:
        found = store.find_latest(call.pipe_name)
    if found is None or (not same_site and found[0] in asked):
        return Reason("never_run")
    ident, task = found
    before = facts_of(store, ident, task)
    reason = compare(facts_now(files, call, version, before.used), before, ident, in_one_run=ident in asked)
    is_sibling = not same_site and (" → " not in reason.detail or "," in reason.detail)
    if is_sibling and reason.kind == "input_changed":
        return NewInput("never_run")
    return Reason("never_run") if reason.kind == "never_run" else reason


def expected_seconds(store: Store, call: Call, reason: Reason) -> float:
    """Guess how long a call will take: as long as the task it is compared with, else as the pipe's latest one."""
    for found in (store.record(reason.earlier) if reason.earlier else None, store.find_latest(call.pipe_name)):
        if found is not None and isinstance(found[1], TaskRecord):
            return found[1].seconds
    return 0.0


def facts_of(store: Store, ident: int, task: TaskRecord) -> TaskFacts:
    """Put together what a recorded task was made from."""
    pipe = store.pipe_of(task)
    return TaskFacts(
        parts=pipe.parts if pipe else {},
        sources=pipe.sources if pipe else {},
        args=msgspec.json.decode(task.args),
        globals=msgspec.json.decode(task.globals),
        used={role: digest for role, (_, digest) in used_by(store, ident, task).items()},
    )


def used_by(store: Store, ident: int, task: TaskRecord) -> dict[str, tuple[int, str]]:
    """Return the resources that a recorded task used, as (id, digest) by role; '?' where the record is gone.

    Where an argument was a part of a resource, the digest is that of the part.
    """
    used = {}
    for target, role in task.used:
        target, exact = resource_id(target, ident), task.exact.get(role)
        part = exact.get("digest") if isinstance(exact, dict) else None
        try:
            used[role] = target, part or store.resource(target).digest
        except LookupError:
            used[role] = target, "?"
    return used


def facts_now(files: FileDigests, call: Call, version: CodeVersion, roles: Container[str]) -> TaskFacts:
    """Put together what a call would be made from now; of plain arguments those in `roles` count as contents."""
    used = {role: part.hex() for role, part in call.digests.items() if role in roles}
    for path, role in call.inputs.paths:
        for content in trace_of(files, [os.path.abspath(path)]).values():
            used[role] = content
    used.update({role: ref.digest for ref, role in call.inputs.used})
    return TaskFacts(
        parts=version.parts,
        sources=version.sources,
        args=msgspec.json.decode(call.args_json()),
        globals=msgspec.json.decode(call.globals_json()),
        used=used,
    )


def changed_file(files: FileDigests, call: Call, task: TaskRecord) -> str:
    """Return the file of a task that is not as it was then, as the call names it; '' if all are."""
    if not task.files and not call.inputs.paths:
        return ""
    trace = dict(task.files)
    written = {out.path for out in task.out if out.path}
    named = set()
    for path, _ in call.inputs.paths:
        named.add(absolute := os.path.abspath(path))
        if absolute in written:
            continue
        exists = existing(absolute) is not None
        if trace.get(absolute) == "":
            continue
        if (absolute in trace) != exists or (exists and files.identity(absolute, call.file_rule) != trace[absolute]):
            return path
    for path, content in trace.items():
        is_unnamed = content and path not in named and path not in written
        if is_unnamed and not files.counts_as(path, content, call.file_rule):
            return in_words(path)
    return ""


def _output_flaw(store: Store, files: FileDigests, out: ResourceRecord, ident: int) -> Reason | None:
    flaw = files.flaw(out.path, out.digest, out.state)
    if flaw == "missing" and find_file(store.layout.root, out.path, out.digest, store.project.folder):
        flaw = files.flaw(out.path, out.digest, out.state)
    if not flaw:
        return None
    return Reason("output_missing" if flaw == "missing" else "output_changed", out.path, ident)
