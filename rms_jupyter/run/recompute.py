"""How is a value that was not kept made again?  By running its task with its recorded inputs; nothing is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from rms_jupyter import model
from rms_jupyter.errors import NotRecomputable, RmsError
from rms_jupyter.fingerprint.files import FileDigests, existing_file
from rms_jupyter.run.arguments import unpack
from rms_jupyter.run.capture import capturing
from rms_jupyter.run.coroutines import call_to_end
from rms_jupyter.run.definition import Definition
from rms_jupyter.store.store import Store

FindDefinition = Callable[[model.Pipe], "Definition | None"]


def recompute(
    store: Store,
    files: FileDigests,
    task_id: int,
    task: model.Task,
    find_definition: FindDefinition,
    value_of: Callable[[int], Any],
) -> Any:
    """Run a recorded task again for its value.

    Parameters
    ----------
    store, files
    task_id, task
        The record.
    find_definition : callable
        Gives the pipe of this session that runs a recorded code version.
    value_of : callable
        Gives the value of a resource by its id; it may have to be recomputed in turn.

    Raises
    ------
    NotRecomputable
        With the reason.
    """
    pipe = store.record(task.pipe)[1]
    assert isinstance(pipe, model.Pipe)
    call = model.call_text(pipe.name, task.args)
    definition = find_definition(pipe)
    if definition is None:
        raise NotRecomputable(
            f"the value of {call} is not kept, and no pipe {pipe.name} with the same code is defined here",
            hint="run the cell that defines it, then ask again",
        )
    if not definition.contract.deterministic:
        raise NotRecomputable(
            f"the value of {call} is not kept, and {pipe.name} is not deterministic",
            hint="call it again for a new value",
        )
    values = _arguments(store, files, call, definition, task_id, task, value_of)
    args, kwargs = definition.binder.call_arguments(values)
    with capturing():
        return call_to_end(definition.function, args, kwargs)


def _arguments(
    store: Store,
    files: FileDigests,
    call: str,
    definition: Definition,
    task_id: int,
    task: model.Task,
    value_of: Callable[[int], Any],
) -> tuple[Any, ...]:
    for path, digest in task.files:
        if digest and (existing_file(path) is None or files.state(path).digest != digest):
            raise NotRecomputable(
                f"the value of {call} is not kept, and its input {path} is missing or has changed",
                hint="bring the file back, or call the pipe again",
            )
    shown = msgspec.json.decode(task.args)

    def of_resource(ident: int) -> Any:
        return value_of(ident if ident >> 32 else task_id + ident)

    values = []
    for name in definition.binder.names:
        packed = task.exact.get(name)
        if packed is None:
            values.append(shown[name])
        elif "lost" in packed:
            raise NotRecomputable(
                f"the value of {call} is not kept, and neither is its argument {name}", hint="call the pipe again"
            )
        else:
            try:
                values.append(unpack(packed, of_resource))
            except RmsError:
                raise
            except Exception as error:
                raise NotRecomputable(
                    f"the argument {name} of {call} cannot be read back: {error}", hint="call the pipe again"
                ) from error
    return tuple(values)
