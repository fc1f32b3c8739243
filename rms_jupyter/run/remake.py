"""How is a file that has gone made again?  By the recorded call that made it, as a task of its own."""

from __future__ import annotations

import os
from collections.abc import Callable

from rms_jupyter.errors import NotRecomputable, RmsError
from rms_jupyter.fingerprint.files import existing_file
from rms_jupyter.model import Task
from rms_jupyter.run.answer import Answer
from rms_jupyter.run.checking import Found
from rms_jupyter.run.direct import Calls
from rms_jupyter.run.recompute import Past, Recorded


def remake(calls: Calls, past: Past, path: str) -> Answer:
    """Run the call again that made a file; it is recorded with the reason ``output_missing``.

    Parameters
    ----------
    calls : Calls
    past : Past
    path : str
        Absolute path of a file on record.

    Raises
    ------
    NotRecomputable
        Saying why the call cannot run as it ran then.
    """
    found = calls.store.find_path(path)
    place, task = calls.store.record(found[0]) if found else (0, None)
    if found is None or not isinstance(task, Task) or found[0] - place > len(task.out):
        raise NotRecomputable("no call has made it", hint="bring it back")
    recorded = past.call(place, task)
    _refuse_another_folder(recorded, task)
    args, kwargs = recorded.definition.binder.call_arguments(recorded.call.values)
    answer = calls.answer(recorded.definition, tuple(args), kwargs)
    _tell_differences(calls, task, answer)
    return answer


def repair_files(found: Found, remake: Callable[[str], object]) -> dict[str, str]:
    """Make the missing files again; gives for each path nothing, or why it cannot be done."""
    remade: dict[str, str] = {}
    for problem in found.problems:
        if not problem.path or problem.kind != "missing" or not problem.made_by:
            continue
        remade[problem.path] = ""
        if existing_file(problem.path) is not None:
            continue  # Made again already: by the call that made another missing file, or for one that read it.
        try:
            remake(problem.path)
        except RmsError as refusal:
            remade[problem.path] = f"cannot be made again: {refusal.message}; {refusal.hint}"
        except Exception as error:
            remade[problem.path] = f"making it again failed: {type(error).__name__}: {error}"
    return remade


def _refuse_another_folder(recorded: Recorded, task: Task) -> None:
    """Refuse a call with relative paths that would write elsewhere now."""
    call = recorded.call
    named = [path for path, _ in (*call.inputs.paths, *call.written_files)]
    would_write = set(map(os.path.abspath, (*recorded.definition.declared_outputs(call.values), *named)))
    elsewhere = [out.path for out in task.out if out.path and out.path not in would_write]
    if elsewhere:
        raise NotRecomputable(
            f"called from here it would write elsewhere than {elsewhere[0]}",
            hint="change to the folder where it was called: %cd",
        )


def _tell_differences(calls: Calls, before: Task, answer: Answer) -> None:
    digests = {out.path: out.digest for out in answer.task.out if out.path}
    for out in before.out:
        if out.path and digests.get(out.path, out.digest) != out.digest:
            calls.surroundings.tell(
                f"{out.path} was made again with other content than before. "
                "If that is to be expected: @rms.pipe(deterministic=False)"
            )
