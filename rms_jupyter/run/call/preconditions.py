"""May a call that must run have these inputs, and write there?"""

from __future__ import annotations

import os
from collections.abc import Callable

from rms_jupyter.errors import NotRecomputable, OverwriteError, StaleInputError, words_of
from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.fingerprint.trees import existing
from rms_jupyter.model import TaskRecord
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.store.store import Store


def check_inputs(store: Store, files: FileDigests, call: Call, remake: Callable[[str], object]) -> None:
    """Refuse inputs that are no longer what they were; a file that has gone is made again if that can be done.

    Raises
    ------
    StaleInputError
        Naming the input and what to use instead.
    """
    for ref, role in call.inputs.used:
        status = store.status(ref.id)
        if status == "overwritten":
            newer = store.find_path(ref.path)
            if newer is None or newer[1].digest != ref.digest:
                raise StaleInputError(
                    f"{role} is {ref.path} as it was before it was overwritten",
                    hint=f"use the file as it is now: rms.current().file_from_path({ref.path!r})",
                )
        if status == "deprecated":
            raise StaleInputError(
                f"{role} is marked as deprecated", hint="make it again, or take the mark back with %rms mark"
            )
        if status == "deleted":
            raise StaleInputError(f"{role} was deleted", hint="make it again: call the pipe that made it")
        if ref.path:
            if existing(ref.path) is None:
                bring_back(ref.path, role, remake)
            check_file(files, ref.path, ref.digest, role)


def bring_back(path: str, role: str, remake: Callable[[str], object]) -> None:
    """Let the call that made a file make it again.

    Raises
    ------
    StaleInputError
        Naming the file, and why that cannot be done.
    """
    try:
        remake(path)
    except NotRecomputable as refusal:
        raise StaleInputError(
            f"{role}: the file {path} is gone, and cannot be made again: {refusal.message}", refusal.hint
        ) from None
    except Exception as error:
        raise StaleInputError(
            f"{role}: the file {path} is gone, and making it again failed: {type(error).__name__}: {words_of(error)}",
            hint="call its pipe again to see where",
        ) from error


def check_file(files: FileDigests, path: str, recorded: str, role: str) -> None:
    """Refuse a file whose content is not what was recorded."""
    if not os.path.exists(path):
        raise StaleInputError(
            f"{role}: the file {path} is gone", hint="bring it back, or run the call that makes it again"
        )
    if files.state(path).digest != recorded:
        raise StaleInputError(
            f"{role}: the file {path} has changed since it was recorded",
            hint=f"if the new content is right: rms.current().register_file({path!r}, force=True); "
            "if not, call the pipe again that made it",
        )


def check_outputs(store: Store, definition: Definition, call: Call, declared: list[str]) -> None:
    """Refuse to write where another call has written, or over a registered input.

    Raises
    ------
    OverwriteError
        Naming the path and the call that made it.
    """
    if definition.contract.overwrite:
        return
    for path in declared:
        known = store.find_path(path)
        if known is None or store.status(known[0]) or not os.path.exists(path):
            continue
        place, owner = store.record(known[0])
        if not isinstance(owner, TaskRecord):
            maker = "which is registered as an input"
        elif known[0] - place > len(owner.out):
            maker = f"which {store.call_text(owner)} has read"
        elif owner.site != call.site:
            maker = f"which {store.call_text(owner)} has made"
        else:
            continue
        raise OverwriteError(
            f"{definition.name} would write {path}, {maker}",
            hint="choose another path, or allow it: overwrite=True, --overwrite",
        )
