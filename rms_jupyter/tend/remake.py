"""How is a file that has gone made again?  By the recorded call that made it; nothing new is recorded.

And a damaged result?  By that call too, as if it were asked for: what it gives is kept in the place of the damaged.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from rms_jupyter.errors import NotRecomputable, RmsError, words_of
from rms_jupyter.fingerprint.trees import existing
from rms_jupyter.model import TaskRecord
from rms_jupyter.run.call.direct import Calls
from rms_jupyter.run.call.preconditions import check_inputs
from rms_jupyter.run.task.execute import execute
from rms_jupyter.store.recent_index import key_mark
from rms_jupyter.tend.check import CheckFindings
from rms_jupyter.tend.recompute import Past, RecordedCall


def remake(calls: Calls, past: Past, path: str) -> None:
    """Run the call again that made a file, and tell if it comes out otherwise than before.

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
    BaseException
        Whatever the function raises.
    """
    found = calls.store.find_path(path)
    place, task = calls.store.record(found[0]) if found else (0, None)
    if found is None or not isinstance(task, TaskRecord) or found[0] - place > len(task.out):
        raise NotRecomputable("no call has made it", hint="bring it back")
    recorded = past.call(place, task)
    _refuse_another_folder(recorded, task)
    with calls.store.claims.held(key_mark(task.key)):
        if existing(path) is None:
            _run(calls, recorded, task)


def _run(calls: Calls, recorded: RecordedCall, task: TaskRecord) -> None:
    check_inputs(calls.store, calls.files, recorded.call, calls.remake)
    definition, paths = recorded.definition, [out.path for out in task.out if out.path]
    args, kwargs = recorded.arguments()
    outcome = execute(definition.function, args, kwargs, (), paths, definition.contract.allow_empty)
    if outcome.error is not None:
        raise outcome.error
    _tell_differences(calls, task)


def repair_files(found: CheckFindings, remake: Callable[[str], object]) -> dict[str, str]:
    """Make the missing files again; gives for each path nothing, or why it cannot be done."""
    remade: dict[str, str] = {}
    for problem in found.problems:
        if not problem.path or problem.kind != "missing" or not problem.made_by:
            continue
        remade[problem.path] = ""
        if existing(problem.path) is not None:
            continue  # Made again already: by the call that made another missing file, or for one that read it.
        remade[problem.path] = _why_not(partial(remake, problem.path))
    return remade


def mend_results(found: CheckFindings, compute: Callable[[int], object]) -> dict[str, str]:
    """Compute damaged results again, by their ids; gives for each path nothing, or why it cannot be done."""
    damaged = [problem for problem in found.problems if problem.kind == "corrupt" and problem.made_by]
    return {problem.path: _why_not(partial(compute, problem.id)) for problem in damaged}


def _why_not(attempt: Callable[[], object]) -> str:
    """Try to make something again; say why it cannot be done, '' if it was."""
    try:
        attempt()
    except RmsError as refusal:
        return f"cannot be made again: {refusal.message}; {refusal.hint}"
    except Exception as error:
        return f"making it again failed: {type(error).__name__}: {words_of(error)}"
    return ""


def _refuse_another_folder(recorded: RecordedCall, task: TaskRecord) -> None:
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


def _tell_differences(calls: Calls, before: TaskRecord) -> None:
    for out in before.out:
        if out.path and calls.files.state(out.path).digest != out.digest:
            calls.surroundings.tell(
                f"{out.path} was made again with other content than before. "
                "If that is to be expected: @rms.pipe(deterministic=False)"
            )
