"""How does a tracked script stand?  Never run, up to date, changed since, or failed."""

from __future__ import annotations

from typing import Literal, NamedTuple

from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.fingerprint.code import CodeVersion
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.model import TaskRecord
from rms_jupyter.run.call.lookup import changed_file, find_hit, why_new
from rms_jupyter.store.store import Store

Kind = Literal["never run", "up to date", "changed", "failed"]


class ScriptState(NamedTuple):
    """How a script stands.

    Attributes
    ----------
    kind : str
    detail : str
        What has changed, or how it failed.
    ident : int
        Its last task; 0 if there is none.
    task : TaskRecord or None
    """

    kind: Kind
    detail: str = ""
    ident: int = 0
    task: TaskRecord | None = None


def state_of(store: Store, files: FileDigests, call: Call, version: CodeVersion) -> ScriptState:
    """Say how a script stands, by the call that would run it as it is now."""
    if call.obstacle:
        found = store.find_site(call.site)
        code = store.pipe_id(version.digest.hex(), call.pipe_name)
        if found and found[1].status != "done" and found[1].pipe == code:
            return ScriptState("failed", how_it_failed(found[1]), *found)
        return ScriptState("changed", call.obstacle, *found) if found else ScriptState("never run", call.obstacle)
    answer = find_hit(store, files, call)
    if isinstance(answer, tuple):
        return ScriptState("up to date", "", *answer)
    last = store.find(call.key) or store.find_site(call.site)
    if last is None:
        return ScriptState("never run")
    ident, task = last
    if task.status != "done" and task.key == call.key and not (path := changed_file(files, call, task)):
        return ScriptState("failed", how_it_failed(task), ident, task)
    if task.status != "done" and task.key == call.key:
        return ScriptState("changed", f"{path}; before, it {how_it_failed(task)}", ident, task)
    reason = answer or why_new(store, files, call, version)
    return ScriptState("changed", _in_words(reason.kind, reason.detail), ident, task)


def how_it_failed(task: TaskRecord) -> str:
    """Say how a task failed: by an exception, an exit code, a timeout, or with its worker."""
    words = task.error.message.partition("\n")[0] if task.error else ""
    match task.status:
        case "timed_out":
            return f"timed out: {words}"
        case "cancelled":
            return "was stopped"
        case "cut_off":
            return "was cut off: its worker died"
    return f"raised {words}" if task.error and task.error.type == "ScriptRaised" else words


def _in_words(kind: str, detail: str) -> str:
    words = {
        "code_changed": "code", "input_changed": "input", "output_missing": "output is missing:",
        "output_changed": "output was changed:", "deprecated": "marked as deprecated", "not_cached": "",
    }  # fmt: skip
    return f"{words.get(kind, kind)} {detail}".strip()
